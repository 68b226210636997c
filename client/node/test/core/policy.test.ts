import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { Bursar, type BursarOptions } from "bursar";
import { Share } from "../../dist/esm/core/fail.js";
import { usageJson } from "../../dist/esm/core/usage.js";
import { FakeServer, allowed } from "../fake.js";
import { PATIENT, until } from "../serve.js";

const NOBODY = "127.0.0.1:1";

async function withClient(options: BursarOptions, body: (bursar: Bursar) => Promise<void>): Promise<void> {
  const bursar = new Bursar({ address: NOBODY, failAfterMs: 50, ...options });
  try {
    await body(bursar);
  } finally {
    await bursar.close();
  }
}

test("closed: without a server nothing runs", async () => {
  await withClient({}, async (bursar) => {
    await assert.rejects(bursar.check({ user: "ann" }), { name: "BursarError", code: "UNAVAILABLE", reason: "NO_SERVER", fromServer: false });
    await assert.rejects(bursar.run({ user: "ann" }, () => assert.fail("it ran")), { code: "UNAVAILABLE" });
  });
});

test("open: without a server everything runs, and is recorded when one is back", async () => {
  const server = await new FakeServer({ record: (request) => ({ requestId: request.reservation.requestId }) }).start();
  server.stop();
  const bursar = new Bursar({ address: server.address, fail: "open", failAfterMs: 50, interface: "web" });
  let check: any;
  const answer = await bursar.run({ user: "ann", model: "gpt-4o" }, (job) => {
    check = job.check;
    job.usage({ prompt_tokens: 7 });
    return "answer";
  });
  assert.equal(answer, "answer");
  assert.deepEqual([check.allowed, check.quality, check.degraded, check.reservation], [true, "none", true, ""]);
  await server.start();
  await until(() => bursar.spooled === 0, "the delivery");
  const record = server.asked.flatMap((one) => one.request.items ?? [one.request])[0];
  assert.deepEqual([record.reservation.user, record.reservation.requestId, record.reservation.startedAtUs, record.model, record.interface, record.providerUsage.json],
    ["ann", check.requestId, check.startedAtUs, "gpt-4o", "web", '{"prompt_tokens":7}']);
  await bursar.close();
  server.stop();
});

test("what ran without a server and told nothing is charged as the check estimated", async (t) => {
  const server = await new FakeServer({ record: (request) => ({ requestId: request.reservation.requestId }) }).start();
  const bursar = new Bursar({ address: server.address, fail: "open", failAfterMs: 50 });
  t.after(async () => {
    await bursar.close();
    server.stop();
  });
  server.stop();
  await bursar.run({ user: "ann", inputTokens: 70, maxOutputTokens: 30 }, () => {});
  await server.start();
  await until(() => server.asked.length > 0, "the record");
  const { usage, providerUsage } = server.asked.flatMap((one) => one.request.items ?? [one.request])[0];
  assert.deepEqual([usage.inputTokens, usage.outputTokens, providerUsage], [70, 30, undefined]);
});

test("share: without a server each user has a bucket in this process", async () => {
  await withClient({ fail: { share: { requestsPerMinute: 2 } }, language: "de-AT" }, async (bursar) => {
    const ann = [];
    for (let i = 0; i < 3; i++) ann.push(await bursar.check({ user: "ann" }));
    assert.deepEqual(ann.map((check) => [check.allowed, check.quality]), [[true, "none"], [true, "none"], [false, "none"]]);
    assert.equal(ann[2]!.reason, "request_rate");
    assert.ok(ann[2]!.retryAfterMs > 0 && ann[2]!.retryAfterMs <= 30_000);
    assert.match(ann[2]!.message, /^Der Dienst ist ausgelastet/);
    assert.equal((await bursar.check({ user: "bob" })).allowed, true);
  });
});

test("what a server says counts, whatever the client's policy", async () => {
  const server = await new FakeServer({ check: () => ({ status: status.UNAVAILABLE, reason: "STORE" }) }).start();
  await withClient({ address: server.address, fail: "open", ...PATIENT, attempts: 2 }, async (bursar) => {
    await assert.rejects(bursar.check({ user: "ann" }), { code: "UNAVAILABLE", fromServer: true });
  });
  server.stop();
});

