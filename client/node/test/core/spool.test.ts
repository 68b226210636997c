import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import { Bursar, RecordError } from "bursar";
import { RecordBatchRequestMessage } from "../../dist/esm/gen/bursar.js";
import { batchName, fileName, fromText } from "../../dist/esm/core/spoolfile.js";
import { FakeServer, allowed, type Handler } from "../fake.js";
import { PATIENT, until } from "../serve.js";

const ok: Handler = (request) => ({ requestId: request.reservation.requestId, cost: { costNanoUsd: 42 } });

interface Bench {
  server: FakeServer;
  directory: string;
  errors: Error[];
  client(options?: object): Bursar;
  /** A server that is not there. */
  files(): string[];
}

async function bench(t: TestContext, handler: Handler = ok): Promise<Bench> {
  const server = await new FakeServer({ record: handler, check: (request) => allowed(request) }).start();
  const directory = mkdtempSync(join(tmpdir(), "bursar-spool-"));
  const clients: Bursar[] = [];
  const errors: Error[] = [];

  t.after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    server.stop();
    rmSync(directory, { recursive: true });
  });
  return {
    server, directory, errors,
    client: (options = {}) => {
      const client = new Bursar({ address: server.address, spool: { directory }, ...PATIENT, failAfterMs: 1, onError: (error) => errors.push(error), ...options });
      clients.push(client);
      return client;
    },
    files: () => readdirSync(directory).sort(),
  };
}

const records = (server: FakeServer) => server.asked.flatMap((one) => (one.method === "recordBatch" ? one.request.items : one.method === "record" ? [one.request] : []));

test("a record that no server takes is on disk when the call returns, in the JSON of protobuf", async (t) => {
  const { server, directory, client, files } = await bench(t);
  server.stop();
  const result = await client().record({ user: "ann", requestId: "r/1", startedAtUs: 1796000000000000 }, { usage: { inputTokens: 5 }, attempt: 2, model: "gpt-4o" });
  assert.deepEqual([result.queued, result.requestId, result.costNanoUsd], [true, "r/1", 0]);
  const [name] = files();
  assert.match(name!, /^\d{16}-r%2F1-2\.json$/);
  assert.equal(statSync(join(directory, name!)).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(join(directory, name!), "utf8")), {
    reservation: { user: "ann", requestId: "r/1", startedAtUs: "1796000000000000" }, usage: { inputTokens: "5" }, model: "gpt-4o", attempt: 2,
  });
});

test("when a server is back, records are delivered in order, each once, and their files are gone", async (t) => {
  const { server, client, files } = await bench(t);
  server.stop();
  const bursar = client();
  for (let i = 0; i < 250; i++) await bursar.record({ reservation: `h${i}` }, { usage: {} });
  assert.equal(files().length, 250);
  assert.equal(bursar.spooled, 250);
  await server.start();
  await until(() => bursar.spooled === 0);
  assert.deepEqual(records(server).map((one: any) => one.reservation.handle), Array.from({ length: 250 }, (_, i) => `h${i}`));
  assert.deepEqual(files(), []);
});

test("a caller that still waits gets the cost when its record is delivered", async (t) => {
  const { server, client } = await bench(t);
  server.stop();
  const record = client(PATIENT).record({ user: "ann" }, { usage: {} });
  await server.start();
  const result = await record;
  assert.deepEqual([result.queued, result.costNanoUsd], [false, 42]);
});

test("what an earlier process left is delivered by the next one", async (t) => {
  const { server, directory, client, files } = await bench(t);
  const text = '{"reservation": {"user": "ann", "request_id": "python", "started_at_us": 1796000000000000}, "provider_usage": {"json": "{}"}}';
  writeFileSync(join(directory, fileName(1, "python", 0)), text);
  client();
  await until(() => files().length === 0);
  assert.equal(records(server)[0].reservation.requestId, "python");
});

test("two processes may share a folder: each record is delivered, and none is left", async (t) => {
  const { server, client, files } = await bench(t);
  server.stop();
  const [one, two] = [client(), client()];
  for (let i = 0; i < 20; i++) await (i % 2 ? one : two).record({ reservation: `h${i}` }, { usage: {} });
  await server.start();
  await until(() => files().length === 0 && one.spooled === 0 && two.spooled === 0);
  assert.equal(new Set(records(server).map((record: any) => record.reservation.handle)).size, 20);
});

