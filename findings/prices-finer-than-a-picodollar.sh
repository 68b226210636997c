#!/bin/bash
# The smallest unit that holds every published price of a token.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: the price list in litellm 1.110.2 (PyPI)"
echo "Guess:    prices are set in dollars a million tokens with at most six decimals: micro-dollars a million, or pico-dollars a token, are whole."

trap 'rm -rf "$dir"' EXIT
python3 -m pip download -qq --disable-pip-version-check --no-deps --dest "$dir" litellm==1.110.2 >&2
cat >"$dir/probe.py" <<'EOF'
import glob, json, sys, zipfile
from decimal import Decimal

with zipfile.ZipFile(glob.glob(sys.argv[1] + "/litellm-*.whl")[0]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith("model_prices_and_context_window_backup.json"))
    prices = json.loads(wheel.read(name), parse_float=Decimal)
prices.pop("sample_spec", None)
for model, entry in sorted(prices.items()):
    for field in ("input_cost_per_token", "output_cost_per_token"):
        pico = Decimal(entry.get(field) or 0) * 10**12
        if pico != int(pico):
            print(f"{model} {field}: {pico.normalize():f} pico-dollars")
EOF
seen=$(python3 "$dir/probe.py" "$dir")
echo "Seen:"
echo "$seen"
echo "Matters:  prices converted from another currency, or by a markup, have no last digit. An import that refuses or rounds them to nothing must"
echo "          say so; round up once, at the sum, and keep the list's own text beside it."
[ "$seen" = "X" ] || {
	echo "CHANGED: this is no longer what was seen."
	exit 1
}
