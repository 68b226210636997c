#!/bin/bash
# A chat with Mistral whose prompt of 100,000 tokens is read from the cache for the most part.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: chatlas 0.23.0 and its openai 3.57.0 (PyPI), against an imitation of the provider"
echo "Guess:    for a model without a price of cached tokens they cost as much as other input, or get_cost() refuses, as it does for a"
echo "          model that it does not know."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" chatlas==0.23.0 openai==3.57.0 >&2
cat >"$dir/probe.py" <<'EOF'
import http.server, json, threading

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
        usage = {"prompt_tokens": 100000, "completion_tokens": 0, "total_tokens": 100000, "prompt_tokens_details": {"cached_tokens": cached}}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
        body = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}/v1"
from chatlas import ChatMistral, ChatOpenAICompletions

for make, model in ((ChatOpenAICompletions, "gpt-5"), (ChatMistral, "devstral-medium-latest"), (ChatMistral, "a-new-model")):
    said = []
    for cached in (0, 90000, 100000):
        chat = make(model=model, base_url=url, api_key="k")
        chat.chat("hi", stream=False, echo="none")
        try:
            said.append(f"{cached} cached {chat.get_cost():.5f} USD")
        except KeyError:
            said.append(f"{cached} cached KeyError")
    print(f"{model}:", ", ".join(said))
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py" 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  a prompt that is wholly cached is free where the list has a price for input only. An unknown model is refused,"
echo "          an unknown price is not. A meter without a price falls back to the price of the class that it is part of, and is flagged."
[ "$seen" = "gpt-5: 0 cached 0.12500 USD, 90000 cached 0.02375 USD, 100000 cached 0.01250 USD
devstral-medium-latest: 0 cached 0.04000 USD, 90000 cached 0.00400 USD, 100000 cached 0.00000 USD
a-new-model: 0 cached KeyError, 90000 cached KeyError, 100000 cached KeyError" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
