#!/bin/bash
# A stream that ends early, without finish_reason or [DONE], as when a proxy is restarted.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: openai 3.57.0, anthropic 2.14.0 (PyPI), openai 6.49.0, @anthropic-ai/sdk 1.14.0 (npm), over a transport in memory"
echo "Guess:    a stream that ends before its last event raises an error; at least the helper that returns the final message does, and alike"
echo "          in both languages."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" openai==3.57.0 anthropic==2.14.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund openai@6.49.0 @anthropic-ai/sdk@1.14.0 >&2)
cat >"$dir/events.json" <<'EOF'
{"openai": [{"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "half"}, "finish_reason": null}]}],
 "anthropic": [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 10, "output_tokens": 1}}},
  {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
  {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "half"}}]}
EOF
cat >"$dir/probe.py" <<'EOF'
import json, sys
import anthropic, httpx2, openai

events = json.load(open(sys.argv[1]))
def client(name):
    body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" if "type" in e else f"data: {json.dumps(e)}\n\n" for e in events[name])
    answer = lambda request: httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body.encode())
    return httpx2.Client(transport=httpx2.MockTransport(answer))
said = [{"role": "user", "content": "hi"}]
def final_openai():
    with openai.OpenAI(api_key="k", http_client=client("openai")).chat.completions.stream(model="m", messages=said) as stream:
        got = stream.get_final_completion()
    return f"'{got.choices[0].message.content}', finish_reason {got.choices[0].finish_reason}, usage {got.usage}"
def loop_openai():
    got = openai.OpenAI(api_key="k", http_client=client("openai")).chat.completions.create(model="m", messages=said, stream=True)
    return "'" + "".join(c.choices[0].delta.content for c in got) + "'"
def final_anthropic():
    with anthropic.Anthropic(api_key="k", http_client=client("anthropic")).messages.stream(model="m", max_tokens=9, messages=said) as stream:
        got = stream.get_final_message()
    return f"'{got.content[0].text}', stop_reason {got.stop_reason}, output_tokens {got.usage.output_tokens}"
for name, call in (("openai, loop", loop_openai), ("openai, final", final_openai), ("anthropic, final", final_anthropic)):
    try:
        print(f"Python, {name}: {call()}")
    except Exception as e:
        print(f"Python, {name}: raises")
EOF
cat >"$dir/probe.mjs" <<'EOF'
import Anthropic from '@anthropic-ai/sdk';
import { readFileSync } from 'fs';
import OpenAI from 'openai';
const events = JSON.parse(readFileSync('events.json', 'utf8'));
const sent = name => async () => new Response(events[name].map(e => (e.type ? `event: ${e.type}\n` : '') + `data: ${JSON.stringify(e)}\n\n`).join(''),
	{ headers: { 'content-type': 'text/event-stream' } });
const messages = [{ role: 'user', content: 'hi' }];
const chat = () => new OpenAI({ apiKey: 'k', fetch: sent('openai') }).chat.completions;
for (const [name, call] of [
	['openai, loop', async () => { let t = ''; for await (const c of await chat().create({ model: 'm', messages, stream: true })) t += c.choices[0].delta.content; return `'${t}'`; }],
	['openai, final', async () => JSON.stringify(await chat().stream({ model: 'm', messages }).finalChatCompletion())],
	['anthropic, final', async () => JSON.stringify(await new Anthropic({ apiKey: 'k', fetch: sent('anthropic') }).messages.stream({ model: 'm', max_tokens: 9, messages }).finalMessage())],
]) try { console.log(`TypeScript, ${name}: ${await call()}`); } catch { console.log(`TypeScript, ${name}: raises`); }
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py" "$dir/events.json" 2>/dev/null
	(cd "$dir" && node probe.mjs 2>/dev/null)
)
echo "Seen:"
echo "$seen"
echo "Matters:  half an answer looks like a whole one, and the output is recorded with the figure of the first event (1) or none. Treat a"
echo "          stream as complete only after finish_reason and usage, or message_stop; else settle by the estimate."
[ "$seen" = "Python, openai, loop: 'half'
Python, openai, final: 'half', finish_reason None, usage None
Python, anthropic, final: 'half', stop_reason None, output_tokens 1
TypeScript, openai, loop: 'half'
TypeScript, openai, final: raises
TypeScript, anthropic, final: raises" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
