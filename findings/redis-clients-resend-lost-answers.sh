#!/bin/bash
# How often one INCR runs when its answer is lost in transit, by client library.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT
redis() { redis-cli -s "$dir/s" "$@" 2>&1; }

echo "Software: redis-py 8.1.0 (PyPI), ioredis 6.0.0 and redis 6.3.1 (npm), each with its defaults, on Debian's Redis"
echo "Guess:    a client sends a command that changes something once; when the connection ends before the answer, the caller gets an"
echo "          error."

python3 -m pip install -qq --no-compile --no-warn-conflicts --disable-pip-version-check --target "$dir/py" redis==8.1.0 >&2
(cd "$dir" && npm install --silent --no-audit --no-fund ioredis@6.0.0 redis@6.3.1 >&2)
redis-server --port 0 --unixsocket "$dir/s" --save '' --dir "$dir" >"$dir/log" 2>&1 &
until redis ping >/dev/null; do sleep 0.1; done
cat >"$dir/proxy.js" <<'EOF'
// Passes everything through, but ends the connection in place of the first 30 answers to an INCR.
const net = require('net');
let lost = 0;
const proxy = net.createServer(client => {
	const server = net.connect(process.argv[2]);
	let incr = false;
	client.on('data', d => { incr ||= /incr/i.test(d); server.write(d); });
	server.on('data', d => (incr && lost++ < 30 ? client.destroy() : client.write(d)));
	for (const s of [client, server]) s.on('error', () => {}).on('close', () => { client.destroy(); server.destroy(); });
}).listen(0, '127.0.0.1', () => console.log(proxy.address().port));
EOF
cat >"$dir/call.py" <<'EOF'
import redis, sys
try:
    print("the app is told", redis.Redis(port=int(sys.argv[1])).incr("n"))
except redis.RedisError as e:
    print("the app is told", type(e).__name__)
EOF
cat >"$dir/call.js" <<'EOF'
const [port, library] = process.argv.slice(2);
const client = library === 'ioredis' ? new (require('ioredis'))(port) : require('redis').createClient({ url: `redis://127.0.0.1:${port}` });
client.on('error', () => {});
(async () => {
	if (library === 'redis') await client.connect();
	await client.incr('n').then(n => console.log('the app is told', n), e => console.log('the app is told', e.message));
	process.exit();
})();
EOF
through_proxy() { # command...: runs it with the port of a proxy of its own, and says how often Redis counted
	redis del n >/dev/null
	node "$dir/proxy.js" "$dir/s" >"$dir/port" &
	until [ -s "$dir/port" ]; do sleep 0.1; done
	echo "$("${@//PORT/$(cat "$dir/port")}"), INCR ran $(redis get n) times"
	kill %%
	rm "$dir/port"
}
seen=$(
	echo "redis-py:  $(PYTHONPATH="$dir/py" through_proxy python3 "$dir/call.py" PORT)"
	echo "ioredis:   $(through_proxy node "$dir/call.js" PORT ioredis)"
	echo "redis:     $(through_proxy node "$dir/call.js" PORT redis)"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a limiter built on plain INCR or FCALL counts one request 11 or 31 times, once for each lost answer, and redis-py then"
echo "          reports an error. Each call needs an identity that the script recognises, or retries turned off."
[ "$seen" = "redis-py:  the app is told ConnectionError, INCR ran 11 times
ioredis:   the app is told 31, INCR ran 31 times
redis:     the app is told Socket closed unexpectedly, INCR ran 1 times" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
