import assert from "node:assert/strict";
import { test } from "node:test";
import { Bursar, type Job } from "bursar";
import { FakeServer, allowed } from "../fake.js";
import { PATIENT } from "../serve.js";

async function running(body: (bursar: Bursar, server: FakeServer) => Promise<void>): Promise<any[]> {
  const server = await new FakeServer({
    check: (request) => allowed(request), record: (request) => ({ requestId: request.reservation.requestId }), cancel: () => ({ state: "RESERVATION_STATE_CANCELLED" }),
  }).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT });
  await body(bursar, server);
  await bursar.close();
  server.stop();
  return server.asked.filter((one) => !one.method.startsWith("check")).flatMap((one) => one.request.items ?? [one.method === "cancel" ? { cancelled: one.request.reservation.handle } : one.request]);
}

const input = { user: "ann", requestId: "r1" };

test("what was told is recorded, and the function's answer returned", async () => {
  const records = await running(async (bursar) => {
    assert.equal(await bursar.run(input, async (job) => (job.usage({ prompt_tokens: 5 }, { provider: "openai", model: "gpt-4o-mini" }), 7)), 7);
  });
  assert.deepEqual(records.map((one) => [one.reservation.handle, one.providerUsage, one.model, one.keepOpen]),
    [["r-r1", { provider: "openai", json: '{"prompt_tokens":5}' }, "gpt-4o-mini", false]]);
});

test("nothing told: the server is told that nothing is known", async () => {
  const records = await running(async (bursar) => void (await bursar.run(input, () => 1)));
  assert.deepEqual(records.map((one) => [one.providerUsage, one.usage]), [[{ provider: "", json: "{}" }, undefined]]);
});

test("several calls of an LLM are attempts of one reservation, and the last one closes it", async () => {
  const records = await running(async (bursar) => {
    await bursar.run(input, (job) => [1, 2, 3].forEach((tokens) => job.tokens({ inputTokens: tokens })));
  });
  assert.deepEqual(records.map((one) => [one.attempt, one.keepOpen, one.usage.inputTokens]).sort(), [[0, true, 1], [1, true, 2], [2, false, 3]]);
});

test("more calls than a reservation has attempts are charged all the same", async () => {
  const records = await running(async (bursar) => {
    await bursar.run(input, (job) => Array.from({ length: 40 }, (_, i) => job.tokens({ inputTokens: i + 1 })));
  });
  assert.equal(records.reduce((sum, one) => sum + one.usage.inputTokens, 0), (40 * 41) / 2);
  const own = records.filter((one) => one.reservation.handle === "r-r1");
  assert.deepEqual(own.map((one) => one.attempt).sort((a, b) => a - b), Array.from({ length: 32 }, (_, i) => i));
  assert.deepEqual(own.filter((one) => !one.keepOpen).map((one) => one.attempt), [31]);
  assert.equal(new Set(records.map((one) => `${one.reservation.handle} ${one.reservation.requestId} ${one.attempt}`)).size, records.length);
});

test("a function that throws gives the reservation back, and its error goes on", async () => {
  const own = new Error("the app's");
  const records = await running(async (bursar) => {
    await assert.rejects(bursar.run(input, () => Promise.reject(own)), own);
  });
  assert.deepEqual(records, [{ cancelled: "r-r1" }]);
});

test("a function that throws after it told usage is charged for it", async () => {
  const records = await running(async (bursar) => {
    await assert.rejects(bursar.run(input, (job: Job) => {
      job.tokens({ outputTokens: 3 });
      throw new Error("later");
    }), /later/);
  });
  assert.deepEqual(records.map((one) => [one.usage.outputTokens, one.keepOpen]), [[3, false]]);
});

test("a record that is refused does not take the answer away", async () => {
  const server = await new FakeServer({ check: (request) => allowed(request), record: () => ({ status: 3, details: "no" }) }).start();
  const errors: Error[] = [];
  const bursar = new Bursar({ address: server.address, ...PATIENT, onError: (error) => errors.push(error) });
  assert.equal(await bursar.run(input, () => "answer"), "answer");
  assert.deepEqual(errors.map((error) => error.message), ["no"]);
  await bursar.close();
  server.stop();
});

test("onDenied answers in place of the function", async () => {
  const server = await new FakeServer({ check: () => ({ allowed: false, reason: "REASON_QUOTA", message: "Enough for today." }) }).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT });
  assert.equal(await bursar.run<string>(input, () => "ran", { onDenied: (check) => check.message }), "Enough for today.");
  await bursar.close();
  server.stop();
});
