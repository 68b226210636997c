import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { Bursar, BursarError, type AlertEvent, type BursarOptions, type EventsOptions } from "bursar";
import { FakeServer } from "../fake.js";
import { PATIENT, Served, until } from "../serve.js";

let served: Served;
const clients: Bursar[] = [];
const client = (options: BursarOptions = {}): Bursar => {
  const made = new Bursar({ address: served.addresses, ...PATIENT, ...options });
  clients.push(made);
  return made;
};
let users = 0;
const newUser = (): string => `events-${process.pid}-${users++}`;

/** That many events of the user, numbered from 1 on by their `used`. */
const happen = (user: string, count = 1): Promise<unknown> =>
  served.order({ do: "sql", text: `INSERT INTO alert_events (seq, at, tenant, rule, kind, severity, account_kind, account, limit_name, percent, used, amount)
    SELECT nextval('alert_seq'), now(), 'default', 'users', 1, 1, 1, '${user}', 'requests_per_day', 80, n, 50 FROM generate_series(1, ${count}) n RETURNING seq` });

before(async () => {
  served = await Served.start("--bursards", "2");
});
after(async () => {
  await Promise.all(clients.map((one) => one.close()));
  await served.end();
});

const open = async (bursard: number): Promise<number> => (await served.order({ do: "metric", name: "grpc_calls_open", bursard })).value;

/** Reads until `ends` says so of an event. */
async function read(bursar: Bursar, options: EventsOptions, ends: (event: AlertEvent) => boolean | Promise<boolean>): Promise<AlertEvent[]> {
  const got: AlertEvent[] = [];
  for await (const event of bursar.events(options)) {
    got.push(event);
    if (await ends(event)) break;
  }
  return got;
}

test("an event says what happened to whom", async () => {
  const user = newUser();
  await happen(user);
  const [event] = await read(client(), { fromStart: true, user }, () => true);
  assert.deepEqual([event!.kind, event!.severity, event!.user, event!.accountKind, event!.limit], ["threshold", "info", user, "user", "requests_per_day"]);
  assert.deepEqual([event!.percent, event!.used, event!.amount], [80, 1, 50]);
  assert.ok(event!.cursor > 0 && event!.text && event!.raw.id > 0);
});

test("the loop goes on over deaths of servers, in order, without a gap", async () => {
  const user = newUser();
  let lost = 0;
  await happen(user, 300);
  const got = await read(client(), { fromStart: true, user, onReconnecting: () => lost++ }, async (event) => {
    if (event.used === 10) for (const bursard of [0, 1]) await served.order({ do: "restart", bursard });
    return event.used === 300;
  });
  assert.deepEqual(got.map((event) => event.used), Array.from({ length: 300 }, (_, i) => i + 1));
  assert.ok(lost > 0);
});

test("a stream that breaks is continued behind the last message, also if no event was in it", async () => {
  const asked: number[] = [];
  const server = await new FakeServer({}, undefined, ({ after }, call) => {
    asked.push(after);
    if (asked.length === 1) {
      call.send({ cursor: 7 });
      call.fail(status.UNAVAILABLE);
    } else if (asked.length === 2) {
      call.fail(status.RESOURCE_EXHAUSTED, "TOO_MANY_WATCH");
    } else if (asked.length === 3) {
      call.send({ cursor: 7 });
      call.send({ cursor: 9, event: { cursor: 9, kind: "ALERT_KIND_TIER", accountKind: "ACCOUNT_KIND_TEAM" } });
      call.end();
    } else {
      call.send({ cursor: 12, event: { cursor: 12 } });
    }
  }).start();
  const why: string[] = [];
  const got = await read(client({ address: server.address }), { onReconnecting: (error) => why.push(error.code) }, (event) => event.cursor === 12);
  server.stop();
  assert.deepEqual(asked, [0, 7, 7, 9]);
  assert.deepEqual(why, ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "UNAVAILABLE"]);
  assert.deepEqual(got.map((event) => [event.cursor, event.kind, event.accountKind, event.user]), [[9, "tier", "team", ""], [12, "", "", ""]]);
});

test("an event whose body did not end comes again behind the cursor that was kept", async () => {
  const user = newUser();
  let kept = 0;
  await happen(user, 3);
  await assert.rejects(read(client(), { fromStart: true, user }, (event) => {
    if (event.used === 2) throw new Error("the telegram was not sent");
    kept = event.cursor;
    return false;
  }), /telegram/);
  const again = await read(client(), { after: kept, user }, (event) => event.used === 3);
  assert.deepEqual(again.map((event) => event.used), [2, 3]);
});

test("the loop ends with its client, and fails with its signal and with what does not help", async () => {
  const bursar = client();
  const reading = read(bursar, {}, () => false);
  const stop = new AbortController();
  const stopped = read(client(), { signal: stop.signal }, () => false);
  await until(async () => (await open(0)) + (await open(1)) >= 2, "streams");
  await bursar.close();
  assert.deepEqual(await reading, []);
  stop.abort();
  await assert.rejects(stopped, (error: BursarError) => error.code === "CANCELLED");
  await assert.rejects(read(client(), { kinds: ["drift"] }, () => false), (error: BursarError) => error.code === "INVALID_ARGUMENT" && error.field === "kinds[0]");
  await assert.rejects(read(client(), { after: 1e12 }, () => false), (error: BursarError) => error.field === "after");
});
