/**
 * Decides as fast as answers come, for tests/bench/parts/node.py: decide.mjs SIDE PLACE CONCURRENT. After `ready` on standard output, each
 * line of standard input is a number of decisions; it is answered by {"cpu_us", "denied"}: CPU of this process, and how many were denied.
 *
 * SIDE: gathered or alone (a check of Bursar at the address PLACE, for a tier of three limits), recorded or kept (gathered, and its record; kept
 * with a folder for the spool), priced (gathered, for eight limits, with the cost of a model held), flexible or pipelined (rate-limiter-flexible with three limits in the Redis at the socket PLACE; pipelined with
 * ioredis's automatic pipelining, which is off by default).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [side, place, concurrent] = process.argv.slice(2);
const user = () => `u${Math.floor(Math.random() * 1000)}`;

function folder() {
  const made = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  process.on("exit", () => rmSync(made, { recursive: true }));
  return made;
}

async function bursar() {
  const { Bursar } = await import("bursar");
  const options = side === "alone" ? { gather: false } : side === "kept" ? { spool: { directory: folder() } } : {};
  const client = new Bursar({ address: place, timeoutMs: 60_000, attemptMs: 60_000, ...options });
  const more = side === "priced" ? { tenant: "wide", model: "gpt-4o" } : {};
  return async () => {
    const check = await client.check({ user: user(), interface: "telegram", inputTokens: 100, maxOutputTokens: 50, ...more });
    if (side === "recorded" || side === "kept") await client.record(check, { usage: { inputTokens: 80, outputTokens: 40 } });
    return check.allowed;
  };
}

async function flexible() {
  const { RateLimiterRedis, RateLimiterUnion } = await import("rate-limiter-flexible");
  const { Redis } = await import("ioredis");
  const storeClient = new Redis({ path: place, enableAutoPipelining: side === "pipelined" });
  const limits = [["minute", 60], ["day", 86_400], ["tokens", 3_600]];
  const union = new RateLimiterUnion(...limits.map(([keyPrefix, duration]) => new RateLimiterRedis({ storeClient, keyPrefix, duration, points: 1_000_000_000 })));
  return () => union.consume(user()).then(() => true, (rejected) => {
    if (rejected instanceof Error) throw rejected;
    return false;
  });
}

const decide = await (side === "flexible" || side === "pipelined" ? flexible() : bursar());

async function many(calls) {
  let left = calls;
  let denied = 0;
  const caller = async () => {
    while (left-- > 0) if (!(await decide())) denied++;
  };
  await Promise.all(Array.from({ length: Number(concurrent) }, caller));
  return denied;
}

await many(20 * Number(concurrent) + 200);
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage();
  const denied = await many(Number(line));
  const { user: busy, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu_us: busy + system, denied }));
}
process.exit(0);
