#!/bin/bash
# google-genai calls a Python function for the model three times; a local server counts the paid requests and their tokens.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: google-genai 3.6.1 (PyPI), with a local server in Gemini's format"
echo "Guess:    generate_content(tools=[function]) makes several requests by itself, so the usage of its answer is their sum."

cd "$dir"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target packages google-genai==3.6.1 >&2
cat >probe.py <<'EOF'
import http.server
import json
import threading

from google import genai
from google.genai import types

paid = []


class Model(http.server.BaseHTTPRequestHandler):
    """Asks for the weather three times, then answers; each request is 1,000 tokens longer than the one before."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        paid.append(1000 * (len(paid) + 1))
        call = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}
        content = {"role": "model", "parts": [call if len(paid) < 4 else {"text": "Sunny."}]}
        usage = {"promptTokenCount": paid[-1], "candidatesTokenCount": 10, "totalTokenCount": paid[-1] + 10}
        body = json.dumps({"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def weather(city: str) -> str:
    """The weather of a city."""
    return "sunny"


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = types.HttpOptions(base_url=f"http://127.0.0.1:{server.server_port}")
config = types.GenerateContentConfig(tools=[weather])
client = genai.Client(api_key="k", http_options=options)
for name in ("models.generate_content", "chats.send_message"):
    paid.clear()
    if name == "models.generate_content":
        answer = client.models.generate_content(model="gemini-2.5-flash", contents="Hi", config=config)
    else:
        answer = client.chats.create(model="gemini-2.5-flash", config=config).send_message("Hi")
    print(f"{name}: {len(paid)} requests with {sum(paid)} prompt tokens; the answer's usage says {answer.usage_metadata.prompt_token_count}")
EOF
seen=$(PYTHONPATH=packages python3 -W ignore probe.py 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  the usage is that of the last round, so most of what was paid appears nowhere, and the SDK makes up to ten rounds a call."
echo "          Turn automatic function calling off and record each round, or wrap what is below it."
[ "$seen" = "models.generate_content: 4 requests with 10000 prompt tokens; the answer's usage says 4000
chats.send_message: 4 requests with 10000 prompt tokens; the answer's usage says 4000" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
