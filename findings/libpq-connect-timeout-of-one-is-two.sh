#!/bin/bash
# A server that accepts the connection and says nothing.
set -euo pipefail
dir=$(mktemp -d)
echo "Software: psql of Debian's PostgreSQL 15 and psycopg 3.3.9 with libpq 18 (PyPI)"
echo "Guess:    connect_timeout=1 gives up after one second, and on a list of three servers after one such time."

trap 'rm -rf "$dir"' EXIT
python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" 'psycopg[binary]==3.3.9' >&2
cat >"$dir/probe.py" <<'EOF'
import psycopg, socket, subprocess, time

silent = socket.create_server(("127.0.0.1", 0))
where = f"port={silent.getsockname()[1]} user=u dbname=d sslmode=disable"
for seconds, hosts in ((1, 1), (2, 1), (2, 3)):
    asked = f"{where} connect_timeout={seconds} host={','.join(['127.0.0.1'] * hosts)}"
    start = time.monotonic()
    subprocess.run(["psql", asked], capture_output=True)
    print(f"psql,    connect_timeout={seconds}, {hosts} host(s): {time.monotonic() - start:.0f} s")
start = time.monotonic()
try:
    psycopg.connect(f"{where} connect_timeout=1 host=127.0.0.1")
except psycopg.OperationalError:
    print(f"psycopg, connect_timeout=1, 1 host(s): {time.monotonic() - start:.0f} s")
EOF
seen=$(PYTHONPATH="$dir/py" python3 "$dir/probe.py")
echo "Seen:"
echo "$seen"
echo "Matters:  a check that has 1 s for everything cannot leave its deadline to libpq: one second is silently two, and each address of"
echo "          the name has its own. Connect without blocking, and watch the time yourself."
[ "$seen" = "psql,    connect_timeout=1, 1 host(s): 2 s
psql,    connect_timeout=2, 1 host(s): 2 s
psql,    connect_timeout=2, 3 host(s): 6 s
psycopg, connect_timeout=1, 1 host(s): 2 s" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
