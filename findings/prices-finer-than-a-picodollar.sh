#!/bin/bash
# The smallest unit that can represent every published price of a token.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: the price list in litellm 1.110.2 (PyPI)"
echo "Guess:    prices are in dollars per million tokens with at most six decimals: micro-dollars per million, or pico-dollars per"
echo "          token, are whole numbers."

trap 'rm -rf "$dir"' EXIT
python3 -m pip download -qq --disable-pip-version-check --no-deps --dest "$dir" litellm==1.110.2 >&2
cat >"$dir/probe.py" <<'EOF'
import glob, json, sys, zipfile
from decimal import Decimal

with zipfile.ZipFile(glob.glob(sys.argv[1] + "/litellm-*.whl")[0]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith("model_prices_and_context_window_backup.json"))
    prices = json.loads(wheel.read(name), parse_float=Decimal)
prices.pop("sample_spec", None)
noise, real, total = [], [], 0
for model, entry in sorted(prices.items()):
    for field in ("input_cost_per_token", "output_cost_per_token"):
        pico = Decimal(entry.get(field) or 0) * 10**12
        total += 1
        if pico != int(pico):
            (noise if abs(pico - round(pico)) < Decimal("0.001") else real).append(f"{model} {pico.normalize():f}")
print(f"of {total} prices {len(noise)} have the noise of a float in their text, such as {noise[-1]} pico-dollars,")
print(f"and {len(real)} are really finer:", ", ".join(real))
EOF
seen=$(python3 "$dir/probe.py" "$dir")
echo "Seen:"
echo "$seen"
echo "Matters:  prices that were converted from another currency or marked up have no last digit, and a list that went through floats"
echo "          has false ones. Read 9 significant digits, then round up to the unit and say so; an import that insists on whole"
echo "          micro-dollars refuses valid prices."
[ "$seen" = "of 9754 prices 39 have the noise of a float in their text, such as opencode_go/qwen3.8-flash 469999.99999999995 pico-dollars,
and 4 are really finer: bigmodel/glm-5.3 1142857.1428571428, bigmodel/glm-5.3-flash 114285.7142857143, bigmodel/glm-5.3-flashx 285714.2857142857, morph/morph-dsv4flash 141953.125" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
