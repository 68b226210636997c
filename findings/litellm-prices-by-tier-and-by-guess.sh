#!/bin/bash
# The cost of a million tokens, by model name and by service tier, from the price list in the package.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: litellm 1.110.2 (PyPI), with LITELLM_LOCAL_MODEL_COST_MAP=True"
echo "Guess:    a model that the list does not know raises; a service tier that a model has no price for raises, and one that it has is used:"
echo "          'batch' is half, 'priority' is never cheaper per token for a longer prompt."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --disable-pip-version-check --target "$dir/py" litellm==1.110.2 >&2
cat >"$dir/probe.py" <<'EOF'
import litellm

litellm.suppress_debug_info = True
for model in ("gpt-99-unknown", "openai/gpt-5-unknown", "claude-opus-99"):
    try:
        print(f"{model}: ${sum(litellm.cost_per_token(model=model, prompt_tokens=1_000_000)):g}")
    except Exception as e:
        print(f"{model}: raises {type(e).__name__}")

def cost(tokens, tier):
    usage = litellm.Usage(prompt_tokens=tokens, completion_tokens=0, total_tokens=tokens)
    return litellm.completion_cost(litellm.ModelResponse(model="gpt-5.4", usage=usage), custom_llm_provider="openai", service_tier=tier)

print("gpt-5.4's list:", *[f"{k}={litellm.model_cost['gpt-5.4'].get('input_cost_per_token' + k, 0) * 1e6:g}" for k in
      ("", "_batches", "_flex", "_priority", "_above_272k_tokens", "_above_272k_tokens_priority")])
for tokens in (272_000, 272_001):
    print(f"gpt-5.4, {tokens} tokens:", *[f"{t} ${cost(tokens, t):.2f}" for t in ("default", "flex", "priority", "batch", "mistyped")])
EOF
seen=$(LITELLM_LOCAL_MODEL_COST_MAP=True PYTHONPATH="$dir/py" python3 "$dir/probe.py" 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  a budget reckoned from this lets an unlisted model run for nothing, charges batches double, and priority above the tier as"
echo "          standard. 'No price' has to differ from 0, and a mode without a price has to be flagged, not replaced in silence."
[ "$seen" = "X" ] || {
	echo "CHANGED: this is no longer what was seen."
	exit 1
}
