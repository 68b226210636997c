import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test, type TestContext } from "node:test";
import { Bursar, BursarError, Denied, type BursarOptions } from "bursar";
import { PATIENT, Served, until } from "../serve.js";

let served: Served;
let looking: Bursar;
const clients: Bursar[] = [];
const client = (options: BursarOptions = {}): Bursar => {
  const made = new Bursar({ address: served.addresses, ...PATIENT, ...options });
  clients.push(made);
  return made;
};
let users = 0;
const newUser = (): string => `node-${process.pid}-${users++}`;

before(async () => {
  served = await Served.start("--bursards", "2", "--clock");
  looking = client();
  await served.bursar("tier", "put", "three", "requests=3/h");
});
after(async () => {
  await Promise.all(clients.map((one) => one.close()));
  await served.end();
});

test("check, record, status: the use that was told is what counts", async () => {
  const bursar = client();
  const user = newUser();
  const check = await bursar.check({ user, model: "gpt-4o", inputTokens: 1200, maxOutputTokens: 500 });
  assert.deepEqual([check.allowed, check.tier, check.quality, check.heldTokens], [true, "free", "exact", 1700]);
  const done = await bursar.record(check, { providerUsage: { model: "gpt-4o", usage: { prompt_tokens: 1180, completion_tokens: 312, total_tokens: 1492 } } });
  assert.deepEqual([done.queued, done.repeat, done.tokens, done.costNanoUsd], [false, false, 1492, (1180 * 2.5 + 312 * 10) * 1000]);
  const { accounts } = await bursar.status({ user });
  const daily = accounts[0]!.limits.find((limit) => limit.limit!.name === "requests_per_day");
  assert.deepEqual([daily!.used, daily!.held], [1, 0]);
  assert.equal((await bursar.estimateCost({ model: "gpt-4o", usage: { inputTokens: 1180, outputTokens: 312 } })).cost!.costNanoUsd, done.costNanoUsd);
});

test("sums beyond 2^53 are exact", async () => {
  const { cost } = await client().estimateCost({ model: "gpt-4o", usage: { inputTokens: 9_000_000_000 } });
  assert.equal(cost!.lines[0]!.costPicoUsd, 9_000_000_000n * 2_500_000n);
  assert.ok(cost!.lines[0]!.costPicoUsd > BigInt(Number.MAX_SAFE_INTEGER));
});

test("a user at the limit is told so, with the time; a gathered burst is counted exactly", async () => {
  const bursar = client();
  const user = newUser();
  await served.bursar("account", "put", user, "--tier", "three");
  const checks = await Promise.all(Array.from({ length: 20 }, () => bursar.check({ user })));
  assert.equal(checks.filter((check) => check.allowed).length, 3);
  const denied = checks.find((check) => !check.allowed)!;
  assert.equal(denied.reason, "request_rate");
  assert.match(denied.message, /3 requests per hour/);
  assert.ok(Number(denied.headers["Retry-After"]) >= 1 && denied.retryAfterMs > 0);
  await assert.rejects(bursar.run({ user }, () => assert.fail("it ran")), (error: Denied) => error instanceof Denied && error.check.reason === "request_rate");
});

test("the same id twice counts once, and explain changes nothing", async () => {
  const bursar = client();
  const user = newUser();
  const first = await bursar.check({ user, requestId: "m-1" });
  const again = await bursar.check({ user, requestId: "m-1" });
  assert.deepEqual([first.repeat, again.repeat, again.reservation], [false, true, first.reservation]);
  assert.ok((await bursar.explain({ user })).steps.length > 0);
  assert.equal((await bursar.status({ user })).accounts[0]!.openReservations, 1);
  assert.equal((await bursar.cancel(first)).state, "RESERVATION_STATE_CANCELLED");
  assert.equal((await bursar.status({ user })).accounts[0]!.openReservations, 0);
});

