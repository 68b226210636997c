#!/bin/bash
# A server in the style of OpenAI reports slightly incorrect usage.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: openai 3.57.0, groq 1.7.0, mistralai 3.7.0 (PyPI), over a transport in memory"
echo "Guess:    usage.prompt_tokens is declared as an int in a pydantic model: it is an int, or the SDK raises."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" openai==3.57.0 groq==1.7.0 mistralai==3.7.0 >&2
cat >"$dir/probe.py" <<'EOF'
import httpx, groq, openai
from mistralai.client import Mistral

asked = dict(model="m", messages=[{"role": "user", "content": "hi"}])
SDKS = {
    "openai": lambda http: openai.OpenAI(api_key="k", http_client=http).chat.completions.create(**asked),
    "groq": lambda http: groq.Groq(api_key="k", http_client=http).chat.completions.create(**asked),
    "mistralai": lambda http: Mistral(api_key="k", client=http).chat.complete(**asked),
}
message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
for usage in ({"prompt_tokens": "12"}, {"prompt_tokens": 1.5}, {"prompt_tokens": None}, {"input_tokens": 12}):
    said = []
    for name, call in SDKS.items():
        body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [message], "usage": usage}
        http = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200, json=body)))
        try:
            said.append(f"{name} {call(http).usage.prompt_tokens!r}")
        except Exception as e:
            said.append(f"{name} raises")
    print(f"{usage}:", ", ".join(said))
EOF
seen=$(PYTHONPATH="$dir/py" python3 "$dir/probe.py" 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  what is recorded may be a text, half a token, None, or a 0 that means 'another spelling'. Check yourself that every"
echo "          figure is an int >= 0, and if it is not, settle by the estimate, flagged."
[ "$seen" = "{'prompt_tokens': '12'}: openai '12', groq '12', mistralai 12
{'prompt_tokens': 1.5}: openai 1.5, groq 1.5, mistralai raises
{'prompt_tokens': None}: openai None, groq None, mistralai None
{'input_tokens': 12}: openai None, groq None, mistralai 0" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
