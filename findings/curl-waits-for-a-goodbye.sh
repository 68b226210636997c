#!/bin/bash
# A mail server takes the mail, and does not answer the goodbye (QUIT). How long does curl wait?
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT

version=$(curl --version | sed -n '1s/.*libcurl\/\([0-9.]*\).*/\1/p')
echo "Software: curl and libcurl $version (Debian 12 has 7.88.1)"
echo "Guess:    --max-time 1 (CURLOPT_TIMEOUT_MS) bounds the whole transfer: the mail is sent, or curl fails, within a second or two."

cat >"$dir/server.py" <<'EOF'
import socket, threading
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
connection, _ = listening.accept()
lines = connection.makefile("rwb", buffering=0)
lines.write(b"220 mail\r\n")
in_mail = False
for line in lines:
    line = line.strip()
    if in_mail:
        in_mail = line != b"."
        if not in_mail:
            lines.write(b"250 taken\r\n")
            print("the server has taken the mail", flush=True)
    elif line == b"DATA":
        in_mail = True
        lines.write(b"354 go on\r\n")
    elif line == b"QUIT":
        print("the server was told QUIT, and says nothing", flush=True)
        threading.Event().wait()
    else:
        lines.write(b"250 fine\r\n")
EOF
python3 "$dir/server.py" >"$dir/log" &
server=$!
until [ -s "$dir/log" ]; do sleep 0.1; done
port=$(head -n 1 "$dir/log")
printf 'Subject: alert\r\n\r\nhello\r\n' >"$dir/mail"
status=0
timeout 10 curl -sS --max-time 1 --mail-from a@example.org --mail-rcpt b@example.org -T "$dir/mail" "smtp://127.0.0.1:$port/" || status=$?
seen=$(tail -n +2 "$dir/log"; [ "$status" = 124 ] && echo "curl had not ended after 10 s" || echo "curl ended with $status")
echo "Seen:"
echo "$seen"
echo "Matters:  disconnecting has a limit of its own, two minutes, which CURLOPT_TIMEOUT_MS does not shorten: a few such servers hold all"
echo "          threads of a sender that counts on 1 s, and a claim on the message runs out meanwhile, so that somebody else sends it again."
echo "          A progress callback (CURLOPT_XFERINFOFUNCTION) that returns 1 at one's own deadline ends it, and the result stays 0."
[ "$seen" = "the server has taken the mail
the server was told QUIT, and says nothing
curl had not ended after 10 s" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
