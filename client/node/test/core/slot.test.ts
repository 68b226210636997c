import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import { Bursar, Denied, type PoolEvent } from "bursar";
import { FakeServer, allowed, type StreamHandler } from "../fake.js";
import { PATIENT, until } from "../serve.js";

type Handler = (request: any, call: Parameters<StreamHandler>[1], nth: number) => void;

async function poolAt(t: TestContext, acquire: Handler, options: object = {}): Promise<{ bursar: Bursar; server: FakeServer }> {
  let calls = 0;
  const server = await new FakeServer({
    record: (request) => ({ requestId: request.reservation.handle }), cancel: () => ({}), release: () => ({ heldUs: 1 }),
  }, (request, call) => acquire(request, call, calls++)).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT, ...options });
  t.after(async () => {
    await bursar.close();
    server.stop();
  });
  return { bursar, server };
}

const check = (request: any) => allowed(request.check);
const queued = (position: number) => ({ position, etaUs: 5_000_000, waitedUs: 1_000, reason: "WAIT_REASON_OWN_CAP", ahead: [] });
const granted = (fence: bigint, leaseUs = 30_000_000) => ({ lease: `lease-${fence}`, fence, leaseUs, waitedUs: 2_000_000 });
const calls = (server: FakeServer, ...methods: string[]) => server.asked.filter((one) => methods.includes(one.method)).map((one) => one.method);
const untilAborted = (signal: AbortSignal) => new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("the position counts down, the slot is granted, recorded and given back", async (t) => {
  let given = false;
  const { bursar, server } = await poolAt(t, (request, call) => {
    call.onCancel(() => (given = true));
    call.send({ check: check(request), queued: queued(2) });
    call.send({ queued: queued(1) });
    call.send({ granted: granted(9007199254740993n) });
  });
  const positions: number[] = [];
  const answer = await bursar.pool("gpu").run({ user: "ann", model: "gpt-4o" }, (slot) => {
    assert.deepEqual([slot.fence, slot.lease, slot.waitedMs, slot.signal.aborted], [9007199254740993n, "lease-9007199254740993", 2000, false]);
    slot.usage({ prompt_tokens: 1 });
    return slot.check.requestId;
  }, { onQueued: (event) => positions.push(event.position), seats: 2, maxWaitMs: 60_000 });
  assert.deepEqual(positions, [2, 1]);
  const { request } = server.calls("acquire")[0]!;
  assert.deepEqual([request.pool, request.seats, request.maxWaitUs, request.check.user, request.check.requestId], ["gpu", 2, 60_000_000, "ann", answer]);
  assert.equal(server.calls("record")[0]!.request.reservation.handle, `r-${answer}`);
  await until(() => given, "the end of the stream");
});

test("a broken stream is opened again with the same request id, and the work goes on", async (t) => {
  const { bursar, server } = await poolAt(t, (request, call, nth) => {
    call.send({ check: check(request), granted: { ...granted(7n), repeat: nth > 0 } });
    if (nth === 0) setImmediate(() => call.fail(status.UNAVAILABLE, "DRAINING"));
  });
  let again = 0;
  await bursar.pool().run({ user: "ann" }, async (slot) => {
    await until(() => server.calls("acquire").length >= 2, "the second stream");
    assert.equal(slot.signal.aborted, false);
  }, { onReconnecting: () => again++ });
  assert.equal(again, 1);
  assert.equal(new Set(server.calls("acquire").map((one) => one.request.check.requestId)).size, 1);
});

test("waiting goes on over a server that stops and comes back", async (t) => {
  const { bursar, server } = await poolAt(t, (request, call, nth) => {
    call.send({ check: check(request), ...(nth === 0 ? { queued: queued(1) } : { granted: granted(7n) }) });
  });
  let again: Promise<unknown> | undefined;
  await bursar.pool().run({ user: "ann" }, () => {}, {
    onQueued: () => {
      if (again) return;
      server.stop();
      again = server.start();
    },
  });
  assert.equal(server.calls("acquire").length, 2);
});

test("a lease that no server renews is lost in time: the signal says so", async (t) => {
  const { bursar, server } = await poolAt(t, (request, call) => call.send({ check: check(request), granted: granted(7n, 2_300_000) }), { timeoutMs: 2_000 });
  let lost: Error | undefined;
  const run = bursar.pool().run({ user: "ann" }, async (slot) => {
    server.stop();
    await untilAborted(slot.signal);
  }, { onLost: (error) => (lost = error) });
  await assert.rejects(run, { name: "BursarError", code: "ABORTED", reason: "LEASE_LOST" });
  assert.equal((lost as any)?.code, "ABORTED");
  await server.start();
});

test("another lease under the same id means that the first is lost", async (t) => {
  const { bursar } = await poolAt(t, (request, call, nth) => {
    call.send({ check: check(request), granted: granted(nth === 0 ? 7n : 8n) });
    if (nth === 0) setImmediate(() => call.fail(status.UNAVAILABLE));
  });
  await assert.rejects(bursar.pool().run({ user: "ann" }, (slot) => untilAborted(slot.signal)), { code: "ABORTED", reason: "LEASE_LOST" });
});

