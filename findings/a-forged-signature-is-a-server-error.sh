#!/bin/bash
# Somebody who does not know the secret sends a webhook with a signature that is not one. What does the receiver's library do?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: standardwebhooks 1.1.0 (PyPI), standardwebhooks 1.1.1 (npm)"
echo "Guess:    verify() raises WebhookVerificationError whatever the headers and the body hold, so that a handler that catches it answers"
echo "          400; and both libraries take the same secrets."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" standardwebhooks==1.1.0 >&2
npm install --silent --prefix "$dir" --ignore-scripts --no-audit --no-fund standardwebhooks@1.1.1 >&2
cat >"$dir/cases.json" <<'EOF'
[["another scheme", "v2,abc", "{}"], ["no comma", "v1", "{}"], ["not base64", "v1,abc", "{}"], ["two commas", "v1,a,b", "{}"],
 ["a space at the end", "v1,AAAA ", "{}"]]
EOF
cat >"$dir/probe.py" <<'EOF'
import json, sys, time
from standardwebhooks.webhooks import Webhook

def seen(call):
    try:
        call()
        return "taken"
    except Exception as error:
        return type(error).__name__

hook = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
for name, signature, body in json.load(open(sys.argv[1])):
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": signature}
    print(f"Python, {name}: {seen(lambda: hook.verify(body, headers))}")
headers["webhook-signature"] = "v1,AAAA"
print(f"Python, a body that is not UTF-8: {seen(lambda: hook.verify(bytes([255]), headers))}")
print(f"Python, the secret 'whsec_it is lost': {seen(lambda: Webhook('whsec_it is lost'))}")
EOF
cat >"$dir/probe.cjs" <<'EOF'
const { Webhook } = require("standardwebhooks");
const seen = (call) => { try { call(); return "taken" } catch (error) { return error.name } };
const hook = new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
for (const [name, signature, body] of require(process.argv[2])) {
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(Date.now() / 1000)), "webhook-signature": signature };
  console.log(`npm, ${name}: ${seen(() => hook.verify(body, headers))}`);
}
console.log(`npm, the secret 'whsec_it is lost': ${seen(() => new Webhook("whsec_it is lost"))}`);
EOF
seen=$(PYTHONPATH="$dir/py" python3 "$dir/probe.py" "$dir/cases.json"; node "$dir/probe.cjs" "$dir/cases.json")
echo "Seen:"
echo "$seen"
echo "Matters:  the Python receiver answers a stranger's nonsense with 500 instead of 400, which fills its error log and makes a real sender"
echo "          try again; catch every exception around verify(). It also takes a secret that was cut or mistyped, and then refuses every"
echo "          message: check its form when it is configured."
[ "$seen" = "Python, another scheme: WebhookVerificationError
Python, no comma: ValueError
Python, not base64: Error
Python, two commas: ValueError
Python, a space at the end: ValueError
Python, a body that is not UTF-8: UnicodeDecodeError
Python, the secret 'whsec_it is lost': taken
npm, another scheme: WebhookVerificationError
npm, no comma: WebhookVerificationError
npm, not base64: WebhookVerificationError
npm, two commas: WebhookVerificationError
npm, a space at the end: WebhookVerificationError
npm, the secret 'whsec_it is lost': Error" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