test("a record that the server refuses for good is set aside and told; those behind it go on", async (t) => {
  const refuse: Handler = (request) => (request.reservation.handle === "old" ? { status: status.FAILED_PRECONDITION, details: "the record is older than 7 days" } : ok(request, null as any, null as any));
  const { server, client, files, errors } = await bench(t, refuse);
  server.stop();
  const bursar = client();
  for (const reservation of ["a", "old", "b"]) await bursar.record({ reservation }, { usage: {} });
  await server.start();
  await until(() => bursar.spooled === 0);
  assert.deepEqual(files().map((name) => name.replace(/^\d+-/, "")), ["0-0.json.refused"]);
  assert.ok(errors[0] instanceof RecordError);
  assert.deepEqual([errors[0].code, errors[0].message, errors[0].record?.reservation?.handle], ["FAILED_PRECONDITION", "the record is older than 7 days", "old"]);
});

test("a file that is not a record is set aside and told", async (t) => {
  const { directory, client, files, errors } = await bench(t);
  writeFileSync(join(directory, fileName(1, "cut", 0)), '{"reservation": {"us');
  writeFileSync(join(directory, fileName(2, "other", 0)), '{"hello": 1}');
  client();
  await until(() => errors.length === 2);
  assert.deepEqual(files(), [`${fileName(1, "cut", 0)}.bad`, `${fileName(2, "other", 0)}.bad`]);
});

test("a spool that is full rejects, and tells the record: nothing is thrown away silently", async (t) => {
  const { server, client, errors } = await bench(t);
  server.stop();
  const bursar = client({ spool: { records: 2 } });
  await bursar.record({ reservation: "a" }, { usage: {} });
  await bursar.record({ reservation: "b" }, { usage: {} });
  await assert.rejects(bursar.record({ reservation: "c" }, { usage: {} }), { code: "RESOURCE_EXHAUSTED", reason: "SPOOL_FULL" });
  assert.equal((errors[0] as RecordError).record?.reservation?.handle, "c");
  const small = client({ spool: { bytes: 100 } });
  await assert.rejects(small.record({ reservation: "x".repeat(100) }, { usage: {} }), { reason: "SPOOL_FULL" });
  await server.start();
});

test("a record that a server refuses at once rejects, and is not kept", async (t) => {
  const { client, files } = await bench(t, () => ({ status: status.INVALID_ARGUMENT, details: "usage.input_tokens: below 0" }));
  await assert.rejects(client().record({ reservation: "a" }, { usage: { inputTokens: -1 } }), { code: "INVALID_ARGUMENT" });
  assert.deepEqual(files(), []);
});

test("closing tries once more; what stays undelivered in memory is told", async (t) => {
  const { server, client, errors } = await bench(t);
  server.stop();
  const bursar = client({ spool: {} });
  await bursar.record({ reservation: "a" }, { usage: {} });
  await bursar.close();
  assert.deepEqual(errors.map((error) => [(error as RecordError).reason, (error as RecordError).record?.reservation?.handle]), [["NOT_DELIVERED", "a"]]);
  await server.start();
});

test("closing delivers what a server takes", async (t) => {
  const { server, client, files } = await bench(t);
  const bursar = client();
  void bursar.record({ reservation: "a" }, { usage: {} });
  await bursar.close();
  assert.equal(records(server).length, 1);
  assert.deepEqual(files(), []);
});

test("closing waits for no server: what is on disk stays there for the next client", async (t) => {
  const { server, client, files } = await bench(t);
  server.stop();
  const bursar = client({ failAfterMs: 3_600_000, timeoutMs: 3_600_000 });
  const record = bursar.record({ reservation: "a" }, { usage: {} });
  await until(() => files().length === 1, "the file");
  await bursar.close();
  assert.equal((await record).queued, true);
  assert.equal(files().length, 1);
});

test("a record that a server cannot take now is kept at once, and sent again when the server wants it", async (t) => {
  let calls = 0;
  const handler: Handler = (request, asked, call) => (calls++ === 0 ? { status: status.UNAVAILABLE, reason: "STORE" } : ok(request, asked, call));
  const { server, client, files } = await bench(t, handler);
  const record = client(PATIENT).record({ reservation: "a" }, { usage: {} });
  await until(() => files().length === 1 || calls > 1, "the file");
  assert.equal((await record).costNanoUsd, 42);
  assert.deepEqual(server.asked.map((one) => one.method), ["record", "recordBatch"]);
});

