#!/bin/bash
# The code at the beginning of an error depends on whether a function or a client ran the command.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
redis() { redis-cli -s "$dir/s" --no-auth-warning "$@" 2>&1; }

echo "Software: Redis $(redis-server --version | grep -o 'v=[0-9.]*' | cut -c3-) (Debian); seen on 7.0.15"
echo "Guess:    what the ACL forbids is answered NOPERM, inside a function too; a function ended by FUNCTION KILL has an error of its"
echo "          own; an error made from a table inside a function is returned unchanged."

redis-server --port 0 --unixsocket "$dir/s" --save '' --dir "$dir" >"$dir/log" 2>&1 &
until redis ping >/dev/null; do sleep 0.1; done
redis function load "#!lua name=l
redis.register_function('set', function(keys) return redis.call('SET', keys[1], 1) end)
redis.register_function('incr', function(keys) return redis.call('INCR', keys[1]) end)
redis.register_function('one', function() return redis.error_reply('OVER') end)
redis.register_function('spin', function() for i = 1, 1e9 do end end)" >/dev/null
redis acl setuser guest on nopass '~*' +fcall +ping >/dev/null
redis config set busy-reply-threshold 50 >/dev/null
redis set text abc >/dev/null
seen=$(
	echo "SET by a client:                $(redis --user guest --pass x set k 1 | cut -c1-46 | head -1)"
	echo "SET by that client's function:  $(redis --user guest --pass x fcall set 1 k | cut -c1-46 | head -1)"
	redis fcall spin 0 >"$dir/killed" &
	until redis ping | grep -q BUSY; do sleep 0.1; done
	redis function kill >/dev/null
	wait %% || true
	echo "after FUNCTION KILL:            $(cut -c1-46 "$dir/killed" | head -1)"
	echo "error_reply('OVER'):            $(redis fcall one 0 | head -1)"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a worker that classifies errors by their first word mistakes a missing permission (permanent) for any ERR (try again),"
echo "          and looks for 'FUNCTION KILL' in vain. A custom code needs a second word after it, or Redis puts ERR before it."
[ "$seen" = "SET by a client:                NOPERM this user has no permissions to run the
SET by that client's function:  ERR The user executing the script can't run th
after FUNCTION KILL:            ERR Script killed by user with SCRIPT KILL... 
error_reply('OVER'):            ERR OVER" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
