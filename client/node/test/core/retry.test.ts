import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import { Bursar, BursarError, Denied } from "bursar";
import { probePauseMs } from "../../dist/esm/core/channels.js";
import { pauseMs } from "../../dist/esm/core/retry.js";
import { FakeServer, allowed, type Handler } from "../fake.js";
import { PATIENT, until } from "../serve.js";

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

const failingOnce = (first: object | "silence"): Handler => {
  let calls = 0;
  return (request) => (calls++ === 0 ? first : allowed(request));
};

test("a check that no server answered is sent again under the same id, which is new only the first time", async () => {
  await withServer({ check: failingOnce({ status: status.UNAVAILABLE, reason: "X" }) }, async (server, bursar) => {
    const check = await bursar.check({ user: "ann" });
    const sent = server.calls("check").map((one) => one.request);
    assert.equal(sent.length, 2);
    assert.match(check.requestId, /^[0-9a-f]{32}$/);
    assert.deepEqual(sent.map((one) => one.requestId), [check.requestId, check.requestId]);
    assert.deepEqual(sent.map((one) => one.requestIdIsNew), [true, false]);
  });
});

test("an id of the caller's is never called new", async () => {
  await withServer({ check: failingOnce({ status: status.UNAVAILABLE, reason: "X" }) }, async (server, bursar) => {
    await bursar.check({ user: "ann", requestId: "mine" });
    assert.deepEqual(server.calls("check").map((one) => [one.request.requestId, one.request.requestIdIsNew]), [["mine", false], ["mine", false]]);
  });
});

test("RetryInfo is waited for", async () => {
  await withServer({ check: failingOnce({ status: status.UNAVAILABLE, reason: "X", retryMs: 700 }) }, async (server, bursar) => {
    await bursar.check({ user: "ann" });
    const [first, second] = server.calls("check");
    assert.ok(second!.at - first!.at >= 695, `${second!.at - first!.at} ms`);
  });
});

test("grpc-retry-pushback-ms is waited for", async () => {
  let calls = 0;
  await withServer({ getStatus: () => (calls++ ? {} : { status: status.UNAVAILABLE, reason: "X", pushbackMs: 600 }) }, async (server, bursar) => {
    await bursar.status({ user: "ann" });
    const [first, second] = server.calls("getStatus");
    assert.ok(second!.at - first!.at >= 595, `${second!.at - first!.at} ms`);
  });
});

test("RetryInfo beyond the deadline ends the call at once, with the time in the error", async () => {
  await withServer({ check: () => ({ status: status.UNAVAILABLE, reason: "X", retryMs: 60_000 }) }, async (server, bursar) => {
    await assert.rejects(bursar.check({ user: "ann" }), (error: BursarError) => {
      assert.deepEqual([error.code, error.retryAfterMs, error.fromServer, error.reason], ["UNAVAILABLE", 60_000, true, "X"]);
      return true;
    });
    assert.equal(server.calls("check").length, 1);
  }, { timeoutMs: 50_000 });
});

test("an attempt that nobody answers ends, and the next one is tried", async () => {
  await withServer({ check: failingOnce("silence") }, async (server, bursar) => {
    assert.equal((await bursar.check({ user: "ann" })).allowed, true);
    assert.ok(server.calls("check").length >= 2); // an answer that is slower than an attempt may be, too
  }, { attemptMs: 200, attempts: 1_000 });
});

test("CANCELLED by a stopping server is sent again", async () => {
  await withServer({ check: failingOnce({ status: status.CANCELLED }) }, async (server, bursar) => {
    assert.equal((await bursar.check({ user: "ann" })).allowed, true);
    assert.equal(server.calls("check").length, 2);
  });
});

test("after the last attempt the error is the server's", async () => {
  await withServer({ check: () => ({ status: status.UNAVAILABLE, reason: "X", details: "Redis is away" }) }, async (server, bursar) => {
    await assert.rejects(bursar.check({ user: "ann" }), { name: "BursarError", code: "UNAVAILABLE", message: "Redis is away", fromServer: true });
    assert.equal(server.calls("check").length, 3);
  }, { attempts: 3 });
});

for (const code of [status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED, status.UNAUTHENTICATED, status.INTERNAL]) {
  test(`${status[code]} is not sent again`, async () => {
    await withServer({ check: () => ({ status: code, reason: "X" }) }, async (server, bursar) => {
      await assert.rejects(bursar.check({ user: "ann" }), { code: status[code] });
      assert.equal(server.calls("check").length, 1);
    });
  });
}

