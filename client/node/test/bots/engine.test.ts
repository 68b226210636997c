import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { status } from "@grpc/grpc-js";
import { Bursar, type BursarOptions } from "bursar";
import { Engine } from "../../dist/esm/bots/engine.js";
import type { Job } from "../../dist/esm/bots/job.js";
import type { BotOptions } from "../../dist/esm/bots/options.js";
import type { Incoming, Place } from "../../dist/esm/bots/place.js";
import { allowed, FakeServer, type Handler, type StreamHandler } from "../fake.js";
import { PATIENT, until } from "../serve.js";
import { FakeClock } from "./fake_clock.js";

const START_US = 1_796_000_000_000_000;

/** A user's private chat: what the bot says there. */
class Chat implements Place {
  readonly everyMs = 2_000;
  readonly said: string[] = [];
  readonly again: string[] = [];
  broken: Error | undefined;

  constructor(readonly key = "chat", readonly once = key) {}

  retryAfterMs = () => undefined;

  async say(text: string, button?: { url: string }): Promise<void> {
    if (this.broken) throw this.broken;
    this.said.push(button ? `${text} -> ${button.url}` : text);
  }

  async deny(text: string, button: { text: string; url: string } | undefined, again: boolean): Promise<void> {
    if (again) this.again.push(text);
    else await this.say(text, button);
  }

  show = async (text: string) => this.say(text);
  edit = async () => undefined;
  remove = async () => undefined;
}

interface Update extends Partial<Incoming> {
  place: Chat;
}

interface Bench {
  server: FakeServer;
  clock: FakeClock;
  errors: unknown[];
  ran: string[];
  /** Handles an update to its end. */
  take(update: Partial<Update>): Promise<void>;
  engine: Engine<Update>;
  chat: Chat;
}

let updates = 0;

async function bench(t: TestContext, handlers: Record<string, Handler>, more: { options?: BotOptions<Update>; client?: BursarOptions; acquire?: StreamHandler; work?: (job: Job) => unknown } = {}): Promise<Bench> {
  const server = await new FakeServer({ record: () => ({}), cancel: () => ({ state: "RESERVATION_STATE_CANCELLED" }), ...handlers }, more.acquire).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT, ...more.client });
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const ran: string[] = [];
  const engine = new Engine<Update>(bursar, { onError: (error) => errors.push(error), ...more.options }, "telegram", clock);
  const chat = new Chat();
  t.after(async () => {
    await bursar.close();
    server.stop();
  });
  const read = (update: Update): Incoming => ({ requestId: `tg-1-${++updates}`, user: "telegram:1", chat: undefined, language: "en", text: "", ...update });
  const work = async (update: Update, job: Job) => {
    ran.push(update.requestId ?? "one");
    await more.work?.(job);
  };
  return { server, clock, errors, ran, engine, chat, take: (update) => engine.take({ place: chat, ...update }, read, work) };
}

const denied = (more: object = {}) => ({ allowed: false, reason: "REASON_REQUEST_RATE", message: "Try again in 20 seconds.", retryAfterUs: 20_000_000, ...more });

test("an update whose check finds itself runs, because it had to be asked twice; one that another process asked before is dropped", async (t) => {
  let calls = 0;
  const { take, ran, server, errors } = await bench(t, {
    // The first answer is lost with its server; the second one says that the request is known.
    check: (request) => (++calls % 2 ? { status: status.UNAVAILABLE } : allowed(request, { repeat: true, startedAtUs: START_US - (request.user === "telegram:2" ? 60_000_000 : 0) })),
    getStatus: () => ({ nowUs: START_US }),
  });
  await take({ requestId: "own" });
  await take({ requestId: "of another", user: "telegram:2" });
  assert.deepEqual(ran, ["own"]);
  assert.equal(server.calls("record").length, 1);
  assert.deepEqual(errors, []);
});

test("a repeat that was asked once only is of another process, however new it is", async (t) => {
  const { take, ran, server } = await bench(t, { check: (request) => allowed(request, { repeat: true }), getStatus: () => ({ nowUs: START_US }) });
  await take({});
  assert.deepEqual([ran, server.calls("getStatus").length, server.calls("record").length, server.calls("cancel").length], [[], 0, 0, 0]);
});