test("records are on disk while they are on their way, those of a call in one file, and gone when they have arrived", async (t) => {
  let answer: (() => void) | undefined;
  const wait = new Promise<void>((resolve) => (answer = resolve));
  const { client, directory, files } = await bench(t, (request, asked, call) => wait.then(() => ok(request, asked, call)));
  const bursar = client(PATIENT);
  const sent = ["a", "b", "c"].map((reservation) => bursar.record({ reservation }, { usage: { inputTokens: 5 } }));
  await until(() => files().length === 1, "the file");
  assert.match(files()[0]!, /^\d{16}-[0-9a-f]{8}-0\.batch$/);
  assert.equal(statSync(join(directory, files()[0]!)).mode & 0o777, 0o600);
  const { items } = RecordBatchRequestMessage.decode(readFileSync(join(directory, files()[0]!)));
  assert.deepEqual(items.map((one: any) => [one.reservation.handle, one.usage.inputTokens]), [["a", 5], ["b", 5], ["c", 5]]);
  answer!();
  await Promise.all(sent);
  assert.deepEqual(files(), []);
});

test("what a process had on its way when it was killed is delivered by the next one; a file that is none is told", async (t) => {
  const { server, directory, client, files, errors } = await bench(t);
  const items = [0, 1].map((n) => ({ reservation: { handle: `h${n}` }, usage: { inputTokens: n }, attempt: n }));
  writeFileSync(join(directory, batchName(1, "0a0b0c0d", 0)), RecordBatchRequestMessage.encode({ items }));
  writeFileSync(join(directory, batchName(2, "0a0b0c0d", 1)), "");
  writeFileSync(join(directory, batchName(3, "0a0b0c0d", 2)), "cut");
  client();
  await until(() => server.calls("recordBatch").length > 0 && files().length === 2);
  assert.deepEqual(records(server).map((one: any) => [one.reservation.handle, one.usage.inputTokens, one.attempt]), [["h0", 0, 0], ["h1", 1, 1]]);
  assert.deepEqual(files(), [`${batchName(2, "0a0b0c0d", 1)}.bad`, `${batchName(3, "0a0b0c0d", 2)}.bad`]);
  assert.deepEqual(errors.map((error) => (error as RecordError).code), ["DATA_LOSS", "DATA_LOSS"]);
});

test("what the disk does not let be taken up stays for the next start, and is told", async (t) => {
  const { directory, client, files, errors } = await bench(t);
  mkdirSync(join(directory, batchName(1, "0a0b0c0d", 0)));
  client();
  await until(() => errors.length > 0);
  assert.deepEqual(errors.map((error) => (error as RecordError).code), ["UNAVAILABLE"]);
  assert.match(errors[0]!.message, /0a0b0c0d-0\.batch: EISDIR/);
  assert.deepEqual(files(), [batchName(1, "0a0b0c0d", 0)]);
});

test("a folder that has become unwritable costs no record, and is told", async (t) => {
  const { server, directory, client, errors } = await bench(t);
  const bursar = client();
  rmSync(directory, { recursive: true });
  assert.equal((await bursar.record({ reservation: "a" }, { usage: {} })).costNanoUsd, 42);
  assert.match(errors[0]!.message, /ENOENT/);
  assert.equal(records(server).length, 1);
  mkdirSync(directory);
});

test("use that was told is on disk until the job ends", async (t) => {
  const { server, client, files, errors } = await bench(t);
  const bursar = client({ fail: "open", ...PATIENT });
  await bursar.run({ user: "ann" }, async (job) => {
    job.tokens({ inputTokens: 1 });
    assert.equal(files().length, 1);
    job.tokens({ inputTokens: 2 });
    await until(() => records(server).length === 1 && files().length === 1);
  });
  assert.deepEqual([files(), errors], [[], []]);
  assert.deepEqual(records(server).map((one: any) => [one.usage.inputTokens, one.attempt, one.keepOpen]), [[1, 0, true], [2, 1, false]]);
});

test("use that cannot be recorded is told when it is, not where it was told", async (t) => {
  const { client, files, errors } = await bench(t);
  const bursar = client(PATIENT);
  await bursar.run({ user: "ann" }, (job) => job.tokens({ inputToken: 1 } as object));
  assert.deepEqual(errors.map((error) => (error as RecordError).code), ["INVALID_ARGUMENT"]);
  assert.deepEqual(files(), []);
});

test("names keep their order, and hold any id", () => {
  assert.equal(fileName(1796000000000000, "abc", 0), "1796000000000000-abc-0.json");
  assert.equal(fileName(5, "../x y", 31), "0000000000000005-..%2Fx%20y-31.json");
  assert.match(fileName(5, "ж".repeat(64), 0), /^0000000000000005-[0-9a-f]{64}-0\.json$/);
  assert.throws(() => fromText("[]"));
});
