#!/bin/bash
# A server answers 429 and names the pause. How long do the retry helpers wait?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: backoff 2.2.1, httpx-retries 0.6.0 on httpx 0.28.1, stamina 26.1.0 (PyPI), with a clock that only the pauses advance"
echo "Guess:    a helper that is told the server's pause waits at least that long; when the pause does not fit into its own limit, it"
echo "          gives up at once and does not ask again."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" backoff==2.2.1 httpx-retries==0.6.0 httpx==0.28.1 \
	stamina==26.1.0 >&2
cat >"$dir/probe.py" <<'EOF'
import random, time

pauses, clock = [], time.monotonic
time.sleep = pauses.append
time.monotonic = lambda: clock() + sum(pauses)

import backoff, httpx, httpx_retries, stamina

stamina.instrumentation.set_on_retry_hooks([])

class Refused(Exception):
    pass

def said(name, asked, call):
    pauses.clear()
    random.seed(7)
    try:
        call()
    except Refused:
        pass
    print(f"{name}, {asked} s asked for: {len(pauses) + 1} requests, after pauses of", *[f"{pause:.0f}" for pause in pauses])

def refuse():
    raise Refused

def by_header(**options):
    return backoff.on_exception(backoff.runtime, Refused, value=lambda error: 20, max_tries=6, **options)(refuse)

def over_http(seconds):
    transport = httpx.MockTransport(lambda request: httpx.Response(429, headers={"Retry-After": str(seconds)}))
    retries = httpx_retries.RetryTransport(transport=transport, retry=httpx_retries.Retry(total=5))
    return lambda: httpx.Client(transport=retries).get("http://provider/")

said("backoff.runtime", 20, by_header())
said("backoff.runtime, jitter=None", 20, by_header(jitter=None))
said("httpx-retries", 20, over_http(20))
said("httpx-retries", 3600, over_http(3600))
said("stamina, timeout=45", 3600, stamina.retry(on=lambda error: 3600.0, timeout=45, attempts=6)(refuse))
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py")
echo "Seen:"
echo "$seen"
echo "Matters:  backoff replaces the pause by a random part of it, and httpx-retries cuts it at two minutes: the bot asks again while it is"
echo "          still refused, and each of these requests may count or prolong the ban. stamina sleeps the hour, past its own timeout, and"
echo "          then asks once more. Pass jitter=None; stop yourself when the server's pause is longer than you can wait."
[ "$seen" = "backoff.runtime, 20 s asked for: 6 requests, after pauses of 6 3 13 1 11
backoff.runtime, jitter=None, 20 s asked for: 6 requests, after pauses of 20 20 20 20 20
httpx-retries, 20 s asked for: 6 requests, after pauses of 20 20 20 20 20
httpx-retries, 3600 s asked for: 6 requests, after pauses of 120 120 120 120 120
stamina, timeout=45, 3600 s asked for: 2 requests, after pauses of 3600" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