test("a denial is told again when its time is over, and to each chat", async (t) => {
  const { take, clock, chat } = await bench(t, { check: () => denied() }, { options: { upgradeUrl: "https://example.org" } });
  const group = new Chat("group");
  for (const place of [chat, chat, group]) await take({ place });
  assert.deepEqual([chat.said.length, chat.again.length, group.said.length], [1, 1, 1]);
  await clock.advance(20_000);
  await take({});
  assert.deepEqual(chat.said, Array(2).fill("Try again in 20 seconds. -> https://example.org"));
});

test("a denial that did not reach its user is told with the next message", async (t) => {
  const { take, chat, errors } = await bench(t, { check: () => denied() });
  chat.broken = new Error("blocked");
  await take({});
  chat.broken = undefined;
  await take({});
  assert.equal(chat.said.length, 1);
  assert.deepEqual(errors.map(String), ["Error: blocked"]);
});

test("the server says whether a denial is told, if it knows", async (t) => {
  const answers = ["TELL_NOW", "TELL_NOT_AGAIN", "TELL_UNSPECIFIED", "TELL_NOT_AGAIN"];
  const { take, chat, server } = await bench(t, { check: () => denied({ tell: answers.shift() }) });
  const other = new Chat("other", "other");
  for (const place of [chat, chat, other, new Chat("everything", "")]) await take({ place });
  assert.deepEqual([chat.said.length, chat.again.length, other.said.length], [1, 1, 1]);
  assert.deepEqual(server.calls("check").map(({ request }) => [request.tellPlace, request.tellAgainUs]),
    [["telegram:chat", 0], ["telegram:chat", 0], ["telegram:other", 0], ["", 0]]);
});

test("an own cool-down is the server's too, unless it is shorter than what servers keep", async (t) => {
  for (const [cooldownMs, place, us] of [[60_000, "telegram:chat", 60_000_000], [90_000_000, "telegram:chat", 86_400_000_000], [999, "", 0]] as const) {
    const { take, server } = await bench(t, { check: () => denied({ tell: "TELL_NOW" }) }, { options: { cooldownMs } });
    await take({});
    assert.deepEqual(server.calls("check").map(({ request }) => [request.tellPlace, request.tellAgainUs]), [[place, us]]);
  }
});

test("a denial that the server has somebody tell, and that did not reach its user, is told with the next message", async (t) => {
  const answers = ["TELL_NOW", "TELL_NOT_AGAIN", "TELL_NOT_AGAIN"];
  const { take, chat } = await bench(t, { check: () => denied({ tell: answers.shift() }) });
  chat.broken = new Error("blocked");
  await take({});
  chat.broken = undefined;
  await take({});
  await take({});
  assert.deepEqual([chat.said.length, chat.again.length], [1, 1]);
});

test("of an answer that was lost nobody knows whether it said that the denial is to be told: it is told", async (t) => {
  let calls = 0;
  const { take, chat } = await bench(t, { check: () => (++calls === 1 ? { status: status.UNAVAILABLE } : denied({ tell: "TELL_NOT_AGAIN" })) });
  await take({});
  await take({});
  assert.deepEqual([chat.said.length, chat.again.length], [1, 1]);
});

test("no upgrade is offered where nothing can be bought", async (t) => {
  const { take, chat } = await bench(t, { check: () => denied({ reason: "REASON_SUSPENDED", message: "Suspended.", permanent: true }) }, { options: { upgradeUrl: "https://example.org" } });
  await take({});
  assert.deepEqual(chat.said, ["Suspended."]);
});

test("a queue that takes no more is told once, and the reservation is given back", async (t) => {
  const { take, chat, server, ran, errors } = await bench(t, { check: (request) => allowed(request) }, {
    options: { pool: "p" }, acquire: (_, call) => call.fail(status.RESOURCE_EXHAUSTED, "PREDICTED_WAIT"),
  });
  await take({});
  await take({});
  assert.match(chat.said.join(), /^Too many requests are waiting\. Please try again in \d+ seconds\.$/);
  assert.deepEqual([server.calls("cancel").length, ran, errors], [2, [], []]);
});

test("without a server the user is told once, and the errors go to onError", async (t) => {
  const { take, chat, errors } = await bench(t, { check: () => ({ status: status.UNAVAILABLE }) }, { client: { timeoutMs: 200 } });
  await take({});
  await take({});
  assert.deepEqual(chat.said, ["This is not possible right now. Please try again in a moment."]);
  assert.equal(errors.length, 2);
});

