#!/bin/bash
# A function library that has grown by one helper too many does not load.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
redis() { redis-cli -s "$dir/s" "$@" 2>&1; }

echo "Software: Redis $(redis-server --version | grep -o 'v=[0-9.]*' | cut -c3-) (Debian); seen on 7.0.15"
echo "Guess:    a library may have any number of helper functions; if anything is limited, it is the size in bytes."

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
echo "Matters:  the library of a limiter is assembled from many small files; each 'local' at their top level counts in one chunk of Lua"
echo "          5.1, which can have 200. The file that reaches the limit is not the cause. Give each file a do..end block and a single"
echo "          table."
[ "$seen" = "200 local functions:             many
201 local functions:             ERR Error compiling function: user_function:202: main function has more than 200 local variables
2000 in blocks of 100 (do..end): many
200,000 bytes of comment:        many" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