test("admin calls are typed by their own names, and fail by the name of the field", async () => {
  const bursar = client();
  const user = newUser();
  const account = await bursar.admin.setTier({ ref: { id: user }, tier: "pro" });
  assert.equal(account.tier, "pro");
  assert.equal((await bursar.check({ user })).tier, "pro");
  await bursar.admin.overrideLimits({ ref: { id: user }, limits: [{ dimension: "DIMENSION_REQUESTS", kind: "LIMIT_KIND_CALENDAR", window: "CALENDAR_WINDOW_DAY", amount: 1 }] });
  assert.equal((await bursar.check({ user })).reason, "quota");
  await assert.rejects(bursar.admin.setTier({ ref: { id: user }, tier: "gold" }), (error: BursarError) => {
    assert.deepEqual([error.code, error.reason, error.fromServer], ["INVALID_ARGUMENT", "TIER_NOT_FOUND", true]);
    return true;
  });
  await assert.rejects(bursar.check({ user: "" }), { code: "INVALID_ARGUMENT", field: "user" });
  for await (const stats of bursar.admin.watchPool({ ref: { name: "agent-execution" } })) {
    assert.equal(stats.slots, 5);
    break;
  }
});

test("two workers share the calls", async () => {
  const before = await Promise.all([0, 1].map(async (bursard) => (await served.order({ do: "metric", name: "checks_total", bursard })).value));
  const bursar = client({ gather: false });
  for (let i = 0; i < 10; i++) await bursar.check({ user: newUser() });
  const after = await Promise.all([0, 1].map(async (bursard) => (await served.order({ do: "metric", name: "checks_total", bursard })).value));
  assert.deepEqual(after.map((value, i) => value - before[i]!), [5, 5]);
});

test("a server that stops and starts under a running client: delay, no error, and everything counted once", async () => {
  const bursar = client({ address: served.addresses[0]! });
  const user = newUser();
  await bursar.admin.setTier({ ref: { id: user }, tier: "enterprise" });
  await served.order({ do: "stop", bursard: 0 });
  const jobs = Array.from({ length: 5 }, () => bursar.run({ user, model: "gpt-4o" }, (job) => job.tokens({ inputTokens: 10 })));
  const started = served.order({ do: "start", bursard: 0 });
  await Promise.all(jobs);
  await started;
  await until(() => bursar.spooled === 0);
  const { accounts } = await bursar.status({ user });
  const daily = accounts[0]!.limits.find((limit) => limit.limit!.name === "requests_per_day");
  assert.deepEqual([daily!.used, accounts[0]!.openReservations], [5, 0]);
});

test("one of two workers stops: calls go to the other one, and a slot keeps its fence", async () => {
  const bursar = client();
  let reconnected = 0;
  const fences: bigint[] = [];
  const user = newUser();
  for (let i = 0; i < 2; i++) {
    await bursar.pool().run({ user, requestId: `slot-${i}` }, async (slot) => {
      fences.push(slot.fence);
      const before = reconnected;
      await served.order({ do: "restart", bursard: 0 });
      await served.order({ do: "restart", bursard: 1 });
      await until(() => reconnected > before, "a reconnect");
      assert.equal(slot.signal.aborted, false);
      slot.tokens({ inputTokens: 1 });
    }, { onReconnecting: () => reconnected++ });
  }
  assert.ok(fences[1]! > fences[0]!);
});

/** A program of its own, with a client and a folder for its spool, that can be killed. `body` is what it does. */
async function startChild(t: TestContext, body: string, options: object = {}): Promise<{ child: ChildProcess; line(): Promise<any>; kill(): Promise<void>; spool: string; files(): string[] }> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-killed-"));
  const spool = join(directory, "spool");
  const script = join(directory, "child.mjs");
  writeFileSync(script, `
    import { createInterface } from "node:readline";
    import { Bursar } from ${JSON.stringify(new URL("../../dist/esm/index.js", import.meta.url).href)};
    const bursar = new Bursar(${JSON.stringify({ address: served.addresses[0], ...PATIENT, ...options, spool: { directory: spool } })});
    const orders = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const say = (what) => console.log(JSON.stringify(what));
    ${body}`);
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const exit = once(child, "exit");
  t.after(() => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  });
  return {
    child, spool,
    line: async () => JSON.parse((await lines.next()).value),
    kill: async () => {
      child.kill("SIGKILL");
      await exit;
    },
    files: () => (readdirSync(directory).includes("spool") ? readdirSync(spool).filter((name) => !name.startsWith(".")) : []),
  };
}

