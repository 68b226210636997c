#!/bin/bash
# The prices of a pinned litellm, on a day when the project's main branch has others.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: litellm 1.110.2 (PyPI); httpx.get is replaced, so nothing leaves the machine"
echo "Guess:    litellm==1.110.2 calculates with the price list inside the package; a new list comes with a new version."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" litellm==1.110.2 >&2
cat >"$dir/probe.py" <<'EOF'
import glob, httpx, json, sys

packaged = json.load(open(glob.glob(sys.argv[1] + "/litellm/model_prices_and_context_window_backup.json")[0]))

def main_branch(url, **_):  # today's main branch: gpt-4o at double its price
    print("asked for", *url.split("/")[-2:])
    entry = packaged["gpt-4o"] | {"input_cost_per_token": 2 * packaged["gpt-4o"]["input_cost_per_token"]}
    return httpx.Response(200, json=packaged | {"gpt-4o": entry}, request=httpx.Request("GET", url))

httpx.get = main_branch
import litellm

price = packaged["gpt-4o"]["input_cost_per_token"]
counted = litellm.cost_per_token(model="gpt-4o", prompt_tokens=1000000, completion_tokens=0)[0]
print(f"a million tokens: {price * 1e6:.2f} USD in the package, {counted:.2f} USD calculated")
EOF
probe() { PYTHONPATH="$dir" python3 "$dir/probe.py" "$dir" 2>/dev/null; }
seen=$(
	echo "by default:"
	probe
	echo "with LITELLM_LOCAL_MODEL_COST_MAP=True:"
	LITELLM_LOCAL_MODEL_COST_MAP=True probe
)
echo "Seen:"
echo "$seen"
echo "Matters:  'import litellm' takes the prices of that minute, or the packaged ones when the network is down: two workers of one"
echo "          deployment may bill differently, and a restart changes the bill without a change of version. Set the variable, and update"
echo "          prices on purpose."
[ "$seen" = "by default:
asked for main model_prices_and_context_window.json
a million tokens: 2.50 USD in the package, 5.00 USD calculated
with LITELLM_LOCAL_MODEL_COST_MAP=True:
a million tokens: 2.50 USD in the package, 2.50 USD calculated" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
