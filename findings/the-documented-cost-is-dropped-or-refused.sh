#!/bin/bash
# An answer of OpenRouter paid with the caller's own key at the provider: 0.02 USD for OpenRouter, 0.40 USD for the provider.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: openrouter 1.3.84 (PyPI), @openrouter/sdk 1.3.19 (npm), openai 3.57.0 (PyPI), over transports in memory"
echo "Guess:    OpenRouter's own SDKs read cost_details in the shape of its page on usage accounting, with upstream_inference_cost alone; what"
echo "          they cannot read they leave as it is."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" openrouter==1.3.84 openai==3.57.0 >&2
cd "$dir"
npm install --silent --no-audit --no-fund @openrouter/sdk@1.3.19 >&2
cat >answers.py <<'EOF'
import json

message = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": {"role": "assistant", "content": "hi"}}
for details in ({"upstream_inference_cost": 0.4},
                {"upstream_inference_cost": 0.4, "upstream_inference_prompt_cost": 0.3, "upstream_inference_completions_cost": 0.1}):
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, "cost": 0.02, "is_byok": True, "cost_details": details}
    print(json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "system_fingerprint": None, "choices": [message],
                      "usage": usage}))
EOF
cat >probe.py <<'EOF'
import httpx, openai, openrouter, sys

asked = dict(model="m", messages=[{"role": "user", "content": "hi"}])
for answer in sys.stdin:
    reply = lambda request: httpx.Response(200, headers={"Content-Type": "application/json"}, text=answer)
    http = httpx.Client(transport=httpx.MockTransport(reply))
    for name, call in (("openrouter (Python)", lambda: openrouter.OpenRouter(api_key="k", client=http).chat.send(**asked)),
                       ("openai (Python)", lambda: openai.OpenAI(api_key="k", http_client=http).chat.completions.create(**asked))):
        usage = call().usage.model_dump()
        print(f"{name}: {usage['cost']} USD, details {usage.get('cost_details')}")
EOF
cat >probe.mjs <<'EOF'
import { OpenRouter } from '@openrouter/sdk';
import { HTTPClient } from '@openrouter/sdk/lib/http.js';
import { readFileSync } from 'fs';
for (const answer of readFileSync(0, 'utf8').trim().split('\n')) {
	const fetcher = async () => new Response(answer, { headers: { 'content-type': 'application/json' } });
	const client = new OpenRouter({ apiKey: 'k', httpClient: new HTTPClient({ fetcher }) });
	try {
		const { usage } = await client.chat.send({ chatRequest: { model: 'm', messages: [{ role: 'user', content: 'hi' }] } });
		console.log(`@openrouter/sdk: ${usage.cost} USD, details ${JSON.stringify(usage.costDetails)}`);
	} catch (e) {
		console.log(`@openrouter/sdk: ${e.name}, no answer`);
	}
}
EOF
python3 answers.py >answers
seen=$(
	PYTHONPATH="$dir/py" python3 probe.py <answers
	node probe.mjs <answers
)
echo "Seen:"
echo "$seen"
echo "Matters:  a missing part makes one SDK lose the larger part of the cost, without a word, and the other one lose an answer that has been"
echo "          paid for. Take usage and cost from the raw body, before an SDK's types see it, and never let the record depend on them."
[ "$seen" = "openrouter (Python): 0.02 USD, details None
openai (Python): 0.02 USD, details {'upstream_inference_cost': 0.4}
openrouter (Python): 0.02 USD, details {'upstream_inference_completions_cost': 0.1, 'upstream_inference_prompt_cost': 0.3, 'upstream_inference_cost': 0.4}
openai (Python): 0.02 USD, details {'upstream_inference_cost': 0.4, 'upstream_inference_prompt_cost': 0.3, 'upstream_inference_completions_cost': 0.1}
@openrouter/sdk: ResponseValidationError, no answer
@openrouter/sdk: 0.02 USD, details {\"upstreamInferenceCompletionsCost\":0.1,\"upstreamInferenceCost\":0.4,\"upstreamInferencePromptCost\":0.3}" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
