#!/bin/bash
# What an SDK does after HTTP 409, and after a request that timed out at its provider.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: openai 3.57.0, groq 1.7.0, cohere 7.3.1 (PyPI), each with its defaults, over a transport in memory"
echo "Guess:    409 is final and not repeated; a POST that timed out (and may have been paid for) is not repeated either, or only with a"
echo "          key by which the other side recognises it."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" openai==3.57.0 groq==1.7.0 cohere==7.3.1 >&2
cat >"$dir/probe.py" <<'EOF'
import time
import httpx

time.sleep = lambda seconds: None  # the pauses between tries
import cohere, groq, openai

asked = dict(model="m", messages=[{"role": "user", "content": "hi"}])
SDKS = {
    "openai": lambda http: openai.OpenAI(api_key="k", http_client=http).chat.completions.create(**asked),
    "groq": lambda http: groq.Groq(api_key="k", http_client=http).chat.completions.create(**asked),
    "cohere": lambda http: cohere.ClientV2(api_key="k", httpx_client=http).chat(**asked),
}
for name, call in SDKS.items():
    said = []
    for timeout in (False, True):
        requests = []
        def answer(request):
            requests.append(request)
            if timeout:
                raise httpx.ReadTimeout("late", request=request)
            return httpx.Response(409, json={"error": {"message": "ALREADY_EXISTS"}})
        try:
            call(httpx.Client(transport=httpx.MockTransport(answer)))
        except Exception:
            pass
        said.append(len(requests))
        keys = sum(any("idempotency" in h for h in r.headers) for r in requests)
    print(f"{name}: {said[0]} requests for a 409, {said[1]} for a timeout, {keys} of them with an idempotency key")
EOF
seen=$(PYTHONPATH="$dir/py" python3 "$dir/probe.py" 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  a proxy that answers 409 to 'this id was used with other contents' is asked three times, and one slow answer is paid for"
echo "          three times. Deny permanently with 400, 403 or 422; with openai and groq, recognise tries by x-stainless-retry-count, or"
echo "          set max_retries=0."
[ "$seen" = "openai: 3 requests for a 409, 3 for a timeout, 0 of them with an idempotency key
groq: 3 requests for a 409, 3 for a timeout, 0 of them with an idempotency key
cohere: 3 requests for a 409, 1 for a timeout, 0 of them with an idempotency key" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
