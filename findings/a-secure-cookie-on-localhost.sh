#!/bin/bash
# The cookies of a sign-in, kept by the usual cookie jars while a service runs on this machine.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: requests 2.34.2, httpx 0.28.1 (PyPI) with the http.cookiejar of Python 3.11, tough-cookie 6.1.0 (npm)"
echo "Guess:    a jar sends a Secure cookie back to http://localhost, as browsers do; an attribute that cannot be read is ignored, as RFC"
echo "          6265 says."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" requests==2.34.2 httpx==0.28.1 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund tough-cookie@6.1.0 >&2)
cat >"$dir/cookies" <<'EOF'
s=1
s=1; Path=/; SameSite=Strict; HttpOnly
s=1; Path=/; Secure
__Host-s=1; Path=/; Secure; HttpOnly
s=1; Domain=localhost
s=1; Max-Age=soon
EOF
cat >"$dir/probe.py" <<'EOF'
import sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import httpx, requests

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        got.append(self.headers.get("Cookie", "nothing"))
        self.send_response(200)
        self.send_header("Set-Cookie", cookie)
        self.end_headers()
    def log_message(self, *args):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for cookie in sys.stdin.read().splitlines():
    got = []
    for client in (requests.Session(), httpx.Client()):
        for path in ("login", "page"):
            client.get(f"http://localhost:{server.server_port}/{path}")
    print(f"requests {got[1]}, httpx {got[3]}")
EOF
cat >"$dir/probe.mjs" <<'EOF'
import { readFileSync } from 'fs';
import { CookieJar } from 'tough-cookie';
for (const cookie of readFileSync(0, 'utf8').trim().split('\n')) {
	const jar = new CookieJar();
	await jar.setCookie(cookie, 'http://localhost:8080/login');
	console.log('tough-cookie ' + (await jar.getCookieString('http://localhost:8080/page') || 'nothing'));
}
EOF
seen=$(
	PYTHONPATH="$dir/py" python3 "$dir/probe.py" <"$dir/cookies" >"$dir/a"
	(cd "$dir" && node probe.mjs <cookies >b)
	paste -d '|' "$dir/cookies" "$dir/a" "$dir/b" | awk -F '|' '{ print "\"" $1 "\": " $2 ", " $3 }'
)
echo "Seen:"
echo "$seen"
echo "Matters:  a test of a sign-in passes in the browser and in Node and is a 401 in Python. Test such cookies over TLS, or take the value"
echo "          from Set-Cookie and send it yourself."
[ "$seen" = "\"s=1\": requests s=1, httpx s=1, tough-cookie s=1
\"s=1; Path=/; SameSite=Strict; HttpOnly\": requests s=1, httpx s=1, tough-cookie s=1
\"s=1; Path=/; Secure\": requests nothing, httpx nothing, tough-cookie s=1
\"__Host-s=1; Path=/; Secure; HttpOnly\": requests nothing, httpx nothing, tough-cookie __Host-s=1
\"s=1; Domain=localhost\": requests nothing, httpx nothing, tough-cookie s=1
\"s=1; Max-Age=soon\": requests nothing, httpx nothing, tough-cookie s=1" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