test("a server that is silent is no server", async () => {
  const server = await new FakeServer({ check: () => "silence" }).start();
  await withClient({ address: server.address, fail: "open", failAfterMs: 300, attemptMs: 100 }, async (bursar) => {
    assert.equal((await bursar.check({ user: "ann" })).quality, "none");
  });
  server.stop();
});

test("a bucket refills evenly, and the one that was not asked for longest is forgotten first", () => {
  const share = new Share(60);
  for (let i = 0; i < 60; i++) assert.equal(share.take("ann", 0), 0);
  assert.equal(share.take("ann", 0), 1000);
  assert.equal(share.take("ann", 400), 600);
  assert.equal(share.take("ann", 1000), 0);
  for (let i = 0; i < 10_000; i++) share.take(`u${i}`, 1000);
  assert.equal(share.size, 10_000);
  assert.equal(share.take("ann", 1000), 0);
});

test("a warning is told to onWarning, and a callback that throws breaks nothing", async () => {
  const limit = { limit: { name: "requests_per_day" }, notify: true, warning: true, used: 40 };
  const server = await new FakeServer({ check: (request) => allowed(request, { limits: [limit, { warning: true }] }) }).start();
  const told: string[] = [];
  const onWarning = (one: any) => {
    told.push(one.limit.name);
    throw new Error("the app's");
  };
  await withClient({ address: server.address, ...PATIENT, onWarning }, async (bursar) => {
    const check = await bursar.check({ user: "ann" });
    assert.deepEqual(check.notify.map((one) => one.used), [40]);
    assert.deepEqual(told, ["requests_per_day"]);
  });
  server.stop();
});

for (const [options, field] of [
  [{ address: "http://localhost:7420" }, "address"], [{ address: [] }, "address"], [{ key: "bsk with spaces" }, "key"],
  [{ timeoutMs: 0 }, "timeoutMs"], [{ orphanMs: 999 }, "orphanMs"], [{ gather: { items: 2000 } }, "gather.items"], [{ fail: { share: {} } }, "fail.share.requestsPerMinute"], [{ tls: { ca: "/nowhere.pem" } }, "tls"],
] as [BursarOptions, string][]) {
  test(`${JSON.stringify(options)} is refused by the name of its field`, () => {
    assert.throws(() => new Bursar(options), { name: "BursarError", code: "INVALID_ARGUMENT", field });
  });
}

test("the address and the key come from the environment when they are not given", async () => {
  const server = await new FakeServer({ check: (request) => allowed(request) }).start();
  process.env["BURSAR_ADDR"] = ` ${server.address}`;
  process.env["BURSAR_KEY"] = "bsk_secret";
  const bursar = new Bursar(PATIENT);
  await bursar.check({ user: "ann" });
  delete process.env["BURSAR_ADDR"];
  delete process.env["BURSAR_KEY"];
  assert.deepEqual(server.asked[0]!.metadata.get("authorization"), ["Bearer bsk_secret"]);
  await bursar.close();
  server.stop();
});

test("a provider's usage goes as it came; of what is too large, only what tells of use", () => {
  assert.equal(usageJson('{"a":  1}'), '{"a":  1}');
  assert.equal(usageJson({ usage: { total: 5n } }), '{"usage":{"total":"5"}}');
  const large = { id: "x", model: "gpt-4o", choices: ["y".repeat(70_000)], usage: { prompt_tokens: 5 } };
  assert.deepEqual(JSON.parse(usageJson(large)), { usage: { prompt_tokens: 5 }, model: "gpt-4o" });
  assert.deepEqual(JSON.parse(usageJson(JSON.stringify(large))), { usage: { prompt_tokens: 5 }, model: "gpt-4o" });
  const events = [{ type: "message_start", message: { model: "claude", content: "z".repeat(70_000), usage: { input_tokens: 1 } } }, { type: "delta" }, { usage: { output_tokens: 2 } }];
  assert.deepEqual(JSON.parse(usageJson(events)), [{ message: { usage: { input_tokens: 1 }, model: "claude" } }, { usage: { output_tokens: 2 } }]);
});
