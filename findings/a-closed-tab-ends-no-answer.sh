#!/bin/bash
# A streamed answer whose reader leaves in the middle, in four web frameworks: which hooks run, and does the handler stop?
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: fastify 5.12.8, express 5.3.0 with on-finished 2.4.2, hono 4.13.19 with @hono/node-server 2.1.9, koa 3.3.0 (npm)"
echo "Guess:    the hook for the end of an answer runs for each answer, says when the reader left, and a handler that streams is"
echo "          stopped."

cd "$dir"
npm install --silent --no-audit --no-fund fastify@5.12.8 express@5.3.0 on-finished@2.4.2 hono@4.13.19 @hono/node-server@2.1.9 koa@3.3.0 >&2
cat >probe.mjs <<'EOF'
import { once } from 'node:events';
import net from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import Koa from 'koa';
import onFinished from 'on-finished';

async function* tokens(said) {
	try {
		for (let i = 0; i < 50; i++) {
			yield 'x'.repeat(500);
			await pause(10);
		}
		said.push('all 50 tokens were made');
	} finally {
		said.push('the handler has ended');
	}
}
const frameworks = {
	fastify: async (said) => {
		const app = fastify();
		app.addHook('onResponse', async (request, reply) => { said.push(`onResponse ${reply.statusCode}`); });
		app.get('/', (request, reply) => reply.send(Readable.from(tokens(said))));
		await app.listen({ port: 0 });
		return app.server;
	},
	'express, on-finished': async (said) => {
		const app = express();
		app.get('/', async (request, response) => {
			onFinished(response, (error) => said.push(`onFinished ${error ?? 'without an error'}, ${response.statusCode}`));
			for await (const token of tokens(said)) response.write(token);
			response.end();
		});
		return app.listen(0);
	},
	hono: async (said) => {
		const app = new Hono();
		app.use(async (context, next) => { await next(); said.push('after next()'); });
		app.get('/', (context) => stream(context, async (out) => { for await (const token of tokens(said)) await out.write(token); }));
		return serve({ fetch: app.fetch, port: 0 });
	},
	koa: async (said) => {
		const app = new Koa();
		app.silent = true;
		app.use(async (context, next) => { await next(); said.push('after next()'); });
		app.use((context) => { context.body = Readable.from(tokens(said)); });
		return app.listen(0);
	},
};
for (const [name, start] of Object.entries(frameworks)) {
	const said = [];
	const server = await start(said);
	if (!server.listening) await once(server, 'listening');
	const reader = net.connect(server.address().port, '127.0.0.1');
	reader.write('GET / HTTP/1.1\r\nHost: probe\r\n\r\n');
	await once(reader, 'data');
	reader.destroy();
	while (!said.includes('the handler has ended')) await pause(20);
	await pause(300);
	console.log(`${name}: ${said.join('; ')}`);
}
process.exit();
EOF
seen=$(node probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  what records an answer's cost in fastify's onResponse records nothing when the tab is closed; on-finished reports it as"
echo "          whole; code after next() of hono and koa runs before the answer; and express and hono go on with a model that nobody"
echo "          reads, at full price. Record in the stream itself, and stop it when the response closes."
[ "$seen" = "fastify: the handler has ended
express, on-finished: onFinished without an error, 200; all 50 tokens were made; the handler has ended
hono: after next(); all 50 tokens were made; the handler has ended
koa: after next(); the handler has ended" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
