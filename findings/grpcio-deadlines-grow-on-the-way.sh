#!/bin/bash
# The deadline that a client sets, and the one that the server sees.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: grpcio 1.85.3 (PyPI), client and server"
echo "Guess:    the server's time_remaining() is the client's timeout minus the transit time, so it is never more than the client set."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" grpcio==1.85.3 >&2
cat >"$dir/probe.py" <<'EOF'
import grpc
from concurrent import futures

class Server(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: str(context.time_remaining()).encode())

server = grpc.server(futures.ThreadPoolExecutor(1), handlers=[Server()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
call = grpc.insecure_channel(f"127.0.0.1:{port}").unary_unary("/a.B/Left")
call(b"", timeout=30)
for given in (100.4, 1000.4, 36001, 864000):
    print(f"given {given} s, the server sees {float(call(b'', timeout=given)):.0f} s")
EOF
seen=$(PYTHONPATH="$dir/py" python3 "$dir/probe.py")
echo "Seen:"
echo "$seen"
echo "Matters:  the header keeps three digits and rounds up. A queue that holds a caller 'until its deadline' grants a slot, and charges"
echo "          for it, after the caller has gone (1000.4 s became 1010): keep a margin of 1%, and check whether the call was cancelled"
echo "          before granting."
[ "$seen" = "given 100.4 s, the server sees 101 s
given 1000.4 s, the server sees 1010 s
given 36001 s, the server sees 36100 s
given 864000 s, the server sees 870000 s" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
