#!/bin/bash
# Four states in which Redis refuses to run a function, and what PING and INFO say in each of them.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
redis() { redis-cli -s "$dir/s" --no-auth-warning "$@" 2>&1; }

echo "Software: Redis $(redis-server --version | grep -o 'v=[0-9.]*' | cut -c3-) (Debian); seen on 7.0.15"
echo "Guess:    a Redis that answers PING runs functions, especially one that writes nothing; when it has a problem, PING says so, and"
echo "          INFO can always be read to find out why."

redis-server --port 0 --unixsocket "$dir/s" --save '' --dir "$dir" >"$dir/log" 2>&1 &
until redis ping >/dev/null; do sleep 0.1; done
redis function load "#!lua name=l
redis.register_function('nothing', function() return 'ran' end)
redis.register_function('spin', function() for i = 1, 1e9 do end end)" >/dev/null
state() { # name: one line a command
	printf '%-12s PING: %-11s INFO: %-7s FCALL of a function that writes nothing: %s\n' "$1" \
		"$(redis ping | awk 'NF { print $1; exit }')" "$(redis info server | awk 'NF && !/^#/ { print /redis_version/ ? "given" : $1; exit }')" \
		"$(redis fcall nothing 0 | awk 'NF { print $1; exit }')"
}
seen=$(
	state healthy
	redis config set maxmemory 1 >/dev/null && state "memory full"
	redis config set maxmemory 0 >/dev/null && redis config set min-replicas-to-write 1 >/dev/null && state "no replica"
	redis config set min-replicas-to-write 0 busy-reply-threshold 50 >/dev/null
	redis fcall spin 0 >/dev/null &
	until redis ping | grep -q BUSY; do sleep 0.1; done
	state "busy"
	redis function kill >/dev/null
	wait %% || true
	redis config set replica-serve-stale-data no >/dev/null && redis replicaof 127.0.0.1 1 >/dev/null && state "lost master"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a readiness probe by PING keeps a limiter in rotation that cannot decide anything (memory full, replicas gone), and INFO"
echo "          is not available when it should say why. Probe with an FCALL that has the same flags as the real one. (A function"
echo "          without flags counts as a writer; on a lost replica it gets READONLY, and only reads get MASTERDOWN.)"
[ "$seen" = "healthy      PING: PONG        INFO: given   FCALL of a function that writes nothing: ran
memory full  PING: PONG        INFO: given   FCALL of a function that writes nothing: OOM
no replica   PING: PONG        INFO: given   FCALL of a function that writes nothing: NOREPLICAS
busy         PING: BUSY        INFO: BUSY    FCALL of a function that writes nothing: BUSY
lost master  PING: MASTERDOWN  INFO: given   FCALL of a function that writes nothing: READONLY" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
