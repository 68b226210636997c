#!/bin/bash
# An event stream that begins with retry: or id:, which the specification tells the client not to dispatch.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: openai 3.57.0, httpx-sse 0.4.3 with httpx 0.28.1 (PyPI), openai 6.49.0, eventsource-parser 3.1.1 (npm), over a transport in"
echo "          memory"
echo "Guess:    a block without a data line is no event: it sets the pause or the id, and the program sees the first event with data."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" openai==3.57.0 httpx==0.28.1 httpx-sse==0.4.3 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund openai@6.49.0 eventsource-parser@3.1.1 >&2)
cat >"$dir/probe.py" <<'EOF'
import json
import httpx, httpx2, httpx_sse, openai

chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": "hi"}}]}
for first in (": ping", "retry: 3000", "id: 1"):
    sent = dict(headers={"content-type": "text/event-stream"}, content=f"{first}\n\ndata: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
    client = openai.OpenAI(api_key="k", http_client=httpx2.Client(transport=httpx2.MockTransport(lambda r: httpx2.Response(200, **sent))))
    try:
        said = [c.choices[0].delta.content for c in client.chat.completions.create(model="m", messages=[], stream=True)]
    except ValueError as e:
        said = type(e).__name__
    plain = httpx.Client(transport=httpx.MockTransport(lambda r: httpx.Response(200, **sent)))
    with httpx_sse.connect_sse(plain, "GET", "http://x/") as source:
        print(f"'{first}'  Python: openai {said}, httpx-sse's first event has data '{next(source.iter_sse()).data[:5]}'")
EOF
cat >"$dir/probe.mjs" <<'EOF'
import { createParser } from 'eventsource-parser';
import OpenAI from 'openai';
const chunk = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'hi' } }] };
for (const first of [': ping', 'retry: 3000', 'id: 1']) {
	const text = `${first}\n\ndata: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`;
	const fetch = async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } });
	const said = [], events = [];
	for await (const c of await new OpenAI({ apiKey: 'k', fetch }).chat.completions.create({ model: 'm', messages: [], stream: true })) said.push(c.choices[0].delta.content);
	createParser({ onEvent: e => events.push(e.data) }).feed(text);
	console.log(`'${first}'  TypeScript: openai ${JSON.stringify(said)}, eventsource-parser's first event has data '${events[0].slice(0, 5)}'`);
}
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py" 2>/dev/null
	(cd "$dir" && node probe.mjs 2>/dev/null)
)
echo "Seen:"
echo "$seen"
echo "Matters:  a gateway that adds \`retry: 3000\` or \`id:\` as its own block stops every stream of openai's Python SDK before the first"
echo "          token, which the provider has already begun to charge. Send comments (\`: ping\`) as a keep-alive, and put id and retry into a"
echo "          block with data."
[ "$seen" = "': ping'  Python: openai ['hi'], httpx-sse's first event has data '{\"id\"'
'retry: 3000'  Python: openai JSONDecodeError, httpx-sse's first event has data ''
'id: 1'  Python: openai JSONDecodeError, httpx-sse's first event has data ''
': ping'  TypeScript: openai [\"hi\"], eventsource-parser's first event has data '{\"id\"'
'retry: 3000'  TypeScript: openai [\"hi\"], eventsource-parser's first event has data '{\"id\"'
'id: 1'  TypeScript: openai [\"hi\"], eventsource-parser's first event has data '{\"id\"'" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
