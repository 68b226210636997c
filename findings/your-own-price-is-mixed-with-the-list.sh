#!/bin/bash
# A deployment with prices of its own, 1 and 2 USD per million tokens, or free, under a name that the price list knows.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: litellm 1.110.2 (PyPI) with the price list inside the package, against an imitation of OpenAI; a thousand tokens out"
echo "Guess:    input_cost_per_token and output_cost_per_token of a call replace the list: the cost is theirs whatever the model is called,"
echo "          however long the prompt, and with both at 0 it is 0."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" litellm==1.110.2 >&2
cat >"$dir/probe.py" <<'EOF'
import http.server, json, logging, os, threading

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
import litellm

logging.disable()
litellm.suppress_debug_info = True

def cost(model, per_token):
    prices = {"input_cost_per_token": per_token, "output_cost_per_token": 2 * per_token} if per_token is not None else {}
    reply = litellm.completion(model=f"openai/{model}", messages=[{"role": "user", "content": "hi"}], api_key="k",
                               api_base=f"http://127.0.0.1:{server.server_address[1]}/v1", **prices)
    return reply._hidden_params["response_cost"]

for tokens, cached, tier in ((100000, 0, "default"), (100000, 90000, "default"), (300000, 0, "default"), (100000, 0, "priority")):
    said = []
    for model in ("our-model", "gpt-5.5"):
        usage = {"prompt_tokens": tokens, "completion_tokens": 1000, "total_tokens": tokens + 1000, "prompt_tokens_details": {"cached_tokens": cached}}
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
        answer = {"id": "x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage, "service_tier": tier}
        said.append(f"{model} {cost(model, 1e-6):.4f}, free {cost(model, 0):.4f}")
    print(f"{tokens} in, {cached} cached, {tier}:", "; ".join(said), f"(list {cost('gpt-5.5', None):.4f})")
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py" 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  only the two standard prices are replaced. Cached tokens, a long prompt and a service tier are charged at the list's rates, so"
echo "          that a free deployment of one's own uses up a budget, and a negotiated price holds until the first long prompt. Prices"
echo "          of a deployment are a complete row: what it leaves out follows from the row itself, never from the list."
[ "$seen" = "100000 in, 0 cached, default: our-model 0.1020, free 0.0000; gpt-5.5 0.1020, free 0.0000 (list 0.5300)
100000 in, 90000 cached, default: our-model 0.1020, free 0.0000; gpt-5.5 0.0570, free 0.0450 (list 0.1250)
300000 in, 0 cached, default: our-model 0.3020, free 0.0000; gpt-5.5 3.0450, free 3.0450 (list 3.0450)
100000 in, 0 cached, priority: our-model 0.1020, free 0.0000; gpt-5.5 1.3250, free 1.3250 (list 1.3250)" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
