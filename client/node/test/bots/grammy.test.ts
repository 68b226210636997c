import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test, type TestContext } from "node:test";
import { Bot, session, webhookCallback, type Context, type SessionFlavor } from "grammy";
import { autoRetry } from "@grammyjs/auto-retry";
import { Bursar } from "bursar";
import { bursarBot, type BotOptions } from "bursar/grammy";
import { PATIENT, Served, until } from "../serve.js";
import { Gate, Telegram } from "./bench.js";

let served: Served;
let telegram: Telegram;
let bots = 100;

before(async () => {
  [served, telegram] = await Promise.all([Served.start("ledger_batch=50"), Telegram.start()]);
  await served.bursar("tier", "put", "three", "requests=3/h");
});
after(async () => {
  await Promise.all([served.end(), telegram.end()]);
});

interface Bench {
  id: number;
  bot: Bot;
  bursar: Bursar;
  gate: Gate;
  errors: unknown[];
}

/** A bot of its own, with users of its own; it polls unless `webhook` is set. */
async function start(t: TestContext, options: BotOptions<Context> = {}, polls = true): Promise<Bench> {
  const id = ++bots;
  const bursar = new Bursar({ address: served.addresses, ...PATIENT });
  const gate = await Gate.start();
  const errors: unknown[] = [];
  const bot = new Bot(`${id}:secret`, { client: { apiRoot: telegram.url } });
  const limited = bursarBot(bursar, { model: "gpt-4o-mini", onError: (error) => errors.push(error), ...options });
  bot.on(["message:text", "callback_query:data"], limited(async (ctx, job) => {
    const text = ctx.message?.text ?? ctx.callbackQuery!.data!;
    const answer = await fetch(`${gate.url}?text=${encodeURIComponent(text)}`, { signal: job.signal });
    job.usage({ prompt_tokens: 100, completion_tokens: 20 }, { provider: "openai" });
    await ctx.reply(await answer.text());
  }));
  t.after(async () => {
    gate.releaseAll();
    await telegram.control("release", {});
    await bot.stop();
    await limited.close();
    await bursar.close();
    gate.end();
  });
  if (polls) await new Promise<void>((resolve) => void bot.start({ onStart: () => resolve() }));
  return { id, bot, bursar, gate, errors };
}

