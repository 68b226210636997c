#!/bin/bash
# A request that is too large is refused. What happens to the small ones after it?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: limits 5.8.0, throttled-py 3.5.0 (PyPI), rate-limiter-flexible 11.4.0 (npm), each in memory"
echo "Guess:    a refused request costs nothing: of 10 a minute with 1 used, 9 are left after a refused request for 50; two limits"
echo "          combined (a union) are taken both or not at all."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" limits==5.8.0 throttled-py==3.5.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund rate-limiter-flexible@11.4.0 >&2)
cat >"$dir/probe.py" <<'EOF'
import time
from limits import parse, storage, strategies
from throttled import Throttled, rate_limiter, store

time.sleep(max(0, time.time() % 60 - 50) and 61 - time.time() % 60)  # not across the end of a minute
said = {True: "allowed", False: "refused"}
for name in ("FixedWindow", "MovingWindow", "SlidingWindowCounter"):
    limiter, ten = getattr(strategies, name + "RateLimiter")(storage.MemoryStorage()), parse("10/minute")
    print(f"limits {name}:", *[f"{n} {said[limiter.hit(ten, 'u', cost=n)]}" for n in (1, 50, 1)])
for name in ("fixed_window", "token_bucket"):
    limiter = Throttled(using=name, quota=rate_limiter.per_min(10), store=store.MemoryStore())
    print(f"throttled {name}:", *[f"{n} {said[not limiter.limit('u', cost=n).limited]}" for n in (1, 50, 1)])
EOF
cat >"$dir/probe.js" <<'EOF'
const { RateLimiterMemory, RateLimiterUnion } = require('rate-limiter-flexible');
const limiter = (points, keyPrefix) => new RateLimiterMemory({ points, duration: 60, keyPrefix });
const said = p => p.then(() => 'allowed', () => 'refused');
(async () => {
	const ten = limiter(10, 'x'), out = [];
	for (const n of [1, 50, 1]) out.push(`${n} ${await said(ten.consume('u', n))}`);
	console.log('rate-limiter-flexible:', ...out);
	const wide = limiter(10, 'wide'), narrow = limiter(1, 'narrow'), both = new RateLimiterUnion(wide, narrow);
	for (let i = 0; i < 5; i++) await said(both.consume('u'));
	console.log('its union of 10 and 1 a minute, 5 asked, 1 allowed: the 10 has', (await wide.get('u')).remainingPoints, 'left');
})();
EOF
seen=$(PYTHONPATH="$dir/py" python3 "$dir/probe.py" && cd "$dir" && node probe.js)
echo "Seen:"
echo "$seen"
echo "Matters:  with tokens as the cost, one long prompt locks a user out for the whole window although nothing has run, and a client"
echo "          that retries keeps locking itself out. Test first, and write only when all limits allow it, in one step."
[ "$seen" = "limits FixedWindow: 1 allowed 50 refused 1 refused
limits MovingWindow: 1 allowed 50 refused 1 allowed
limits SlidingWindowCounter: 1 allowed 50 refused 1 allowed
throttled fixed_window: 1 allowed 50 refused 1 refused
throttled token_bucket: 1 allowed 50 refused 1 allowed
rate-limiter-flexible: 1 allowed 50 refused 1 refused
its union of 10 and 1 a minute, 5 asked, 1 allowed: the 10 has 5 left" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
