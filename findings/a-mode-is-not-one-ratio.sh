#!/bin/bash
# Batch, flex and priority prices next to the standard ones, as published.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: the price list in litellm 1.110.2 (PyPI)"
echo "Guess:    a mode multiplies a model's prices by one number (batch: a half), for input, output and cached input, below and above"
echo "          the context tier."

trap 'rm -rf "$dir"' EXIT
python3 -m pip download -qq --disable-pip-version-check --no-deps --dest "$dir" litellm==1.110.2 >&2
cat >"$dir/probe.py" <<'EOF'
import glob, json, sys, zipfile
from fractions import Fraction

with zipfile.ZipFile(glob.glob(sys.argv[1] + "/litellm-*.whl")[0]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith("model_prices_and_context_window_backup.json"))
    prices = json.loads(wheel.read(name), parse_float=Fraction)
prices.pop("sample_spec", None)
FIELDS = {"input": "input_cost_per_token", "output": "output_cost_per_token", "cached": "cache_read_input_token_cost",
          "long input": "input_cost_per_token_above_272k_tokens"}

def ratios(entry, mode):
    both = {k: (entry.get(f), entry.get(f"{f}_{mode}")) for k, f in FIELDS.items()}
    return {k: Fraction(in_mode) / Fraction(standard) for k, (standard, in_mode) in both.items() if standard and in_mode}

for mode in ("batches", "flex", "priority"):
    found = [r for r in (ratios(e, mode) for e in prices.values()) if len(r) > 1]
    uneven = sum(max(r.values()) / min(r.values()) > Fraction(101, 100) for r in found)
    print(f"{mode}: {uneven} of {len(found)} models have more than one ratio")
for model, mode in (("gemini-2.5-pro", "flex"), ("ft:gpt-4o-2024-08-06", "batches"), ("azure/gpt-5.5", "priority")):
    print(f"{model}, {mode}:", ", ".join(f"{k} x {float(r):.3g}" for k, r in ratios(prices[model], mode).items()))
long = [e for e in prices.values() if e.get(FIELDS["long input"]) and e.get("input_cost_per_token_priority")]
print(f"{sum(not e.get(FIELDS['long input'] + '_priority') for e in long)} of {len(long)} models with both have no priority price above 272k tokens")
EOF
seen=$(python3 "$dir/probe.py" "$dir")
echo "Seen:"
echo "$seen"
echo "Matters:  a mode stored as one ratio charges half for cached input that the provider sells at full price in flex, and invents a"
echo "          price for a long prompt in priority. Store a mode as a complete row of prices, and say so where a cell is empty."
[ "$seen" = "batches: 33 of 571 models have more than one ratio
flex: 46 of 312 models have more than one ratio
priority: 30 of 432 models have more than one ratio
gemini-2.5-pro, flex: input x 0.5, output x 0.5, cached x 1
ft:gpt-4o-2024-08-06, batches: input x 0.593, output x 0.833, cached x 0.48
azure/gpt-5.5, priority: input x 2.5, output x 2.5, cached x 2.5, long input x 2
14 of 65 models with both have no priority price above 272k tokens" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
