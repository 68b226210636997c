#!/bin/bash
# The same answer of gpt-5 without a service tier, in flex (half price) and in priority (double), as LangChain's cost callback sees it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: langchain-openai 1.7.4, langchain-community 0.4.2 (PyPI), against an imitation of OpenAI; of 100,000 tokens in, 90,000 are"
echo "          cached: 0.03375 USD in the standard tier, 0.016875 in flex, 0.0675 in priority"
echo "Guess:    get_openai_callback() knows the tier's price, or ignores the tier and says 0.03375 for all three."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" langchain-openai==1.7.4 \
	langchain-community==0.4.2 >&2
cat >"$dir/probe.py" <<'EOF'
import http.server, json, os, threading

USAGE = {"prompt_tokens": 100000, "completion_tokens": 1000, "total_tokens": 101000,
         "prompt_tokens_details": {"cached_tokens": 90000}, "completion_tokens_details": {"reasoning_tokens": 400}}

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        tier = json.loads(self.rfile.read(int(self.headers["Content-Length"]))).get("service_tier", "default")
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
        body = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-5", "choices": [choice], "usage": USAGE,
                           "service_tier": tier}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ |= {"OPENAI_API_KEY": "k", "LANGSMITH_TRACING": "false"}

from langchain_community.callbacks import get_openai_callback
from langchain_openai import ChatOpenAI

for tier in (None, "flex", "priority"):
    model = ChatOpenAI(model="gpt-5", service_tier=tier, base_url=f"http://127.0.0.1:{server.server_address[1]}/v1")
    with get_openai_callback() as spent:
        usage = model.invoke("hi").usage_metadata
    print(f"{tier or 'standard'}: {spent.total_cost:.6f} USD, {spent.prompt_tokens_cached} cached, {spent.reasoning_tokens} reasoning")
    print("  input", usage["input_token_details"], "output", usage["output_token_details"])
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py" 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  outside the standard tier cache_read and reasoning get other names, and whoever reads the usual ones sees no cached"
echo "          tokens: the cheapest tier costs eight times its price, and a budget ends early. Read usage by every name that it may"
echo "          have, and check that cached tokens do not vanish when a tier is chosen."
[ "$seen" = "standard: 0.033750 USD, 90000 cached, 400 reasoning
  input {'cache_read': 90000} output {'reasoning': 400}
flex: 0.135000 USD, 0 cached, 0 reasoning
  input {'flex_cache_read': 90000, 'flex': 10000} output {'flex_reasoning': 400, 'flex': 600}
priority: 0.135000 USD, 0 cached, 0 reasoning
  input {'priority_cache_read': 90000, 'priority': 10000} output {'priority_reasoning': 400, 'priority': 600}" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
