import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import { Bursar } from "bursar";
import { FakeServer, allowed, type Handler } from "../fake.js";
import { PATIENT, until } from "../serve.js";

async function bench(t: TestContext, options: object = {}, renew: Handler = () => ({ expiresAtUs: 1 })): Promise<{ bursar: Bursar; server: FakeServer }> {
  const server = await new FakeServer({ check: (request) => allowed(request), record: () => ({}), cancel: () => ({}), renew }).start();
  const bursar = new Bursar({ address: server.address, gather: false, orphanMs: 1_000, ...PATIENT, ...options });
  t.after(async () => {
    await bursar.close();
    server.stop();
  });
  return { bursar, server };
}

const renewed = (server: FakeServer): [string, number][] => server.calls("renew").map(({ request }) => [request.reservation.handle, request.reservationTtlUs]);
const of = (server: FakeServer, handle: string) => renewed(server).filter(([one]) => one === handle).length;

test("what runs is extended until it is recorded or given back, the longer it runs the further", async (t) => {
  const { bursar, server } = await bench(t);
  const [first, second, third] = [await bursar.check({ user: "ann" }), await bursar.check({ user: "ann" }), await bursar.check({ user: "ann" })];
  assert.deepEqual(server.calls("check").map(({ request }) => request.reservationTtlUs), [1_000_000, 1_000_000, 1_000_000]);
  await until(() => of(server, second.reservation) > 0 && of(server, third.reservation) > 0);
  await bursar.record(second, { usage: {}, keepOpen: true });
  await bursar.cancel(third);
  await until(() => of(server, first.reservation) >= 3 && of(server, second.reservation) >= 3);
  await bursar.record(second, { usage: {}, attempt: 1 });
  const counts = [of(server, second.reservation), of(server, third.reservation)];
  const more = of(server, first.reservation) + 1;
  await until(() => of(server, first.reservation) >= more);
  assert.deepEqual([of(server, second.reservation), of(server, third.reservation)], counts);
  const lengths = renewed(server).filter(([one]) => one === first.reservation).map(([, us]) => us);
  assert.ok(lengths.every((us, n) => us >= (lengths[n - 1] ?? 1_000_000)) && lengths.at(-1)! > lengths[0]!, String(lengths));
});

test("what would not outlive the process is not extended, nor is it with orphanMs 0", async (t) => {
  const { bursar, server } = await bench(t);
  const long = await bursar.check({ user: "ann" });
  await bursar.check({ user: "ann", reservationTtlMs: 1_000 });
  await until(() => of(server, long.reservation) >= 2);
  assert.deepEqual([...new Set(renewed(server).map(([handle]) => handle))], [long.reservation]);
  const never = new Bursar({ address: server.address, orphanMs: 0, ...PATIENT });
  await never.check({ user: "ann" });
  await never.check({ user: "ann", reservationTtlMs: 5_000 });
  await never.close();
  assert.deepEqual(server.calls("check").slice(2).map(({ request }) => request.reservationTtlUs), [0, 5_000_000]);
});

test("a repeat is extended by the process whose check came first", async (t) => {
  const { bursar, server } = await bench(t);
  const first = await bursar.check({ user: "ann" });
  const repeats = new FakeServer({ check: (request) => allowed(request, { repeat: true }), renew: () => ({}) });
  await repeats.start();
  const other = new Bursar({ address: repeats.address, orphanMs: 1_000, ...PATIENT });
  await other.check({ user: "ann", requestId: "known" });
  await until(() => of(server, first.reservation) >= 2);
  assert.deepEqual(renewed(repeats), []);
  await other.close();
  repeats.stop();
});

test("one that has ended is not asked for again; one that no server answers for is", async (t) => {
  let ended = "";
  let away = true;
  const { bursar, server } = await bench(t, { attempts: 1 }, ({ reservation }) => {
    if (reservation.handle === ended) return { status: status.FAILED_PRECONDITION, details: "no longer open" };
    if (away) return { status: status.UNAVAILABLE, reason: "STORE" };
    return {};
  });
  ended = (await bursar.check({ user: "ann" })).reservation;
  const waits = await bursar.check({ user: "ann" });
  await until(() => of(server, ended) > 0 && of(server, waits.reservation) > 0);
  away = false;
  await until(() => of(server, waits.reservation) >= 3);
  assert.equal(of(server, ended), 1);
});

test("a client that is closed leaves what is open for as long as it may run", async (t) => {
  const { bursar, server } = await bench(t, { orphanMs: 60_000 });
  const check = await bursar.check({ user: "ann", reservationTtlMs: 120_000 });
  await bursar.close();
  const [[handle, us]] = renewed(server) as [[string, number]];
  assert.equal(handle, check.reservation);
  assert.ok(us > 60_000_000 && us <= 120_000_000);
});
