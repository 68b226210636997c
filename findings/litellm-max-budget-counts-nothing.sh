#!/bin/bash
# A budget of two cents and a limit of two requests a minute, in litellm itself (not its proxy).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: litellm 1.110.2 (PyPI), against an imitation of a provider; a request costs 0.0125 USD"
echo "Guess:    with litellm.max_budget = 0.02 the third request is refused; a deployment of the Router with rpm: 2 takes two requests a"
echo "          minute; BudgetManager's 'monthly' is about a month."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" litellm==1.110.2 >&2
cat >"$dir/probe.py" <<'EOF'
import asyncio, http.server, json, logging, os, threading

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
        usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
        body = json.dumps({"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice], "usage": usage}).encode()
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
where = {"api_base": f"http://127.0.0.1:{server.server_address[1]}/v1", "api_key": "k"}
asked = {"messages": [{"role": "user", "content": "hi"}]}

async def count(name, call):
    costs, refused = [], None
    for _ in range(6):
        try:
            costs.append(litellm.completion_cost(await call()))
        except Exception as e:
            refused = type(e).__name__
        await asyncio.sleep(0.1)  # its books are kept in the background
    print(f"{name}: {len(costs)} of 6 requests answered for {sum(costs):.4f} USD, refused by {refused}")

async def main():
    async def plain():
        return litellm.completion(model="gpt-4o", **asked, **where)
    litellm.max_budget = 0.02
    await count("max_budget 0.02, completion()", plain)
    await count("max_budget 0.02, acompletion()", lambda: litellm.acompletion(model="gpt-4o", **asked, **where))
    litellm.max_budget = 0
    router = litellm.Router(model_list=[{"model_name": "m", "litellm_params": {"model": "gpt-4o", "rpm": 2, **where}}])
    await count("Router, rpm 2", lambda: router.acompletion(model="m", **asked))
    budget = litellm.BudgetManager(project_name="p").create_budget(10, "user", "monthly")
    print(f"BudgetManager, monthly: {budget['duration']} days")

asyncio.run(main())
EOF
seen=$(cd "$dir" && PYTHONPATH="$dir" python3 probe.py)
echo "Seen:"
echo "$seen"
echo "Matters:  max_budget is compared with a sum to which these calls add nothing, and by default rpm only weights the choice among"
echo "          deployments: both look like caps, and neither is one. 'Monthly' resets 13 times a year. Test a cap by exceeding it, or"
echo "          keep it outside the client."
[ "$seen" = "max_budget 0.02, completion(): 6 of 6 requests answered for 0.0750 USD, refused by None
max_budget 0.02, acompletion(): 6 of 6 requests answered for 0.0750 USD, refused by None
Router, rpm 2: 6 of 6 requests answered for 0.0750 USD, refused by None
BudgetManager, monthly: 28 days" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