test("a denial is an answer, and never sent again", async () => {
  const denied = { allowed: false, requestId: "x", reason: "REASON_BUDGET", message: "You have spent your budget.", retryAfterUs: 1500, quality: "QUALITY_EXACT" };
  await withServer({ check: () => denied }, async (server, bursar) => {
    const check = await bursar.check({ user: "ann" });
    assert.deepEqual([check.allowed, check.reason, check.retryAfterMs], [false, "budget", 2]);
    await assert.rejects(bursar.run({ user: "ann" }, () => assert.fail("it ran")), (error: Denied) => {
      assert.ok(error instanceof Denied && error instanceof BursarError);
      assert.equal(error.message, "You have spent your budget.");
      assert.equal(error.check.reason, "budget");
      return true;
    });
    assert.equal(server.calls("check").length, 2);
  });
});

for (const message of ["Wait 429 seconds.", "Your rate limit is reached.", "the rate_limit", "Too many requests."]) {
  test(`a Denied never says '${message}', at which agents' loops sleep`, async () => {
    await withServer({ check: () => ({ allowed: false, reason: "REASON_REQUEST_RATE", message }) }, async (_, bursar) => {
      await assert.rejects(bursar.run({ user: "ann" }, () => 1), (error: Denied) => {
        assert.doesNotMatch(String(error.stack), /429|rate[ _]limit|too many requests/i);
        assert.equal(error.check.message, message);
        return true;
      });
    });
  });
}

test("a signal ends a call that waits, with CANCELLED", async () => {
  await withServer({ check: () => "silence" }, async (server, bursar) => {
    const controller = new AbortController();
    const check = bursar.check({ user: "ann" }, { signal: controller.signal });
    const cancelled = assert.rejects(check, { code: "CANCELLED" });
    await until(() => server.calls("check").length > 0, "the check");
    controller.abort();
    await cancelled;
    assert.equal(server.calls("check").length, 1);
  });
});

test("a reservation whose caller has left is given back", async () => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await withServer({ check: async (request) => (await held, allowed(request)), cancel: () => ({ state: "RESERVATION_STATE_CANCELLED" }) }, async (server, bursar) => {
    const controller = new AbortController();
    const check = bursar.check({ user: "ann", requestId: "left" }, { signal: controller.signal });
    await until(() => server.calls("check").length > 0, "the check");
    controller.abort();
    await assert.rejects(check, { code: "CANCELLED" });
    release();
    await until(() => server.calls("cancel").length > 0, "the cancellation");
    assert.equal(server.calls("cancel")[0]!.request.reservation.handle, "r-left");
  });
});

test("pauses double from 50 ms to a second, with full jitter, and are never shorter than the server's", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 60].map((failures) => pauseMs(failures, 0, () => 1)), [50, 100, 200, 400, 800, 1000, 1000]);
  assert.equal(pauseMs(3, 0, () => 0), 0);
  assert.equal(pauseMs(3, 5000, () => 0.5), 5000);
});

test("a look for a server that is away comes at most half a second after the one before", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 1000].map((failures) => probePauseMs(failures, () => 1)), [0, 50, 100, 200, 400, 400, 400].map((ms) => ms * 1.25));
  assert.equal(probePauseMs(1000, () => 0), 300);
});

