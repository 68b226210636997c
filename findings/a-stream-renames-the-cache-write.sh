#!/bin/bash
# The same answer of Claude, whole and as a stream: where its cache writes of five minutes and of one hour are reported.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: langchain-anthropic 1.7.10, pydantic-ai-slim 2.68.0 and their anthropic 2.14.0 (PyPI), against an imitation of Anthropic: 100"
echo "          tokens fresh, 40 read from the cache, 20 written for 5 minutes (3.75 USD per million) and 30 for an hour (6 USD)"
echo "Guess:    invoke() and stream() of one model return the same usage_metadata."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" langchain-anthropic==1.7.10 \
	pydantic-ai-slim==2.68.0 anthropic==2.14.0 >&2
cat >"$dir/probe.py" <<'EOF'
import asyncio, http.server, json, os, threading

USAGE = {"input_tokens": 100, "output_tokens": 3, "cache_creation_input_tokens": 50, "cache_read_input_tokens": 40,
         "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30}}
TOTALS = {k: v for k, v in USAGE.items() if k != "cache_creation"}  # the end of a stream repeats the totals without the split
TEXT = {"type": "text", "text": "hi"}
MESSAGE = {"id": "x", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_sequence": None}
EVENTS = [{"type": "message_start", "message": MESSAGE | {"content": [], "stop_reason": None, "usage": USAGE | {"output_tokens": 1}}},
          {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
          {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
          {"type": "content_block_stop", "index": 0},
          {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": TOTALS},
          {"type": "message_stop"}]

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        stream = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("stream")
        body = json.dumps(MESSAGE | {"content": [TEXT], "stop_reason": "end_turn", "usage": USAGE})
        if stream:
            body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in EVENTS)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}"
os.environ |= {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url, "LANGSMITH_TRACING": "false"}

from langchain_anthropic import ChatAnthropic
from pydantic_ai import Agent

model = ChatAnthropic(model="claude-sonnet-4-5", base_url=url)
whole, first, *rest = model.invoke("hi"), *model.stream("hi")
for name, message in (("invoke", whole), ("stream", sum(rest, first))):
    usage = message.usage_metadata
    print(f"langchain-anthropic, {name}: {usage['input_tokens']} in,", dict(sorted(usage["input_token_details"].items())))

async def streamed(agent):
    async with agent.run_stream("hi") as run:
        await run.get_output()
    return run.usage

agent = Agent("anthropic:claude-sonnet-4-5")
for name, usage in (("run", agent.run_sync("hi").usage), ("run_stream", asyncio.run(streamed(agent)))):
    print(f"pydantic-ai, {name}: {usage.input_tokens} in, {usage.cache_write_tokens} written, of them {usage.cache_write_1h_tokens} for an hour")
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py")
echo "Seen:"
echo "$seen"
echo "Matters:  who reads cache_creation bills no cache write of a whole answer, who reads the two other names bills none of a stream, and"
echo "          who adds them up cannot tell the hour's price in a stream. Read all three names, and treat writes without a period as"
echo "          the dearer ones, or take the provider's own object."
[ "$seen" = "langchain-anthropic, invoke: 190 in, {'cache_creation': 0, 'cache_read': 40, 'ephemeral_1h_input_tokens': 30, 'ephemeral_5m_input_tokens': 20}
langchain-anthropic, stream: 190 in, {'cache_creation': 50, 'cache_read': 40}
pydantic-ai, run: 190 in, 50 written, of them 30 for an hour
pydantic-ai, run_stream: 190 in, 50 written, of them 30 for an hour" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