test("a lease that the server takes away is lost", async (t) => {
  const { bursar } = await poolAt(t, (request, call) => {
    call.send({ check: check(request), granted: granted(7n) });
    setImmediate(() => call.fail(status.ABORTED, "TAKEN_OVER"));
  });
  const events: string[] = [];
  await assert.rejects(async () => {
    for await (const event of bursar.pool().acquire({ user: "ann" })) events.push(event.type);
  }, { code: "ABORTED", reason: "TAKEN_OVER" });
  assert.deepEqual(events, ["granted", "lost"]);
});

test("a denial is thrown as Denied, by run and by the iterator", async (t) => {
  const { bursar } = await poolAt(t, (request, call) => {
    call.send({ check: { allowed: false, requestId: request.check.requestId, reason: "REASON_QUOTA", message: "Enough." }, denied: {} });
    call.end();
  });
  await assert.rejects(bursar.pool().run({ user: "ann" }, () => assert.fail("it ran")), (error: Denied) => error instanceof Denied && error.check.reason === "quota");
  await assert.rejects(async () => {
    for await (const event of bursar.pool().acquire({ user: "ann" })) assert.fail(event.type);
  }, { name: "Denied" });
});

test("a queue that is too slow is the server's error", async (t) => {
  const { bursar } = await poolAt(t, (_, call) => call.fail(status.RESOURCE_EXHAUSTED, "PREDICTED_WAIT"));
  await assert.rejects(bursar.pool().run({ user: "ann" }, () => assert.fail("it ran")), { code: "RESOURCE_EXHAUSTED", reason: "PREDICTED_WAIT" });
});

test("leaving the loop gives the place back", async (t) => {
  let left = false;
  const { bursar, server } = await poolAt(t, (request, call) => {
    call.onCancel(() => (left = true));
    call.send({ check: check(request), queued: queued(3) });
  });
  const events: PoolEvent[] = [];
  for await (const event of bursar.pool().acquire({ user: "ann" })) {
    events.push(event);
    break;
  }
  await until(() => left, "the end of the stream");
  assert.deepEqual(events.map((event) => [event.type, (event as any).position, (event as any).etaMs]), [["queued", 3, 5000]]);
  assert.deepEqual(calls(server, "record", "cancel"), []);
});

test("the caller's signal ends the wait, and the work", async (t) => {
  const { bursar, server } = await poolAt(t, (request, call, nth) => call.send({ check: check(request), ...(nth === 0 ? { queued: queued(1) } : { granted: granted(7n) }) }));
  const first = new AbortController();
  await assert.rejects(bursar.pool().run({ user: "ann" }, () => assert.fail("it ran"), { signal: first.signal, onQueued: () => first.abort() }), { code: "CANCELLED" });
  const second = new AbortController();
  await assert.rejects(bursar.pool().run({ user: "ann" }, (slot) => {
    second.abort();
    slot.signal.throwIfAborted();
  }, { signal: second.signal, onLost: () => assert.fail("lost") }), { code: "CANCELLED" });
  assert.deepEqual(calls(server, "cancel"), ["cancel"]);
});

test("a function that throws gives slot and reservation back", async (t) => {
  let left = false;
  const { bursar, server } = await poolAt(t, (request, call) => {
    call.onCancel(() => (left = true));
    call.send({ check: check(request), granted: granted(7n) });
  });
  await assert.rejects(bursar.pool().run({ user: "ann" }, () => Promise.reject(new Error("the app's"))), /the app's/);
  await until(() => left, "the end of the stream");
  assert.deepEqual(calls(server, "record", "cancel"), ["cancel"]);
});

test("closing the client ends its slots", async (t) => {
  let left = 0;
  const { bursar } = await poolAt(t, (request, call, nth) => {
    call.onCancel(() => left++);
    call.send({ check: check(request), ...(nth === 0 ? { granted: granted(7n) } : { queued: queued(1) }) });
  });
  let started: () => void = () => {};
  const holding = new Promise<void>((resolve) => (started = resolve));
  const held = bursar.pool().run({ user: "ann" }, (slot) => (started(), untilAborted(slot.signal)));
  held.catch(() => {});
  await holding;
  const waiting = bursar.pool().run({ user: "bob" }, () => assert.fail("it ran"), { onQueued: () => void bursar.close() });
  await assert.rejects(waiting, { name: "BursarError", code: "CANCELLED" });
  await assert.rejects(held, { name: "BursarError" });
  await until(() => left === 2, "the end of both streams");
});

test("draining is told, and the work goes on", async (t) => {
  const { bursar } = await poolAt(t, (request, call) => {
    call.send({ check: check(request), granted: granted(7n) });
    call.send({ draining: { finishByUs: 1796000000000000 } });
  });
  let finishBy = 0;
  await bursar.pool().run({ user: "ann" }, async (slot) => {
    await until(() => finishBy > 0, "draining");
    assert.equal(slot.signal.aborted, false);
  }, { onDraining: (event) => (finishBy = event.finishByUs) });
  assert.equal(finishBy, 1796000000000000);
});

test("a slot that ends while no server is connected is released by a call", async (t) => {
  const { bursar, server } = await poolAt(t, (request, call) => call.send({ check: check(request), granted: granted(7n) }), { failAfterMs: 1 });
  let broken = false;
  await bursar.pool().run({ user: "ann" }, async () => {
    server.stop();
    await until(() => broken, "the break");
  }, { onReconnecting: () => (broken = true) });
  await server.start();
  await until(() => server.calls("release").length > 0, "the release");
  assert.equal(server.calls("release")[0]!.request.lease, "lease-7");
});
