import assert from "node:assert/strict";
import { test } from "node:test";
import { Notices, type Board } from "../../dist/esm/bots/notices.js";
import { FakeClock, settled } from "./fake_clock.js";

interface Call {
  what: "show" | "edit" | "remove";
  text?: string;
  resolve: (value?: unknown) => void;
  reject: (error: unknown) => void;
}

/** A chat whose calls are answered by the test. */
class Chat implements Board {
  readonly key = "chat";
  readonly everyMs = 2_000;
  readonly calls: Call[] = [];
  pending = 0;

  retryAfterMs = (error: unknown) => (error as { waitMs?: number }).waitMs;
  show = (text: string) => this.#call("show", text);
  edit = (_: unknown, text: string) => this.#call("edit", text);
  remove = () => this.#call("remove");

  #call(what: Call["what"], text?: string): Promise<unknown> {
    this.pending += 1;
    return new Promise<unknown>((resolve, reject) => this.calls.push({ what, ...(text ? { text } : {}), resolve, reject })).finally(() => (this.pending -= 1));
  }

  async answer(value: unknown = "handle"): Promise<void> {
    this.calls.at(-1)!.resolve(value);
    await settled();
  }

  async refuse(error: unknown): Promise<void> {
    this.calls.at(-1)!.reject(error);
    await settled();
  }

  get said(): string[] {
    return this.calls.map((call) => call.text ?? call.what);
  }
}

function bench(): { clock: FakeClock; chat: Chat; notices: Notices; errors: unknown[] } {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  return { clock, chat: new Chat(), notices: new Notices(clock, (error) => errors.push(error)), errors };
}

test("a notice is sent once and then edited, two seconds apart, with the newest text only", async () => {
  const { clock, chat, notices } = bench();
  const notice = notices.open(chat);
  notice.update("place 5");
  await chat.answer();
  for (const place of ["place 4", "place 3", "place 2"]) notice.update(place);
  await clock.advance(1_999);
  assert.deepEqual(chat.said, ["place 5"]);
  await clock.advance(1);
  assert.deepEqual(chat.said, ["place 5", "place 2"]);
});

test("while an edit has no answer, none follows, however often the place changes", async () => {
  const { clock, chat, notices } = bench();
  const notice = notices.open(chat);
  notice.update("place 9");
  await chat.answer();
  for (let place = 8; place > 1; place -= 1) {
    notice.update(`place ${place}`);
    await clock.advance(60_000);
  }
  assert.deepEqual(chat.said, ["place 9", "place 8"]);
  assert.equal(chat.pending, 1);
  await chat.answer();
  await clock.advance(2_000);
  assert.deepEqual(chat.said, ["place 9", "place 8", "place 2"]);
});

test("the notices of a chat take turns", async () => {
  const { clock, chat, notices } = bench();
  const [one, two] = [notices.open(chat), notices.open(chat)];
  one.update("one: 1");
  two.update("two: 1");
  await chat.answer();
  assert.deepEqual(chat.said, ["one: 1"]);
  one.update("one: 2");
  await clock.advance(2_000);
  await chat.answer();
  await clock.advance(2_000);
  assert.deepEqual(chat.said, ["one: 1", "two: 1", "one: 2"]);
});

test("the end takes the message away at once, also one that is being sent", async () => {
  const { chat, notices } = bench();
  const notice = notices.open(chat);
  notice.update("place 5");
  notice.end();
  assert.deepEqual(chat.said, ["place 5"]);
  await chat.answer();
  assert.deepEqual(chat.said, ["place 5", "remove"]);
  let idle = false;
  void notices.idle().then(() => (idle = true));
  await settled();
  assert.equal(idle, false);
  await chat.answer();
  assert.equal(idle, true);
});

test("what was never shown is not taken away", async () => {
  const { clock, chat, notices } = bench();
  const [one, two] = [notices.open(chat), notices.open(chat)];
  one.update("one");
  await chat.answer();
  two.update("two");
  two.end();
  await clock.advance(10_000);
  assert.deepEqual(chat.said, ["one"]);
});

test("a service that wants no calls for a while gets none, and then the newest text", async () => {
  const { clock, chat, notices, errors } = bench();
  const notice = notices.open(chat);
  notice.update("place 5");
  await chat.answer();
  notice.update("place 4");
  await clock.advance(2_000);
  await chat.refuse({ waitMs: 30_000 });
  notice.update("place 3");
  await clock.advance(29_999);
  assert.deepEqual(chat.said, ["place 5", "place 4"]);
  await clock.advance(1);
  assert.deepEqual(chat.said, ["place 5", "place 4", "place 3"]);
  assert.deepEqual(errors, []);
});

test("a message that cannot be edited any more is given up, and told once", async () => {
  const { clock, chat, notices, errors } = bench();
  const notice = notices.open(chat);
  notice.update("place 9");
  await chat.answer();
  for (let place = 8; place > 2; place -= 1) {
    notice.update(`place ${place}`);
    await clock.advance(2_000);
    await chat.refuse(new Error("message to edit not found"));
  }
  assert.deepEqual(chat.said, ["place 9", "place 8", "place 7", "place 6"]);
  assert.equal(errors.length, 1);
});

test("an edit that is repeated by others is called off when the wait is over", async () => {
  const { clock, chat, notices } = bench();
  let signal: AbortSignal | undefined;
  chat.edit = async (_, text, ...rest: unknown[]) => {
    signal = rest[0] as AbortSignal;
    return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(new Error(text))));
  };
  const notice = notices.open(chat);
  notice.update("place 2");
  await chat.answer();
  notice.update("place 1");
  await clock.advance(2_000);
  assert.equal(signal?.aborted, false);
  notice.end();
  await settled();
  assert.deepEqual(chat.said, ["place 2", "remove"]);
});