test("of a user and a group that both count, the group gets its request back when the user is denied", async (t) => {
  const { take, server, ran } = await bench(t, { check: (request) => (request.user === "telegram:1" ? denied() : allowed(request)) }, { options: { per: "both" } });
  await take({ requestId: "r", chat: "telegram-chat:-7" });
  assert.deepEqual(server.calls("cancel").map(({ request }) => request.reservation.handle), ["r-r-chat"]);
  assert.deepEqual(ran, []);
});

test("work that fails gives its reservation back, unless it has told what it used", async (t) => {
  const one = await bench(t, { check: (request) => allowed(request) }, { work: () => assert.fail("no model") });
  await one.take({});
  assert.deepEqual([one.server.calls("cancel").length, one.server.calls("record").length], [1, 0]);
  assert.deepEqual(one.chat.said, ["Sorry, something went wrong. Please try again."]);
  assert.match(String(one.errors[0]), /no model/);
  const two = await bench(t, { check: (request) => allowed(request) }, {
    work: (job) => {
      job.usage({ prompt_tokens: 7 }, { provider: "openai" });
      assert.fail("half an answer");
    },
  });
  await two.take({});
  assert.deepEqual([two.server.calls("cancel").length, two.server.calls("record")[0]?.request.providerUsage], [0, { provider: "openai", json: '{"prompt_tokens":7}' }]);
});

test("a warning is said in the server's words, or in the plugin's where only it speaks the language", async (t) => {
  const limits = [{ notify: true, warning: true, usedPercent: 83, limit: { window: "CALENDAR_WINDOW_MONTH" } }];
  const { take, chat } = await bench(t, { check: (request) => allowed(request, { message: "83% of 100 requests per month are used.", limits }) });
  for (const language of ["en-GB", "fr", "xx"]) await take({ language });
  assert.deepEqual(chat.said, ["83% of 100 requests per month are used.", "Vous avez utilisé 83 % de votre limite mensuelle.", "83% of 100 requests per month are used."]);
});

test("more updates than there may be are told to come back", async (t) => {
  let release = () => {};
  const { take, chat, ran } = await bench(t, { check: (request) => allowed(request) }, { options: { jobsMax: 1 }, work: () => new Promise<void>((resolve) => (release = resolve)) });
  const first = take({ requestId: "first" });
  await until(() => ran.length === 1);
  await take({ requestId: "second" });
  release();
  await first;
  assert.deepEqual(ran, ["first"]);
  assert.match(chat.said.join(), /^Too many requests/);
});

test("closing waits for the work, calls off what takes too long, and takes no more", async (t) => {
  const { take, engine, chat, clock, ran, server } = await bench(t, { check: (request) => allowed(request) }, {
    options: { pool: "p" }, acquire: (request, call) => call.send({ check: allowed(request.check), queued: { position: 1 } }),
  });
  const waiting = take({});
  await until(() => server.asked.some(({ method }) => method === "check"));
  const closing = engine.close(5_000);
  await take({});
  await clock.advance(5_000);
  await waiting;
  await closing;
  assert.deepEqual([ran, server.calls("check").length], [[], 1]);
  assert.deepEqual(chat.said.slice(-1), ["This is not possible right now. Please try again in a moment."]);
});

test("an onError that fails itself, and an update without a user, end nothing", async (t) => {
  const failures: unknown[] = [];
  t.mock.method(console, "error", (...what: unknown[]) => failures.push(what));
  const { take, ran } = await bench(t, { check: (request) => allowed(request) }, { options: { onError: () => assert.fail("onError") } });
  await take({ user: undefined } as Partial<Update>);
  await take({ requestId: "next" });
  assert.deepEqual(ran, ["next"]);
  assert.equal(failures.length, 1);
});

test("options that make no sense are refused at once", () => {
  const bursar = new Bursar({ address: "127.0.0.1:1" });
  assert.throws(() => new Engine(bursar, { per: "team" as "user" }, "telegram"), /per: must be "user", "chat" or "both", not "team"/);
  assert.throws(() => new Engine(bursar, { jobsMax: 0 }, "telegram"), /jobsMax/);
});
