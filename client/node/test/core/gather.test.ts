import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { Bursar } from "bursar";
import { FakeServer, allowed, type Handler } from "../fake.js";
import { PATIENT } from "../serve.js";

async function withServer(handlers: Record<string, Handler>, body: (server: FakeServer, bursar: Bursar) => Promise<void>, options: object = {}): Promise<void> {
  const server = await new FakeServer(handlers).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT, ...options });
  try {
    await body(server, bursar);
  } finally {
    await bursar.close();
    server.stop();
  }
}

const ok: Handler = (request) => allowed(request);
const names = (server: FakeServer) => server.asked.map((one) => (one.request.items ? `${one.method} ${one.request.items.length}` : one.method));

test("a check alone goes as a check", async () => {
  await withServer({ check: ok }, async (server, bursar) => {
    await bursar.check({ user: "ann" });
    await bursar.check({ user: "ann" });
    assert.deepEqual(names(server), ["check", "check"]);
  });
});

test("checks of one turn of the loop go as one batch", async () => {
  await withServer({ check: ok }, async (server, bursar) => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => bursar.check({ user: `u${i}` })));
    assert.deepEqual(names(server), ["checkBatch 50"]);
  });
});

test("a batch that is full goes at once, the rest after it", async () => {
  await withServer({ check: ok }, async (server, bursar) => {
    await Promise.all(Array.from({ length: 25 }, () => bursar.check({ user: "ann" })));
    assert.deepEqual(names(server).sort(), ["checkBatch 10", "checkBatch 10", "checkBatch 5"]);
  }, { gather: { items: 10 } });
});

test("without gathering each goes alone", async () => {
  await withServer({ check: ok }, async (server, bursar) => {
    await Promise.all(Array.from({ length: 5 }, () => bursar.check({ user: "ann" })));
    assert.deepEqual(names(server), ["check", "check", "check", "check", "check"]);
  }, { gather: false });
});

test("each caller gets its own answer", async () => {
  await withServer({ check: (request) => allowed(request, { tier: `tier of ${request.user}` }) }, async (_, bursar) => {
    const users = Array.from({ length: 30 }, (_, i) => `u${i}`);
    const checks = await Promise.all(users.map((user) => bursar.check({ user, requestId: `id-${user}` })));
    assert.deepEqual(checks.map((check) => [check.tier, check.requestId, check.user]), users.map((user) => [`tier of ${user}`, `id-${user}`, user]));
  });
});

test("each caller gets its own error, and the others their answers", async () => {
  const answer: Handler = (request) => (request.user === "bad" ? { status: status.INVALID_ARGUMENT, details: "model: there is no price" } : allowed(request));
  await withServer({ check: answer }, async (server, bursar) => {
    const [good, bad, wrong, other] = await Promise.allSettled([
      bursar.check({ user: "good" }), bursar.check({ user: "bad" }), bursar.check({ user: "wrong", inputTokens: 1.5 }), bursar.check({ user: "other" }),
    ]);
    assert.equal(good.status, "fulfilled");
    assert.equal(other.status, "fulfilled");
    assert.deepEqual([(bad as any).reason.code, (bad as any).reason.message, (bad as any).reason.fromServer], ["INVALID_ARGUMENT", "model: there is no price", true]);
    assert.deepEqual([(wrong as any).reason.code, (wrong as any).reason.field, (wrong as any).reason.fromServer], ["INVALID_ARGUMENT", "inputTokens", false]);
    assert.deepEqual(names(server), ["checkBatch 3"]);
  });
});

test("an item that the server could not decide is sent again, and only it", async () => {
  const failed = new Set<string>();
  const answer: Handler = (request) => {
    if (request.user !== "slow" || failed.has(request.requestId)) return allowed(request);
    failed.add(request.requestId);
    return { status: status.UNAVAILABLE };
  };
  await withServer({ check: answer }, async (server, bursar) => {
    const checks = await Promise.all(["a", "slow", "b"].map((user) => bursar.check({ user })));
    assert.deepEqual(checks.map((check) => check.allowed), [true, true, true]);
    assert.deepEqual(names(server), ["checkBatch 3", "check"]);
    assert.equal(server.calls("check")[0]!.request.requestIdIsNew, false);
  });
});

test("each has its own deadline", async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await withServer({ check: async (request) => (await held, allowed(request)), cancel: () => ({}) }, async (_, bursar) => {
    const patient = bursar.check({ user: "ann" });
    await assert.rejects(bursar.check({ user: "bob" }, { timeoutMs: 150 }), { code: "DEADLINE_EXCEEDED" });
    release();
    assert.equal((await patient).allowed, true);
  });
});

test("each is cancelled by its own signal, before it is sent without a trace", async () => {
  await withServer({ check: ok }, async (server, bursar) => {
    const controller = new AbortController();
    const checks = [bursar.check({ user: "ann" }), bursar.check({ user: "bob" }, { signal: controller.signal }), bursar.check({ user: "cat" })];
    const settled = Promise.allSettled(checks);
    controller.abort();
    assert.deepEqual((await settled).map((one) => one.status), ["fulfilled", "rejected", "fulfilled"]);
    assert.deepEqual(server.asked[0]!.request.items.map((item: { user: string }) => item.user), ["ann", "cat"]);
  });
});

test("records are gathered too, a settled check is not", async () => {
  await withServer({ check: ok, record: (request) => ({ requestId: request.reservation.handle }) }, async (server, bursar) => {
    await Promise.all([bursar.check({ user: "a" }), bursar.check({ user: "b", settle: true })]);
    const results = await Promise.all(["h1", "h2", "h3"].map((reservation) => bursar.record({ reservation }, { usage: { inputTokens: 1 } })));
    assert.deepEqual(results.map((result) => result.requestId), ["h1", "h2", "h3"]);
    assert.deepEqual(names(server).sort(), ["check", "check", "recordBatch 3"]);
  });
});

test("while a call is in flight, those that come wait for each other", async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await withServer({ check: async (request) => (request.user === "first" && (await held), allowed(request)) }, async (server, bursar) => {
    const first = bursar.check({ user: "first" });
    while (server.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    const second = bursar.check({ user: "second" });
    await new Promise((resolve) => setImmediate(resolve));
    const third = bursar.check({ user: "third" });
    release();
    await Promise.all([first, second, third]);
    assert.deepEqual(names(server), ["check", "checkBatch 2"]);
  }, { gather: { delayMs: 60_000 } });
});
