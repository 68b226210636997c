import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test, type TestContext } from "node:test";
import { Telegraf, type Context } from "telegraf";
import { message } from "telegraf/filters";
import { Bursar } from "bursar";
import { bursarBot, type BotOptions } from "bursar/telegraf";
import { PATIENT, Served, until } from "../serve.js";
import { Gate, Telegram } from "./bench.js";

let served: Served;
let telegram: Telegram;
let bots = 300;

before(async () => {
  [served, telegram] = await Promise.all([Served.start(), Telegram.start()]);
});
after(async () => {
  await Promise.all([served.end(), telegram.end()]);
});

interface Bench {
  id: number;
  bot: Telegraf;
  bursar: Bursar;
  gate: Gate;
  errors: unknown[];
}

/** A bot whose handlers may take no longer than a moment; Telegraf's own limit is 90 s. */
async function start(t: TestContext, options: BotOptions<Context> = {}): Promise<Bench> {
  const id = ++bots;
  const bursar = new Bursar({ address: served.addresses, ...PATIENT });
  const gate = await Gate.start();
  const errors: unknown[] = [];
  const bot = new Telegraf(`${id}:secret`, { handlerTimeout: 200, telegram: { apiRoot: telegram.url } });
  const limited = bursarBot(bursar, { model: "gpt-4o-mini", onError: (error) => errors.push(error), ...options });
  bot.on(message("text"), limited(async (ctx, job) => {
    const answer = await fetch(`${gate.url}?text=${encodeURIComponent(ctx.message.text)}`, { signal: job.signal });
    job.usage({ prompt_tokens: 100, completion_tokens: 20 }, { provider: "openai" });
    const sent = await ctx.reply(await answer.text());
    assert.equal(typeof sent.message_id, "number", "detached work gets the message that it sent");
  }));
  t.after(async () => {
    gate.releaseAll();
    await limited.close();
    await bursar.close();
    gate.end();
  });
  return { id, bot, bursar, gate, errors };
}

test("work that takes longer than Telegraf's limit for handlers ends well, and other users are answered meanwhile", async (t) => {
  const { id, bot, bursar, gate, errors } = await start(t);
  const polling = bot.launch();
  t.after(async () => {
    bot.stop();
    await polling;
  });
  await telegram.message(id, 2001, "slow");
  await gate.work(1);
  await new Promise((resolve) => setTimeout(resolve, 400)); // past the limit: without the plugin, polling has ended by now
  await telegram.message(id, 2002, "quick");
  await gate.work(2);
  gate.release("quick");
  assert.deepEqual(await telegram.said(2002, 1), ["answer to quick"]);
  gate.release("slow");
  assert.deepEqual(await telegram.said(2001, 1), ["answer to slow"]);
  await until(async () => (await bursar.status({ user: "telegram:2001" })).accounts[0]!.openReservations === 0);
  assert.deepEqual(errors, []);
});

test("without the plugin, such a handler ends polling: what the plugin is for", async (t) => {
  const bot = new Telegraf(`${++bots}:secret`, { handlerTimeout: 100, telegram: { apiRoot: telegram.url } });
  const gate = await Gate.start();
  t.after(() => gate.end());
  bot.on(message("text"), async (ctx) => void (await fetch(`${gate.url}?text=${ctx.message.text}`)));
  t.mock.method(console, "error", () => undefined);
  const polling = bot.launch();
  await telegram.message(bots, 2101, "slow");
  await assert.rejects(polling, /timed out/i);
  process.exitCode = 0; // which Telegraf has set
});

test("a user at the limit is told once; the queue shows its position and takes it away", async (t) => {
  await served.bursar("pool", "put", "tele", "--slots", "1");
  await served.bursar("tier", "put", "three", "requests=3/h"); // and then none for 20 minutes: however long the test takes
  await served.bursar("account", "put", "telegram:2201", "--tier", "three");
  const { id, bot, gate, errors } = await start(t, { pool: "tele", noticeMs: 0 });
  const polling = bot.launch();
  t.after(async () => {
    bot.stop();
    await polling;
  });
  await telegram.message(id, 2201, "first");
  await gate.work(1);
  await telegram.message(id, 2202, "second");
  assert.match((await telegram.said(2202, 1))[0]!, /You are next/);
  gate.release("first");
  await telegram.calls("deleteMessage", { chat: 2202, wait: 1 });
  gate.releaseAll();
  await telegram.said(2202, 2);
  for (let n = 2; n <= 6; n += 1) await telegram.message(id, 2201, `m${n}`);
  const said = async () => (await telegram.said(2201)).filter((text) => /Try again in \d+ minutes/.test(text));
  await until(async () => (await said()).length > 0);
  await telegram.message(id, 2203, "last");
  await telegram.said(2203, 1);
  assert.equal((await said()).length, 1);
  assert.deepEqual(errors, []);
});

test("a webhook is answered at once, not by the first call of the work, and one that is sent twice runs once", async (t) => {
  const { id, bot, gate, errors } = await start(t);
  const server = createServer(bot.webhookCallback("/hook"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await telegram.control("webhook", { bot: id, urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`] });
  const update = { update_id: 77, message: {
    message_id: 1, date: 0, text: "once", chat: { id: 2301, type: "private", first_name: "A" }, from: { id: 2301, is_bot: false, first_name: "A" },
  } };
  for (let n = 0; n < 3; n += 1) await telegram.control("update", { bot: id, update });
  const answered = async () => (await telegram.control("deliveries", { bot: id })).deliveries.filter((one: { status: number }) => one.status === 200);
  await until(async () => (await answered()).length === 3);
  await gate.work(1);
  gate.releaseAll();
  assert.deepEqual(await telegram.said(2301, 1), ["answer to once"]);
  assert.deepEqual(gate.begun, ["once"]);
  assert.deepEqual(errors, []);
});
