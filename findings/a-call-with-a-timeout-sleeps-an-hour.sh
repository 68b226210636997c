#!/bin/bash
# A refusal whose Retry-After is long, to SDKs whose timeout is 10 s. Sleeps are recorded instead of slept.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: anthropic 2.14.0, openai 3.57.0, groq 1.7.0 (PyPI), over a transport in memory"
echo "Guess:    a call with timeout=10 fails at once if the server asks for an hour, and waits as told if it asks for two minutes; SDKs from"
echo "          the same generator agree."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" anthropic==2.14.0 openai==3.57.0 groq==1.7.0 >&2
cat >"$dir/probe.py" <<'EOF'
import time
import anthropic, groq, httpx, httpx2, openai

slept = []
time.sleep = slept.append
said = dict(model="m", messages=[{"role": "user", "content": "hi"}])
SDKS = {
    "anthropic": (httpx2, lambda http: anthropic.Anthropic(api_key="k", timeout=10, http_client=http).messages.create(max_tokens=1, **said)),
    "openai": (httpx2, lambda http: openai.OpenAI(api_key="k", timeout=10, http_client=http).chat.completions.create(**said)),
    "groq": (httpx, lambda http: groq.Groq(api_key="k", timeout=10, http_client=http).chat.completions.create(**said)),
}
for pause in (120, 3600, 86400):
    told = []
    for name, (lib, call) in SDKS.items():
        slept.clear()
        answer = lambda request: lib.Response(429, headers={"retry-after": str(pause)}, json={})
        try:
            call(lib.Client(transport=lib.MockTransport(answer)))
        except Exception as e:
            told.append(f"{name} {['under 10' if s < 10 else int(s) for s in slept]}")
    print(f"Retry-After {pause}, pauses in seconds:", ", ".join(told))
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py"
)
echo "Seen:"
echo "$seen"
echo "Matters:  in anthropic's SDK a quota's daily reset as Retry-After holds the caller's thread, its connection and what a limiter has"
echo "          reserved for hours; in groq's the same answer is retried within seconds, in openai's it fails at once. Give calls a deadline"
echo "          from outside, and max_retries=0 where a limiter decides."
[ "$seen" = "Retry-After 120, pauses in seconds: anthropic [120, 120], openai [120, 120], groq ['under 10', 'under 10']
Retry-After 3600, pauses in seconds: anthropic [3600, 3600], openai [], groq ['under 10', 'under 10']
Retry-After 86400, pauses in seconds: anthropic [86400, 86400], openai [], groq ['under 10', 'under 10']" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
