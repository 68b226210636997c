#!/bin/bash
# A quota for a month, written the way that works for an hour.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: djangorestframework 3.18.3 and django-ratelimit 4.1.0 on django 5.2.19, limits 5.8.0 (PyPI)"
echo "Guess:    '1000/month' is 1000 in about 30 days, or is refused if the library knows no months; a year has 365 days or more."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" \
	djangorestframework==3.18.3 django-ratelimit==4.1.0 django==5.2.19 limits==5.8.0 >&2
cat >"$dir/probe.py" <<'EOF'
import django, limits
from django.conf import settings
from django.test import RequestFactory

settings.configure(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})
django.setup()
from django_ratelimit.core import get_usage
from rest_framework.throttling import SimpleRateThrottle

class Throttle(SimpleRateThrottle):
    rate = "1000/hour"

def rest(rate):
    return Throttle().parse_rate(rate)[1]

def ratelimit(rate):  # the time until the reset is never more than the window, so look at many callers
    request = RequestFactory().get("/")
    return max(get_usage(request, rate, key=lambda *_: str(i), rate=rate, increment=True)["time_left"] for i in range(300))

def window(rate):
    return limits.parse(rate).get_expiry()

for name, seconds in {"REST framework": rest, "django-ratelimit": ratelimit, "limits": window}.items():
    for unit in ("month", "week", "year"):
        try:
            length = seconds(f"1000/{unit}")
            told = f"{length // 86400} days" if length > 86400 else "a minute" if 50 < length <= 60 else "a second" if length <= 1 else f"{length} s"
        except Exception as e:
            told = f"raises {type(e).__name__}"
        print(f"{name}, 1000/{unit}: {told}")
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py")
echo "Seen:"
echo "$seen"
echo "Matters:  both Django libraries read an m: a month's quota is given out every minute, 43,200 times what was meant. A week, which"
echo "          django-ratelimit does not know, is a second. In limits a year is five days short. Print the window's length in"
echo "          seconds before you trust the word."
[ "$seen" = "REST framework, 1000/month: a minute
REST framework, 1000/week: raises KeyError
REST framework, 1000/year: raises KeyError
django-ratelimit, 1000/month: a minute
django-ratelimit, 1000/week: a second
django-ratelimit, 1000/year: a second
limits, 1000/month: 30 days
limits, 1000/week: raises ValueError
limits, 1000/year: 360 days" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