/** Accepts connections at a port, and breaks them. */
async function startGate(): Promise<{ port: number; connections: number; end(): Promise<void> }> {
  const gate = createServer((socket) => {
    started.connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  const started = { port: (gate.address() as AddressInfo).port, connections: 0, end: () => new Promise<void>((resolve) => gate.close(() => resolve())) };
  return started;
}

test("a server is found by the first look after its return, however long it was away: grpc-js's own back-off is never waited for", async (t) => {
  const [ours, theirs] = [await startGate(), await startGate()];
  const bursar = new Bursar({ address: `127.0.0.1:${ours.port}`, ...PATIENT, gather: false });
  const plain = new Client(`127.0.0.1:${theirs.port}`, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const call = plain.makeUnaryRequest("/a/b", same, same, Buffer.alloc(0), new Metadata({ waitForReady: true }), () => {});
  const check = bursar.check({ user: "ann" });
  check.catch(() => {});
  await until(() => ours.connections >= 30, "thirty looks");
  assert.ok(theirs.connections <= 12, `grpc-js has tried ${theirs.connections} times, and waits for longer and longer`);
  await ours.end();
  const server = new FakeServer({ check: (request) => allowed(request) });
  server.port = ours.port;
  await server.start();
  t.after(async () => {
    call.cancel();
    plain.close();
    await bursar.close();
    await theirs.end();
    server.stop();
  });
  assert.equal((await check).allowed, true);
  assert.equal(server.asked.length, 1);
});

test("a server that stops and comes back delays calls, and fails none", async () => {
  await withServer({ check: (request) => allowed(request) }, async (server, bursar) => {
    await bursar.check({ user: "ann" });
    server.stop();
    const waiting = Promise.all(Array.from({ length: 20 }, () => bursar.check({ user: "ann" })));
    await assert.rejects(bursar.check({ user: "ann" }, { timeoutMs: 300 }), { fromServer: false });
    await server.start();
    assert.equal((await waiting).filter((check) => check.allowed).length, 20);
  });
});

test("several addresses take turns, and one that is away is left out until it answers", async () => {
  const handlers: Record<string, Handler> = { check: (request) => allowed(request) };
  const one = await new FakeServer(handlers).start();
  const two = await new FakeServer(handlers).start();
  const bursar = new Bursar({ address: [one.address, two.address], gather: false, ...PATIENT });
  const tenChecks = async () => {
    for (let i = 0; i < 10; i++) await bursar.check({ user: "ann" });
  };
  await tenChecks();
  assert.deepEqual([one.asked.length, two.asked.length], [5, 5]);
  one.stop();
  await tenChecks();
  assert.equal(two.asked.length, 15);
  await one.start();
  while (one.asked.length < 8) await bursar.check({ user: "ann" });
  await bursar.close();
  one.stop();
  two.stop();
});

test("a server that hangs is left out while another one answers", async () => {
  const hanging = await new FakeServer({ check: () => "silence" }).start();
  const well = await new FakeServer({ check: (request) => allowed(request) }).start();
  const bursar = new Bursar({ address: [hanging.address, well.address], gather: false, ...PATIENT, attemptMs: 300, attempts: 1_000 });
  for (let i = 0; i < 4; i++) assert.equal((await bursar.check({ user: "ann" })).allowed, true);
  await bursar.close();
  hanging.stop();
  well.stop();
});

test("a call that would make a second thing is sent once, though it waits for a server; a reset carries an id", async (t) => {
  let resets = 0;
  const server = await new FakeServer({ createKey: () => ({ status: status.UNAVAILABLE, reason: "X" }), reset: () => (resets++ ? {} : { status: status.UNAVAILABLE, reason: "X" }) }).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT });
  t.after(async () => {
    await bursar.close();
    server.stop();
  });
  await assert.rejects(bursar.admin.createKey({}), { code: "UNAVAILABLE" });
  assert.equal(server.calls("createKey").length, 1);
  await bursar.admin.reset({ ref: { id: "ann" } });
  const ids = server.calls("reset").map((one) => one.request.requestId);
  assert.match(ids[0]!, /^[0-9a-f]{32}$/);
  assert.deepEqual(ids, [ids[0], ids[0]]);
});

test("a call whose time is short does not disturb the others of its connection", async (t) => {
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const server = await new FakeServer({ check: async (request) => (await held, allowed(request)), getStatus: () => "silence" }, (request, call) => {
    call.send({ check: allowed(request.check), granted: { lease: "l", fence: 7n, leaseUs: 30_000_000 } });
    void held.then(() => call.send({ draining: { finishByUs: 1 } }));
  }).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT });
  t.after(async () => {
    await bursar.close();
    server.stop();
  });
  const events: string[] = [];
  for await (const event of bursar.pool().acquire({ user: "ann" })) {
    events.push(event.type);
    if (event.type !== "granted") break;
    const patient = bursar.check({ user: "ann" });
    await assert.rejects(bursar.status({ user: "bob" }, { timeoutMs: 100 }), { code: "DEADLINE_EXCEEDED" });
    release();
    await patient;
  }
  assert.deepEqual([events, server.calls("check").length, server.calls("acquire").length], [["granted", "draining"], 1, 1]);
});

test("an idle client does not keep its process", async (t) => {
  const server = await new FakeServer({ check: (request) => allowed(request) }).start();
  t.after(() => server.stop());
  const code = `import { Bursar } from ${JSON.stringify(new URL("../../dist/esm/index.js", import.meta.url).href)};
    const bursar = new Bursar({ address: "${server.address}" }); console.log((await bursar.check({ user: "ann" })).allowed);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  assert.equal(String((await once(child.stdout!, "data"))[0]).trim(), "true");
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
