#!/bin/bash
# A hook before each call of a model, which raises when the budget is spent, in CrewAI.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: crewai 1.15.30 (PyPI), against an imitation of a provider"
echo "Guess:    a pre_model_call hook that raises an exception of its own stops the call, as crewai's HookAborted does."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/packages" crewai==1.15.30 >&2
cat >"$dir/probe.py" <<'EOF'
import http.server, json, os, threading

requests = []

class Server(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        requests.append(self.path)
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
os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "OTEL_SDK_DISABLED": "true"}

from crewai.hooks import HookAborted, InterceptionPoint, on
from crewai.llm import LLM

class BudgetSpent(Exception):
    pass

raised = None

@on(InterceptionPoint.PRE_MODEL_CALL)
def guard(context):
    raise raised("the budget is spent")

llm = LLM(model="gpt-4o", base_url=f"http://127.0.0.1:{server.server_address[1]}/v1", api_key="k")
for raised in (HookAborted, BudgetSpent, PermissionError):
    requests.clear()
    try:
        came = "the answer " + repr(llm.call("hello"))
    except Exception as error:
        came = type(error).__name__
    print(f"the hook raises {raised.__name__}: {len(requests)} request sent, the caller gets {came}")
EOF
seen=$(cd "$dir" && PYTHONPATH="$dir/packages" python3 probe.py 2>/dev/null | grep "^the hook")
echo "Seen:"
echo "$seen"
echo "Matters:  a limiter in a hook denies nothing unless it raises HookAborted or returns False: each other exception, also one that says"
echo "          that the limiter cannot be reached, is printed at most, and the request is sent and paid for. Deny around the model's"
echo "          call, or derive the denial from HookAborted."
[ "$seen" = "the hook raises HookAborted: 0 request sent, the caller gets HookAborted
the hook raises BudgetSpent: 1 request sent, the caller gets the answer 'hi'
the hook raises PermissionError: 1 request sent, the caller gets the answer 'hi'" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
