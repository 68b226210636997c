#!/bin/bash
# A function library that grew by one helper too many does not load.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
redis() { redis-cli -s "$dir/s" "$@" 2>&1; }

echo "Software: Redis $(redis-server --version | grep -o 'v=[0-9.]*' | cut -c3-) (Debian); seen on 7.0.15"
echo "Guess:    a library may have as many helper functions as it likes; its size in bytes is what might be limited."

redis-server --port 0 --unixsocket "$dir/s" --save '' --dir "$dir" >"$dir/log" 2>&1 &
until redis ping >/dev/null; do sleep 0.1; done
library() { # number of helpers, wrapped in blocks of 100 when there is a second argument
	echo '#!lua name=many'
	for ((i = 1; i <= $1; i++)); do
		[ -z "${2-}" ] || ((i % 100 != 1)) || echo 'do'
		echo "local function helper$i() return $i end"
		[ -z "${2-}" ] || ((i % 100 != 0)) || echo 'end'
	done
	echo "redis.register_function('many', function() return 1 end)"
}
seen=$(
	echo "200 local functions:             $(library 200 | redis -x function load replace | awk NF)"
	echo "201 local functions:             $(library 201 | redis -x function load replace | awk NF)"
	echo "2000 in blocks of 100 (do..end): $(library 2000 blocks | redis -x function load replace | awk NF)"
	echo "200,000 bytes of comment:        $({ library 200 && printf -- '-- %0200000d\n' 0; } | redis -x function load replace | awk NF)"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a limiter's library is made of many small files put together; each 'local' at their top level counts into one chunk of"
echo "          Lua 5.1, which has 200. The file that meets the limit is innocent. Give each file a do..end and one table to live in."
[ "$seen" = "200 local functions:             many
201 local functions:             ERR Error compiling function: user_function:202: main function has more than 200 local variables
2000 in blocks of 100 (do..end): many
200,000 bytes of comment:        many" ] || {
	echo "CHANGED: this is no longer what was seen."
	exit 1
}