/** A webhook for the bot, as grammY makes it. */
async function hook(t: TestContext, { bot }: Bench): Promise<string> {
  const server = createServer(webhookCallback(bot, "http"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A user or a group who may ask three times, and then not for 20 minutes: however long the test takes. */
async function three(account: string): Promise<void> {
  await served.bursar("account", "put", account, "--tier", "three");
}

/** For tests that count how often a text changes: the time that is left may change by itself. */
const NO_ETA = { "*": { eta: "" } };

async function sql(text: string): Promise<unknown[][]> {
  return (await served.order({ do: "sql", text })).rows;
}

async function open(bursar: Bursar, user: string): Promise<number> {
  return (await bursar.status({ user })).accounts[0]!.openReservations;
}

test("a user at the limit is told once, with the time, and not per message", async (t) => {
  const { id, gate, errors } = await start(t);
  gate.open = true;
  await three("telegram:1001");
  for (let n = 1; n <= 3; n += 1) await telegram.message(id, 1001, `m${n}`);
  await telegram.said(1001, 3);
  for (let n = 4; n <= 8; n += 1) await telegram.message(id, 1001, `m${n}`);
  // Another user's answer comes after all that.
  await telegram.message(id, 1002, "last");
  await telegram.said(1002, 1);
  const said = await telegram.said(1001, 4);
  assert.deepEqual(said.slice(0, 3).sort(), ["answer to m1", "answer to m2", "answer to m3"]);
  assert.equal(said.length, 4);
  assert.match(said[3]!, /You have reached your limit of 3 requests per hour\. Try again in \d+ minutes/);
  assert.deepEqual(errors, []);
});

test("the denial is in the user's language, with a button when there is an upgrade", async (t) => {
  const { id, gate } = await start(t, { upgradeUrl: "https://example.org/pro" });
  gate.open = true;
  await three("telegram:1101");
  for (let n = 1; n <= 4; n += 1) await telegram.message(id, { id: 1101, language_code: "de" }, `m${n}`);
  const denial = (await telegram.calls("sendMessage", { chat: 1101, wait: 4 })).find((call) => !call.params.text.startsWith("answer"))!;
  assert.match(denial.params.text, /^Du hast dein Limit von 3 Anfragen pro Stunde erreicht/);
  assert.deepEqual(denial.params.reply_markup, { inline_keyboard: [[{ text: "Upgrade", url: "https://example.org/pro" }]] });
});

test("a button that is pressed at the limit is answered each time, and the chat is told once", async (t) => {
  const { id, gate } = await start(t);
  gate.open = true;
  await three("telegram:1201");
  for (let n = 1; n <= 5; n += 1) await telegram.control("callback", { bot: id, user: 1201, message_id: 1, data: `b${n}` });
  const answers = await telegram.calls("answerCallbackQuery", { wait: 2 });
  assert.equal(answers.length, 2);
  assert.equal(answers.filter((call) => call.params.show_alert).length, 1);
  assert.equal((await telegram.said(1201, 4)).filter((text) => text.includes("Try again in")).length, 1);
});

test("a wait in the queue does not stop polling, and its position counts down in one message", async (t) => {
  await served.bursar("pool", "put", "count", "--slots", "1");
  const { id, gate, errors } = await start(t, { pool: "count", noticeMs: 0, texts: NO_ETA });
  for (let n = 1; n <= 4; n += 1) {
    await telegram.message(id, 1300 + n, `m${n}`);
    if (n === 1) await gate.work(1);
    else await telegram.said(1300 + n, 1); // in the queue
  }
  const last = { chat: 1304 };
  for (let n = 1; n <= 3; n += 1) {
    gate.release(`m${n}`);
    await gate.work(n + 1);
    if (n < 3) await telegram.calls("editMessageText", { ...last, wait: n });
  }
  await telegram.calls("deleteMessage", { ...last, wait: 1 });
  gate.release("m4");
  const said = await telegram.said(1304, 2);
  const edits = (await telegram.calls("editMessageText", last)).map((call) => call.params.text);
  const numbers = [said[0]!, ...edits].map((text) => Number(/number (\d+)/.exec(text)?.[1] ?? (text.includes("next") ? 1 : NaN)));
  assert.deepEqual(numbers, [3, 2, 1]);
  assert.equal(said[1], "answer to m4");
  assert.deepEqual((await telegram.control("chat", { bot: id, chat: 1304 })).messages.map((one: { text: string }) => one.text), ["answer to m4"]);
  assert.deepEqual(errors, []);
});

test("edits do not pile up behind one that Telegram holds up, also with auto-retry", async (t) => {
  await served.bursar("pool", "put", "pile", "--slots", "1");
  const bench = await start(t, { pool: "pile", noticeMs: 0, texts: NO_ETA });
  const { id, gate, bot } = bench;
  bot.api.config.use(autoRetry());
  for (let n = 1; n <= 5; n += 1) {
    await telegram.message(id, 1400 + n, `m${n}`);
    if (n === 1) await gate.work(1);
    else await telegram.said(1400 + n, 1);
  }
  const [fourth, last] = [{ chat: 1404 }, { chat: 1405 }];
  await telegram.control("fail", { method: "editMessageText", ...last, retry_after: 1 });
  await telegram.control("hold", { method: "editMessageText", ...last });
  gate.release("m1");
  assert.match((await telegram.calls("editMessageText", { ...last, wait: 1 }))[0]!.params.text, /number 3/);
  for (const n of [2, 3]) {
    await gate.work(n);
    gate.release(`m${n}`);
  }
  await until(async () => (await telegram.calls("editMessageText", fourth)).length + (await telegram.calls("deleteMessage", fourth)).length > 1);
  await gate.work(4);
  const held = await telegram.calls("editMessageText", last);
  assert.deepEqual(held.map((call) => call.ended), [null], "one at a time");
  await telegram.control("release", {});
  const edits = await until(async () => {
    const calls = await telegram.calls("editMessageText", last);
    return calls.at(-1)!.params.text.includes("You are next") && calls.at(-1)!.ended !== null ? calls : undefined;
  }, "the newest place");
  assert.deepEqual(edits.slice(0, 2).map((call) => call.answer.ok), [false, true], "refused, and repeated by auto-retry");
  for (const [one, next] of edits.map((call, n) => [call, edits[n + 1]] as const)) if (next) assert.ok(next.came >= one.ended!, "none overlaps");
  gate.release("m4");
  await telegram.calls("deleteMessage", { ...last, wait: 1 });
});

test("a webhook is answered while its job waits, and one that is sent twice runs once", async (t) => {
  await served.bursar("pool", "put", "hook", "--slots", "1");
  const one = await start(t, { pool: "hook" }, false);
  const two = await start(t, { pool: "hook" }, false);
  Object.assign(two.bot, { token: one.bot.token }); // another process of the same bot
  const other = new Bot(`${one.id}:secret`, { client: { apiRoot: telegram.url } });
  const limited = bursarBot(two.bursar, { model: "gpt-4o-mini", pool: "hook", onError: (error) => two.errors.push(error) });
  other.on("message:text", limited(async (ctx) => void (await ctx.reply("by the other process"))));
  const urls = [await hook(t, one), await hook(t, { ...two, bot: other })];
  await telegram.control("webhook", { bot: one.id, urls });
  const { update_id } = await telegram.message(one.id, 1501, "once");
  await one.gate.work(1);
  const update = { update_id, message: { message_id: 1, date: 0, chat: { id: 1501, type: "private" }, from: { id: 1501, is_bot: false, first_name: "A" }, text: "once" } };
  for (let n = 0; n < 4; n += 1) await telegram.control("update", { bot: one.id, update });
  const delivered = async () => (await telegram.control("deliveries", { bot: one.id })).deliveries as { status: number | null }[];
  await until(async () => (await delivered()).filter((one) => one.status !== null).length >= 5);
  assert.deepEqual((await delivered()).map((one) => one.status), Array(5).fill(200), "grammY has given up none, as it does after 10 s");
  assert.deepEqual(one.gate.begun, ["once"]);
  one.gate.releaseAll();
  assert.deepEqual(await telegram.said(1501, 1), ["answer to once"]);
  // What the copies did has ended when both processes have nothing under way.
  await limited.close();
  assert.deepEqual([one.gate.begun, await telegram.said(1501)], [["once"], ["answer to once"]]);
  assert.deepEqual([...one.errors, ...two.errors], []);
});

test("detached work calls Telegram itself, also where the app lets calls be answers to the webhook", async (t) => {
  const one = await start(t, {}, false);
  const bot = new Bot(`${one.id}:secret`, { client: { apiRoot: telegram.url, canUseWebhookReply: () => true } });
  const limited = bursarBot(one.bursar, { onError: (error) => one.errors.push(error) });
  const sent: unknown[] = [];
  bot.on("message:text", limited(async (ctx) => void sent.push(await ctx.reply("hello"))));
  await telegram.control("webhook", { bot: one.id, urls: [await hook(t, { ...one, bot })] });
  await telegram.message(one.id, 1551, "hi");
  assert.deepEqual(await telegram.said(1551, 1), ["hello"]);
  await until(() => sent.length === 1);
  assert.equal(typeof (sent[0] as { message_id: number }).message_id, "number");
  assert.deepEqual(one.errors, []);
});

test("without detaching, a handler ends when its work has ended, and sessions are saved after it", async (t) => {
  const one = await start(t, {}, false);
  const saved = new Map<string, { count: number }>();
  const storage = { read: (key: string) => saved.get(key), write: (key: string, value: { count: number }) => void saved.set(key, value), delete: (key: string) => void saved.delete(key) };
  const bot = new Bot<Context & SessionFlavor<{ count: number }>>(`${one.id}:secret`, { client: { apiRoot: telegram.url }, botInfo: await one.bot.api.getMe() });
  bot.use(session({ initial: () => ({ count: 0 }), storage }));
  const limited = bursarBot<Context & SessionFlavor<{ count: number }>>(one.bursar, { detach: false });
  bot.on("message:text", limited(async (ctx) => {
    await fetch(`${one.gate.url}?text=${ctx.message.text}`);
    ctx.session.count += 1;
  }));
  one.gate.open = true;
  for (let n = 1; n <= 2; n += 1) {
    await bot.handleUpdate({ update_id: n, message: { message_id: n, date: 0, text: "m", chat: { id: 1571, type: "private", first_name: "A" }, from: { id: 1571, is_bot: false, first_name: "A" } } });
  }
  assert.deepEqual([...saved], [["1571", { count: 2 }]]);
});

test("a warning is told once", async (t) => {
  await served.bursar("tier", "put", "five", "requests=5/day");
  const { id, gate, bursar } = await start(t);
  gate.open = true;
  await served.bursar("account", "put", "telegram:1601", "--tier", "five");
  for (let n = 1; n <= 5; n += 1) {
    await telegram.message(id, 1601, `m${n}`);
    await telegram.said(1601, n + (n > 4 ? 1 : 0));
  }
  await until(async () => (await open(bursar, "telegram:1601")) === 0);
  const said = await telegram.said(1601, 6);
  assert.deepEqual(said.filter((text) => !text.startsWith("answer")), ["80% of 5 requests per day are used."]);
});

test("a group counts by its users, by itself, or by both", async (t) => {
  const group = { id: -17, type: "supergroup", title: "group" };
  const users = await start(t, { per: "user" });
  const chats = await start(t, { per: "chat" });
  const both = await start(t, { per: "both" });
  for (const chat of [-1710, -1720]) await three(`telegram-chat:${chat}`);
  for (const [bench, base] of [[users, 1700], [chats, 1710], [both, 1720]] as const) {
    bench.gate.open = true;
    for (let n = 1; n <= 4; n += 1) {
      await telegram.message(bench.id, base + n, `${base + n}`, { ...group, id: -base });
      await telegram.said(-base, n);
    }
  }
  assert.equal((await telegram.said(-1700, 4)).filter((text) => text.startsWith("answer")).length, 4);
  for (const chat of [-1710, -1720]) {
    const said = await telegram.said(chat, 4);
    assert.equal(said.filter((text) => text.startsWith("answer")).length, 3, String(said));
  }
  // Of both, the user pays; nothing stays open.
  const rows = "SELECT user_id, cost_nano > 0 FROM ledger WHERE user_id IN ('telegram:1721', 'telegram-chat:-1720', 'telegram:1724') ORDER BY 1";
  await until(async () => (await sql(rows)).length === 4);
  assert.deepEqual(await sql(rows), [...Array(3).fill(["telegram-chat:-1720", false]), ["telegram:1721", true]]);
  for (const user of ["telegram:1724", "telegram-chat:-1720", "telegram:1721"]) assert.equal(await open(both.bursar, user), 0);
});

test("what fails in the work or in the messenger is told to onError, gives everything back, and ends nothing", async (t) => {
  const { id, gate, bursar, errors, bot } = await start(t);
  gate.open = true;
  await telegram.control("fail", { method: "sendMessage", chat: 1801, code: 403, description: "Forbidden: bot was blocked by the user", times: 2 });
  await telegram.message(id, 1801, "refused");
  await until(() => errors.length >= 2); // the answer, and the sentence that says that it failed
  assert.match(String(errors[0]), /bot was blocked/);
  gate.end();
  await telegram.message(id, 1802, "no work");
  assert.deepEqual(await telegram.said(1802, 1), ["Sorry, something went wrong. Please try again."]);
  await until(async () => (await open(bursar, "telegram:1802")) === 0);
  const account = (await bursar.status({ user: "telegram:1802" })).accounts[0]!;
  assert.equal(account.limits.find((limit) => limit.limit!.name === "requests_per_day")?.used ?? 0, 0, "what did not run is not counted");
  assert.ok(bot.isRunning());
});
