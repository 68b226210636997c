#!/bin/bash
# The same call with a deadline of half a second by two gRPC clients for Node; the server tells what it knows of the deadline.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: nice-grpc 2.1.18 with nice-grpc-client-middleware-deadline 2.0.20, @grpc/grpc-js 1.14.7 (npm)"
echo "Guess:    a gRPC client's deadline is sent with the call (grpc-timeout), so that the server can refuse or drop what nobody waits for."

cd "$dir"
npm install --silent --no-audit --no-fund nice-grpc@2.1.18 nice-grpc-client-middleware-deadline@2.0.20 @grpc/grpc-js@1.14.7 >&2
cat >probe.mjs <<'EOF'
import { once } from 'node:events';
import grpc from '@grpc/grpc-js';
import { createChannel, createClientFactory } from 'nice-grpc';
import { deadlineMiddleware } from 'nice-grpc-client-middleware-deadline';

const bytes = (buffer) => buffer;
const method = { path: '/t.S/Ping', requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes,
	responseSerialize: bytes, responseDeserialize: bytes, options: {} };
let heard;
const ended = new EventTarget();
const server = new grpc.Server();
server.addService({ ping: method }, { ping: (call) => {
	const left = call.getDeadline() - Date.now();
	heard = left > 0 && left <= 500 ? 'the deadline' : left === Infinity ? 'no deadline' : `a deadline in ${left} ms`;
	call.on('cancelled', () => ended.dispatchEvent(new Event('end')));
} });
const port = await new Promise((resolve) => {
	server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, number) => resolve(number));
});
const Client = grpc.makeGenericClientConstructor({ ping: method }, 'S');
const plain = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
const nice = createClientFactory().use(deadlineMiddleware).create({ ping: method }, createChannel(`127.0.0.1:${port}`));
const calls = {
	'grpc-js': (deadline) => new Promise((resolve) => plain.ping(Buffer.alloc(0), { deadline }, (error) => resolve(error.code))),
	'nice-grpc': (deadline) => nice.ping(Buffer.alloc(0), { deadline }).catch((error) => error.code),
};
for (const [name, call] of Object.entries(calls)) {
	const over = once(ended, 'end');
	const code = await call(new Date(Date.now() + 500));
	await over;
	console.log(`${name}: the caller gets ${grpc.status[code]}, the server heard of ${heard}`);
}
process.exit();
EOF
seen=$(node probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  the middleware only cancels its own call when the time is over. A server that orders or sheds its work by deadline takes"
echo "          these callers for patient ones, and a proxy applies its default timeout. Give a server bounds of its own."
[ "$seen" = "grpc-js: the caller gets DEADLINE_EXCEEDED, the server heard of the deadline
nice-grpc: the caller gets DEADLINE_EXCEEDED, the server heard of no deadline" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
