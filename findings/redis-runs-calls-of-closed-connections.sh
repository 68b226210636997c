#!/bin/bash
# A stalled Redis accepts connections and commands, and runs them after their senders have gone.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill -CONT "$server"; kill "$server"; wait; rm -rf "$dir"' EXIT

echo "Software: Redis $(redis-server --version | grep -o 'v=[0-9.]*' | cut -c3-) (Debian) on Linux; seen on 7.0.15"
echo "Guess:    a Redis that is stalled (SIGSTOP, a frozen VM, a slow disk) refuses connections or lets them time out; what a client"
echo "          sent before it gave up and closed its connection is not run."

redis-server --port 0 --unixsocket "$dir/s" --save '' --dir "$dir" >"$dir/log" 2>&1 &
server=$!
until redis-cli -s "$dir/s" ping >/dev/null 2>&1; do sleep 0.1; done
kill -STOP "$server"
seen=$(
	python3 - "$dir/s" <<-'EOF'
		import socket, sys

		for caller in range(3):
		    s = socket.socket(socket.AF_UNIX)
		    s.settimeout(2)
		    s.connect(sys.argv[1])
		    s.sendall(b"INCR charged\r\n")
		    try:
		        s.recv(100)
		    except TimeoutError:
		        print(f"caller {caller}: connected, sent, no answer for 2 s: gave up and closed")
		    s.close()
	EOF
	kill -CONT "$server"
	until redis-cli -s "$dir/s" ping >/dev/null 2>&1; do sleep 0.1; done
	echo "after it goes on: charged = $(redis-cli -s "$dir/s" get charged)"
)
echo "Seen:"
echo "$seen"
echo "Matters:  'connected' is not a sign of life, and a check that its caller gave up as failed is charged all the same, seconds later."
echo "          Answer by deadline, and give each call an identity by which the late charge can be found and taken back."
[ "$seen" = "caller 0: connected, sent, no answer for 2 s: gave up and closed
caller 1: connected, sent, no answer for 2 s: gave up and closed
caller 2: connected, sent, no answer for 2 s: gave up and closed
after it goes on: charged = 3" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
