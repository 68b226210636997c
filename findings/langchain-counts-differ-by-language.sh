#!/bin/bash
# Three providers' answers, whole or as a stream, as LangChain for Python and LangChain for JavaScript count them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: langchain-xai 1.3.0, langchain-anthropic 1.7.10, langchain-groq 1.1.3 (PyPI); @langchain/xai 1.4.15, @langchain/anthropic"
echo "          1.5.11, @langchain/groq 1.3.1 (npm), against imitations of the providers"
echo "Guess:    both languages give the same usage_metadata for the same answer: for xAI reasoning beside completion is output, a stream of"
echo "          Anthropic ends with its total, and cached tokens are told apart."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" langchain-xai==1.3.0 \
	langchain-anthropic==1.7.10 langchain-groq==1.1.3 >&2
cd "$dir"
npm install --silent --no-audit --no-fund @langchain/core@1.4.0 @langchain/xai@1.4.15 @langchain/anthropic@1.5.11 @langchain/groq@1.3.1 >&2
cat >server.py <<'EOF'
import http.server, json

def usage(answer, total):
    details = {"prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 300}}
    return {"prompt_tokens": 100, "completion_tokens": answer, "total_tokens": total} | details

CLAUDE = {"input_tokens": 60, "output_tokens": 310, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 40}
MESSAGE = {"id": "x", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
EVENTS = [{"type": "message_start", "message": MESSAGE | {"content": [], "stop_reason": None, "usage": CLAUDE | {"output_tokens": 8}}},
          {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
          {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
          {"type": "content_block_stop", "index": 0},
          {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": CLAUDE},
          {"type": "message_stop"}]

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        stream = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("stream")
        if "messages" in self.path:
            body = json.dumps(MESSAGE | {"content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn", "usage": CLAUDE})
            if stream:
                body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in EVENTS)
        else:
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
            counts = usage(10, 410) if "xai" in self.path else usage(310, 410)
            body = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": counts})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
EOF
cat >probe.py <<'EOF'
import os, sys, warnings

warnings.simplefilter("ignore")
url = sys.argv[1]
os.environ |= {"LANGSMITH_TRACING": "false", "XAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GROQ_API_KEY": "k"}
from langchain_anthropic import ChatAnthropic
from langchain_groq import ChatGroq
from langchain_xai import ChatXAI

def say(name, usage):
    print(f"{name}: {usage['input_tokens']} in, {usage.get('input_token_details', {}).get('cache_read')} cached, {usage['output_tokens']} out")

claude = ChatAnthropic(model="m", base_url=url)
say("xAI", ChatXAI(model="m", xai_api_base=url + "/xai").invoke("hi").usage_metadata)
say("Anthropic", claude.invoke("hi").usage_metadata)
first, *rest = claude.stream("hi")
say("Anthropic, stream", sum(rest, first).usage_metadata)
say("Groq", ChatGroq(model="m", base_url=url).invoke("hi").usage_metadata)
EOF
cat >probe.mjs <<'EOF'
import { ChatAnthropic } from '@langchain/anthropic';
import { ChatGroq } from '@langchain/groq';
import { ChatXAI } from '@langchain/xai';

const url = process.argv[2];
const common = { model: 'm', apiKey: 'k' };
const say = (name, usage) =>
	console.log(`${name}: ${usage.input_tokens} in, ${usage.input_token_details?.cache_read ?? 'None'} cached, ${usage.output_tokens} out`);
const claude = new ChatAnthropic({ ...common, anthropicApiUrl: url });
say('xAI', (await new ChatXAI({ ...common, baseURL: `${url}/xai`, configuration: { baseURL: `${url}/xai` } }).invoke('hi')).usage_metadata);
say('Anthropic', (await claude.invoke('hi')).usage_metadata);
let whole;
for await (const chunk of await claude.stream('hi')) whole = whole ? whole.concat(chunk) : chunk;
say('Anthropic, stream', whole.usage_metadata);
say('Groq', (await new ChatGroq({ ...common, baseUrl: url }).invoke('hi')).usage_metadata);
EOF
python3 server.py >address &
server=$!
trap 'kill $server; rm -rf "$dir"' EXIT
until [ -s address ]; do sleep 0.1; done
PYTHONPATH="$dir/py" python3 probe.py "$(cat address)" >a 2>errors || cat errors >&2
node probe.mjs "$(cat address)" >b
seen=$(paste -d '|' a b | awk -F '|' '{ sub(/^[^:]*: /, "", $2); print $1 " in Python; " $2 " in JavaScript" }')
echo "Seen:"
echo "$seen"
echo "Matters:  one bot's bill depends on the language of its gateway: in JavaScript xAI's reasoning is free, a streamed answer has the"
echo "          tokens of its first event twice, and Groq's cached tokens cost the full price. Check the sum against the total, and test"
echo "          whole answers and streams of each provider in each language that is in use."
[ "$seen" = "xAI: 100 in, 40 cached, 310 out in Python; 100 in, 40 cached, 10 out in JavaScript
Anthropic: 100 in, 40 cached, 310 out in Python; 100 in, 40 cached, 310 out in JavaScript
Anthropic, stream: 100 in, 40 cached, 310 out in Python; 100 in, 40 cached, 318 out in JavaScript
Groq: 100 in, 40 cached, 310 out in Python; 100 in, None cached, 310 out in JavaScript" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
