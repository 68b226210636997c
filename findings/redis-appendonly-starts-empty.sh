#!/bin/bash
# Turning on the AOF in the configuration file and restarting.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
redis() { redis-cli -s "$dir/s" "$@" 2>&1; }
start() {
	redis-server --port 0 --unixsocket "$dir/s" --dir "$dir" "$@" >"$dir/log" 2>&1 &
	until redis ping >/dev/null; do sleep 0.1; done
}

echo "Software: Redis $(redis-server --version | grep -o 'v=[0-9.]*' | cut -c3-) (Debian); seen on 7.0.15"
echo "Guess:    a server that has a dump.rdb and is restarted with 'appendonly yes' loads the dump, because there is no AOF yet, and"
echo "          continues with an AOF; at least it warns."

seen=$(
	start
	redis set counter 42 >/dev/null
	redis function load "#!lua name=limits
redis.register_function('check', function() return 1 end)" >/dev/null
	redis save >/dev/null
	echo "before:                         counter=$(redis get counter), functions: $(redis function list | grep -c library_name)"
	redis shutdown nosave
	wait
	cp "$dir/dump.rdb" "$dir/kept.rdb"
	start --appendonly yes
	echo "restarted with appendonly yes:  counter=$(redis get counter), functions: $(redis function list | grep -c library_name || true)"
	echo "warnings about it in the log:   $(grep -ci 'rdb.*\(ignored\|not loaded\)' "$dir/log" || true)"
	redis shutdown nosave
	wait
	rm -r "$dir/appendonlydir"
	cp "$dir/kept.rdb" "$dir/dump.rdb"
	start
	redis config set appendonly yes >/dev/null
	until redis info persistence | grep -q aof_rewrite_in_progress:0; do sleep 0.1; done
	redis shutdown nosave
	wait
	start --appendonly yes
	echo "by CONFIG SET, then restarted:  counter=$(redis get counter), functions: $(redis function list | grep -c library_name)"
)
echo "Seen:"
echo "$seen"
echo "Matters:  the very change that an operator makes to keep counters across restarts loses all of them, silently, and everybody gets"
echo "          a fresh quota. Use CONFIG SET first, then edit the file; and put a mark into the store, so that a lost store can be"
echo "          distinguished from an empty one."
[ "$seen" = "before:                         counter=42, functions: 1
restarted with appendonly yes:  counter=, functions: 0
warnings about it in the log:   0
by CONFIG SET, then restarted:  counter=42, functions: 1" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
