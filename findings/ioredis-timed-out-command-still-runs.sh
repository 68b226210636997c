#!/bin/bash
# A command that has timed out for its caller is sent when the server comes back.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait || true; rm -rf "$dir"' EXIT

echo "Software: ioredis 6.0.0 and redis 6.3.1 (npm), on Debian's Redis"
echo "Guess:    commandTimeout withdraws the command: if it was still in the client's own queue at that time, it is never sent."

(cd "$dir" && npm install --silent --no-audit --no-fund ioredis@6.0.0 redis@6.3.1 >&2)
cat >"$dir/call.js" <<'EOF'
// Calls while no server is there, waits for the error, then lets the server come.
const { spawn } = require('child_process');
const { existsSync } = require('fs');
const { setTimeout: pause } = require('timers/promises');
const [library, path] = process.argv.slice(2);
(async () => {
	let client;
	if (library === 'ioredis') client = new (require('ioredis'))({ path, commandTimeout: 300, retryStrategy: () => 200 });
	else client = require('redis').createClient({ socket: { path, reconnectStrategy: () => 200 }, commandOptions: { timeout: 300 } });
	client.on('error', () => {});
	if (library === 'redis') client.connect();
	const told = await client.incr('n').catch(e => e.message || e.constructor.name);
	const server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', ''], { stdio: 'ignore' });
	while (!existsSync(path)) await pause(50);
	await pause(1500);
	console.log(`the app is told "${told}"; with the server back n = ${await client.get('n')}`);
	server.kill();
	process.exit();
})();
EOF
seen=$(
	cd "$dir"
	echo "ioredis:  $(node call.js ioredis "$dir/a")"
	echo "redis:    $(node call.js redis "$dir/b")"
)
echo "Seen:"
echo "$seen"
echo "Matters:  a bot that asked a limiter, gave up and told its user 'try again' is charged for a request that never ran. Turn the"
echo "          offline queue off (enableOfflineQueue: false), and take a late answer back."
[[ "$seen" =~ ^'ioredis:  the app is told "Command timed out"; with the server back n = 1'.'redis:    the app is told "'[A-Za-z\ ]*'"; with the server back n = null'$ ]] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
