#!/bin/bash
# A counter, a gauge and a histogram that are given NaN.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: prometheus_client 0.26.0 (PyPI), prom-client 15.1.3 (npm)"
echo "Guess:    a counter that refuses -1 refuses NaN too; a NaN in a histogram is refused, or at least counted in +Inf; NaN is written as"
echo "          the format's NaN."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" prometheus_client==0.26.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund prom-client@15.1.3 >&2)
cat >"$dir/probe.py" <<'EOF'
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

registry = CollectorRegistry()
cost, size = Counter("cost", "h", registry=registry), Histogram("size", "h", buckets=[1], registry=registry)
for what, call in (("inc(-1)", lambda: cost.inc(-1)), ("inc(NaN)", lambda: cost.inc(float("nan"))), ("observe(NaN)", lambda: size.observe(float("nan")))):
    try:
        call()
        print(f"Python, {what}: accepted")
    except ValueError:
        print(f"Python, {what}: refused")
cost.inc(5)
for line in generate_latest(registry).decode().splitlines():
    if line[0] != "#" and "created" not in line:
        print("Python,", line)
EOF
cat >"$dir/probe.mjs" <<'EOF'
import { Counter, Histogram, Registry } from 'prom-client';
const registers = [new Registry()];
const cost = new Counter({ name: 'cost', help: 'h', registers }), size = new Histogram({ name: 'size', help: 'h', buckets: [1], registers });
for (const [what, call] of [['inc(-1)', () => cost.inc(-1)], ['inc(NaN)', () => cost.inc(NaN)], ['observe(NaN)', () => size.observe(NaN)]])
	try { call(); console.log(`JavaScript, ${what}: accepted`); } catch { console.log(`JavaScript, ${what}: refused`); }
cost.inc(5);
for (const line of (await registers[0].metrics()).split('\n')) if (line && line[0] !== '#') console.log('JavaScript,', line);
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py"
	(cd "$dir" && node probe.mjs)
)
echo "Seen:"
echo "$seen"
echo "Matters:  one division of 0 by 0 in a cost makes the counter NaN until the process restarts, and every rate() over it. Python's"
echo "          histogram keeps a NaN sum with a count of 0. Check with isfinite before inc() and observe()."
[ "$seen" = "Python, inc(-1): refused
Python, inc(NaN): accepted
Python, observe(NaN): accepted
Python, cost_total NaN
Python, size_bucket{le=\"1.0\"} 0.0
Python, size_bucket{le=\"+Inf\"} 0.0
Python, size_count 0.0
Python, size_sum NaN
JavaScript, inc(-1): refused
JavaScript, inc(NaN): accepted
JavaScript, observe(NaN): refused
JavaScript, cost Nan
JavaScript, size_bucket{le=\"1\"} 0
JavaScript, size_bucket{le=\"+Inf\"} 0
JavaScript, size_sum 0
JavaScript, size_count 0" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
