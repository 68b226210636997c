#!/bin/bash
# Which header carries the key of Anthropic's API.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: anthropic 2.14.0 (PyPI), @anthropic-ai/sdk 1.14.0 (npm), over a transport in memory"
echo "Guess:    an API key goes into x-api-key, as in the documented requests with curl; only an auth token goes into Authorization."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" anthropic==2.14.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund @anthropic-ai/sdk@1.14.0 >&2)
cat >"$dir/probe.py" <<'EOF'
import os
import anthropic, httpx2

for name, env, given in (("api_key", {}, {"api_key": "K"}), ("ANTHROPIC_API_KEY", {"ANTHROPIC_API_KEY": "K"}, {}), ("auth_token", {}, {"auth_token": "T"})):
    os.environ.pop("ANTHROPIC_API_KEY", None)
    os.environ.update(env)
    seen = []
    def answer(request):
        seen.append([f"{k}: {v}" for k, v in request.headers.items() if k in ("x-api-key", "authorization")])
        return httpx2.Response(200, json={})
    client = anthropic.Anthropic(http_client=httpx2.Client(transport=httpx2.MockTransport(answer)), **given)
    client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "hi"}])
    print(f"Python, {name}: {', '.join(seen[0])}")
EOF
cat >"$dir/probe.mjs" <<'EOF'
import Anthropic from '@anthropic-ai/sdk';
for (const [name, env, given] of [['apiKey', {}, { apiKey: 'K' }], ['ANTHROPIC_API_KEY', { ANTHROPIC_API_KEY: 'K' }, {}], ['authToken', {}, { authToken: 'T' }]]) {
	delete process.env.ANTHROPIC_API_KEY;
	Object.assign(process.env, env);
	let seen;
	const fetch = async (_, { headers }) => {
		seen = [...new Headers(headers)].filter(([k]) => ['x-api-key', 'authorization'].includes(k)).map(([k, v]) => `${k}: ${v}`);
		return Response.json({});
	};
	await new Anthropic({ fetch, ...given }).messages.create({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] });
	console.log(`TypeScript, ${name}: ${seen.join(', ')}`);
}
EOF
seen=$(
	env -u ANTHROPIC_AUTH_TOKEN PYTHONPATH="$dir/py" python3 "$dir/probe.py"
	(cd "$dir" && env -u ANTHROPIC_AUTH_TOKEN node probe.mjs)
)
echo "Seen:"
echo "$seen"
echo "Matters:  a gateway that finds its callers by x-api-key sees no key, one that strips x-api-key lets the caller's key through to the"
echo "          provider, and a key cannot be told from a token by its header. Accept both headers, and remove both before forwarding."
[ "$seen" = "Python, api_key: authorization: Bearer K
Python, ANTHROPIC_API_KEY: authorization: Bearer K
Python, auth_token: authorization: Bearer T
TypeScript, apiKey: authorization: Bearer K
TypeScript, ANTHROPIC_API_KEY: authorization: Bearer K
TypeScript, authToken: authorization: Bearer T" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
