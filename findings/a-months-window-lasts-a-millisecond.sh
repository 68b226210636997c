#!/bin/bash
# Two requests in 30 days, as limiters for Node count them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo "Software: rate-limiter-flexible 11.4.0 (RateLimiterMemory), hono-rate-limiter 0.5.4, p-queue 9.3.5, p-throttle 8.1.1, limiter 4.1.0,"
echo "          @fastify/rate-limit 11.2.0 (npm), each in memory"
echo "Guess:    a limit that works with a window of one day works with a window of 30 days; at worst a restart forgets it."

(cd "$dir" && npm install --silent --no-audit --no-fund rate-limiter-flexible@11.4.0 hono@4.13.19 hono-rate-limiter@0.5.4 p-queue@9.3.5 p-throttle@8.1.1 \
	limiter@4.1.0 fastify@5.12.8 @fastify/rate-limit@11.2.0 >&2)
cat >"$dir/probe.mjs" <<'EOF'
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { rateLimiter } from 'hono-rate-limiter';
import { Hono } from 'hono';
import PQueue from 'p-queue';
import pThrottle from 'p-throttle';
import { RateLimiter } from 'limiter';
import fastify from 'fastify';
import fastifyLimit from '@fastify/rate-limit';
import { setTimeout as pause } from 'timers/promises';

// Each takes a window in ms and returns a function that makes one request: true, or a promise of it, if it was let through.
const LIMITERS = {
	'rate-limiter-flexible': window => {
		const limiter = new RateLimiterMemory({ points: 2, duration: window / 1000 });
		return () => limiter.consume('user').then(() => true, () => false);
	},
	'hono-rate-limiter': window => {
		const app = new Hono();
		app.use(rateLimiter({ windowMs: window, limit: 2, keyGenerator: () => 'user' }));
		app.get('/', context => context.text('hi'));
		return async () => (await app.request('/')).ok;
	},
	'p-queue': window => {
		const queue = new PQueue({ interval: window, intervalCap: 2 });
		return () => Promise.race([queue.add(() => true), pause(200, false)]);
	},
	'p-throttle': window => {
		const call = pThrottle({ interval: window, limit: 2 })(() => true);
		return () => Promise.race([call(), pause(200, false)]);
	},
	limiter: window => {
		const limiter = new RateLimiter({ tokensPerInterval: 2, interval: window });
		return () => limiter.tryRemoveTokens(1);
	},
	'@fastify/rate-limit': window => {
		const app = fastify();
		app.register(fastifyLimit, { max: 2, timeWindow: window });
		app.after(() => app.get('/', async () => 'hi'));
		return async () => (await app.inject('/')).statusCode === 200;
	},
};
for (const [name, make] of Object.entries(LIMITERS)) {
	const passed = [];
	for (const days of [1, 30]) {
		const ask = make(days * 86400000);
		let count = 0;
		for (let i = 0; i < 8; i++, await pause(20)) count += await ask();
		passed.push(`${count} of 8 in a window of ${days} day(s)`);
	}
	console.log(`${name}: ${passed.join(', ')}`);
}
process.exit();
EOF
seen=$(cd "$dir" && node --no-warnings probe.mjs)
echo "Seen:"
echo "$seen"
echo "Matters:  a timer in Node holds 2^31 - 1 ms, 24.8 days; a longer one fires after 1 ms, and with it the count is gone. A monthly quota"
echo "          lets everything through, and a warning on stderr is the only sign. Keep the instant of the reset and compare it, as"
echo "          limiter and fastify's plugin do, or let a store that counts in seconds expire the key."
[ "$seen" = "rate-limiter-flexible: 2 of 8 in a window of 1 day(s), 8 of 8 in a window of 30 day(s)
hono-rate-limiter: 2 of 8 in a window of 1 day(s), 8 of 8 in a window of 30 day(s)
p-queue: 2 of 8 in a window of 1 day(s), 8 of 8 in a window of 30 day(s)
p-throttle: 2 of 8 in a window of 1 day(s), 8 of 8 in a window of 30 day(s)
limiter: 2 of 8 in a window of 1 day(s), 2 of 8 in a window of 30 day(s)
@fastify/rate-limit: 2 of 8 in a window of 1 day(s), 2 of 8 in a window of 30 day(s)" ] || {
	echo "CHANGED: the software no longer behaves as described above."
	exit 1
}
