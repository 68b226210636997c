#!/bin/bash
# A test's mail server refuses a password. What does the client see?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: aiosmtpd 1.4.6 (PyPI), with smtplib of Python's library"
echo "Guess:    an authenticator that returns AuthResult(success=False) makes the server answer 535."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir" aiosmtpd==1.4.6 >&2
cat >"$dir/probe.py" <<'EOF'
import smtplib, socket, warnings
warnings.simplefilter("ignore")
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]

for given in ({"success": False}, {"success": False, "handled": False}):
    controller = Controller(object(), hostname="127.0.0.1", port=free_port(), auth_require_tls=False,
                            authenticator=lambda server, session, envelope, mechanism, data: AuthResult(**given))
    controller.start()
    client = smtplib.SMTP("127.0.0.1", controller.port, timeout=5)
    try:
        client.login("user", "wrong")
    except smtplib.SMTPAuthenticationError as error:
        print(f"AuthResult({given}): answered {error.smtp_code}")
    except OSError as error:
        print(f"AuthResult({given}): no answer within 5 s ({type(error).__name__})")
    client.close()
    controller.stop()
EOF
seen=$(PYTHONPATH="$dir" python3 "$dir/probe.py" 2>/dev/null)
echo "Seen:"
echo "$seen"
echo "Matters:  'handled' is true unless one says otherwise, and means that the authenticator has answered by itself. A test of a wrong"
echo "          password then sees a timeout, which a sender rightly tries again, instead of the refusal that it was written for."
[ "$seen" = "AuthResult({'success': False}): no answer within 5 s (SMTPServerDisconnected)
AuthResult({'success': False, 'handled': False}): answered 535" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