/** The input tokens of a request's rows in the ledger, once there are so many and no record waits. */
async function delivered(requestId: string, files: () => string[], count = 1): Promise<number[]> {
  await until(() => files().length === 0, "the delivery");
  const rows = await until(async () => {
    const { rows } = await served.order({ do: "sql", text: `SELECT input FROM ledger WHERE request_id = '${requestId}' ORDER BY attempt` });
    return rows.length >= count ? rows : undefined;
  }, "the rows of the ledger");
  return rows.map((row: unknown[]) => Number(row[0]));
}

const open = async (user: string): Promise<number> => (await looking.status({ user })).accounts[0]!.openReservations;

test("a client that is killed leaves its record on disk, and the next one delivers it once", async (t) => {
  const user = newUser();
  const bot = await startChild(t, `
    const check = await bursar.check({ user: ${JSON.stringify(user)}, model: "gpt-4o", inputTokens: 100 });
    say(check.requestId);
    await orders.next();
    await bursar.record(check, { usage: { inputTokens: 77 } });`);
  const requestId = await bot.line();
  await served.order({ do: "stop", bursard: 0 });
  bot.child.stdin!.write("record\n");
  await until(() => bot.files().length === 1 && bot.files()[0]!.endsWith(".json"), "the record on disk");
  assert.match(bot.files()[0]!, new RegExp(`^\\d+-${requestId}-0\\.json$`));
  await bot.kill();
  await served.order({ do: "start", bursard: 0 });
  client({ spool: { directory: bot.spool } });
  assert.deepEqual(await delivered(requestId, bot.files), [77]);
});

test("a client that is killed while a server says nothing to its record loses none", async (t) => {
  const user = newUser();
  const bot = await startChild(t, `
    const checks = await Promise.all([1, 2, 3].map((n) => bursar.check({ user: ${JSON.stringify(user)} + n, model: "gpt-4o", inputTokens: 100 })));
    say(checks.map((check) => check.requestId));
    await orders.next();
    await Promise.all(checks.map((check, n) => bursar.record(check, { usage: { inputTokens: 77 + n } })));`);
  const requestIds: string[] = await bot.line();
  await served.order({ do: "freeze", bursard: 0 });
  bot.child.stdin!.write("record\n");
  await until(() => bot.files().length > 0, "the records on disk");
  await bot.kill();
  await served.order({ do: "thaw", bursard: 0 });
  client({ spool: { directory: bot.spool } });
  for (const [n, requestId] of requestIds.entries()) assert.deepEqual(await delivered(requestId, bot.files), [77 + n]);
});

test("a client that is killed in mid-answer: what it had told is charged once, and its reservation ends soon", async (t) => {
  const user = newUser();
  const orphanMs = 30_000; // extended when half of it has passed: so long a busy machine may hold up the client
  const bot = await startChild(t, `
    await bursar.run({ user: ${JSON.stringify(user)}, model: "gpt-4o", inputTokens: 100 }, async (job) => {
      job.tokens({ inputTokens: 70 });
      job.tokens({ inputTokens: 7 });
      say({ requestId: job.check.requestId, handle: job.check.reservation, startedAtUs: job.check.startedAtUs });
      await orders.next();
    });`, { orphanMs });
  const { requestId, handle, startedAtUs } = await bot.line();
  const expiresAtUs = async () => (await looking.admin.getReservation({ reservation: { handle } })).expiresAtUs;
  await until(async () => (await expiresAtUs()) > startedAtUs + (orphanMs + 1_000) * 1_000, "a renewal");
  assert.equal(await open(user), 1);
  await bot.kill();
  client({ spool: { directory: bot.spool } });
  assert.deepEqual(await delivered(requestId, bot.files, 2), [70, 7]);
  await served.order({ do: "clock", seconds: orphanMs / 1000 + 1 });
  await until(async () => (await open(user)) === 0, "the end of the reservation");
  const daily = (await looking.status({ user })).accounts[0]!.limits.find((limit) => limit.limit!.name === "requests_per_day");
  assert.deepEqual([daily!.used, daily!.held], [1, 0]);
});
