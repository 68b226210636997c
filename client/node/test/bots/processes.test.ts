import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Bursar } from "bursar";
import { PATIENT, Served, until } from "../serve.js";
import { Gate, Program, Telegram } from "./bench.js";

const BOT = fileURLToPath(new URL("../../test/bots/bot.mjs", import.meta.url));

let served: Served;
let telegram: Telegram;
let bursar: Bursar;
let bots = 500;

before(async () => {
  [served, telegram] = await Promise.all([Served.start("--bursards", "2", "--clock", "ledger_batch=50"), Telegram.start()]);
  bursar = new Bursar({ address: served.addresses, ...PATIENT });
});
after(async () => {
  await bursar.close();
  await Promise.all([served.end(), telegram.end()]);
});

async function sql(text: string): Promise<any[][]> {
  return (await served.order({ do: "sql", text })).rows;
}

async function open(user: string): Promise<number> {
  return (await bursar.status({ user })).accounts[0]!.openReservations;
}

/** How many slots of a pool are taken, and how many requests wait. */
async function running(pool: string): Promise<[number, number]> {
  const { running, waiting } = await bursar.admin.getPoolStats({ ref: { name: pool } });
  return [running, waiting];
}

async function idle(pool: string): Promise<void> {
  await until(async () => (await running(pool)).every((count) => count === 0), `the end of what is in pool ${pool}`);
}

async function startGate(t: TestContext): Promise<Gate> {
  const gate = await Gate.start();
  t.after(() => gate.end());
  return gate;
}

/** A bot as a process of its own. */
async function startBot(t: TestContext, id: number, gate: Gate, more: { client?: object; [name: string]: unknown } = {}): Promise<Program> {
  const bot = await Program.start(process.execPath, [BOT, JSON.stringify({
    token: `${id}:secret`, api: telegram.url, addresses: served.addresses, gate: gate.url, ...more, client: { ...PATIENT, ...more.client },
  })]);
  t.after(() => bot.end());
  return bot;
}

test("of 200 users over two bots and two bursards each is answered once, and nothing stays open", { timeout: 290_000 }, async (t) => {
  await served.bursar("pool", "put", "crowd", "--slots", "8", "--estimate", "1s", "--wait-max", "1h", "--predicted-wait-max", "1h");
  const id = ++bots;
  const gate = await startGate(t);
  const more = { webhook: true, options: { pool: "crowd", model: "gpt-4o-mini" } };
  const two = [await startBot(t, id, gate, more), await startBot(t, id, gate, more)];
  await telegram.control("webhook", { bot: id, urls: two.map((bot) => bot.ready.url) });
  const users = Array.from({ length: 200 }, (_, n) => 50_000 + n);
  for (const user of users) {
    const update = { update_id: user, message: {
      message_id: user, date: 0, text: `m${user}`, chat: { id: user, type: "private", first_name: "A" }, from: { id: user, is_bot: false, first_name: "A" },
    } };
    // Each is delivered twice; the urls take turns, so a copy goes to the other bot.
    await Promise.all([telegram.control("update", { bot: id, update }), telegram.control("update", { bot: id, update })]);
  }
  await gate.work(8);
  gate.releaseAll();
  await gate.work(200).catch(async (error) => assert.fail(`${error}; ${JSON.stringify(await Promise.all(two.map((bot) => bot.order({}))))}`));
  await until(async () => (await telegram.calls("sendMessage", { wait: 200 })).filter((call) => call.bot === id && call.params.text.startsWith("answer")).length >= 200);
  const delivered = async () => (await telegram.control("deliveries", { bot: id })).deliveries as { status: number | null }[];
  await until(async () => (await delivered()).filter((one) => one.status === 200).length === 400, "the answers to 400 deliveries");
  const rows = `SELECT count(*), count(DISTINCT user_id) FROM ledger WHERE request_id LIKE 'tg-${id}-%'`;
  await until(async () => (await sql(rows))[0]![0] === 200);
  assert.deepEqual(await sql(rows), [[200, 200]]);
  assert.deepEqual([...gate.begun].sort(), users.map((user) => `m${user}`), "none ran twice");
  const answers = (await telegram.calls("sendMessage")).filter((call) => call.bot === id && call.params.text.startsWith("answer"));
  assert.deepEqual(answers.map((call) => call.params.chat_id).sort(), users);
  for (const user of users) assert.equal(await open(`telegram:${user}`), 0);
  await idle("crowd");
  for (const bot of two) assert.deepEqual((await bot.order({})).errors, []);
});

/** How many checks the bursards have denied for a quota. */
async function denied(): Promise<number> {
  const pages = await Promise.all(served.http.map(async (url) => (await fetch(`http://${url}/metrics`)).text()));
  return pages.reduce((sum, page) => sum + Number(/^bursar_checks_total{decision="denied",reason="quota"} (\d+)$/m.exec(page)?.[1] ?? 0), 0);
}

test("of two bots over two bursards one tells a denial, in each chat", async (t) => {
  const id = ++bots;
  const gate = await startGate(t);
  gate.releaseAll();
  const two: Program[] = [];
  for (const addresses of served.addresses) two.push(await startBot(t, id, gate, { webhook: true, addresses: [addresses], options: { model: "gpt-4o-mini" } }));
  await served.bursar("account", "put", "telegram:70001");
  await served.bursar("account", "override", "telegram:70001", "requests=1/day");
  let number = 70_000;
  const write = async (bot: Program, from: number, chat: object) => {
    await telegram.control("webhook", { bot: id, urls: [bot.ready.url] });
    const message = { message_id: ++number, date: 0, text: `m${number}`, chat, from: { id: from, is_bot: false, first_name: "A" } };
    await telegram.control("update", { bot: id, update: { update_id: number, message } });
  };
  const [alone, group] = [{ id: 70_001, type: "private", first_name: "A" }, { id: -70_002, type: "group", title: "G" }];
  const before = await denied();
  await write(two[0]!, 70_001, alone);
  assert.equal((await telegram.said(70_001, 1))[0], "answer to m70001");
  for (const chat of [alone, group]) {
    for (const bot of [...two, ...two]) await write(bot, 70_001, chat);
  }
  await until(async () => (await denied()) === before + 8);
  for (const [n, bot] of two.entries()) {
    await write(bot, 70_003 + n, { id: 70_003 + n, type: "private", first_name: "B" });
    await telegram.said(70_003 + n, 1); // what was denied before has been dealt with
  }
  for (const chat of [alone, group]) assert.equal((await telegram.said(chat.id)).filter((text) => text.includes("Try again in")).length, 1);
  for (const bot of two) assert.deepEqual((await bot.order({})).errors, []);
});

test("a bot that is killed in mid-answer gives its slot back at once, and its reservation when the time of orphans is over", async (t) => {
  await served.bursar("pool", "put", "mid", "--slots", "1");
  const gate = await startGate(t);
  const more = { options: { pool: "mid", model: "gpt-4o-mini" }, client: { orphanMs: 600_000 } };
  const [id, next] = [++bots, ++bots];
  const killed = await startBot(t, id, gate, more);
  const other = await startBot(t, next, gate, more);
  await telegram.message(id, 60_001, "never answered");
  await gate.work(1);
  await telegram.message(next, 60_002, "waits");
  await until(async () => (await running("mid"))[1] === 1);
  await killed.kill();
  await gate.work(2);
  gate.release("waits");
  assert.deepEqual(await telegram.said(60_002, 1), ["answer to waits"]);
  assert.equal(await open("telegram:60001"), 1, "nobody knows whether it used anything");
  await served.order({ do: "clock", seconds: 601 });
  await until(async () => (await open("telegram:60001")) === 0);
  await idle("mid");
  assert.deepEqual((await other.order({})).errors, []);
});

test("a record that waits for a server survives the bot's death, and arrives once after its restart", async (t) => {
  const gate = await startGate(t);
  const id = ++bots;
  const directory = mkdtempSync(join(tmpdir(), "bursar-spool-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const more = { options: { model: "gpt-4o-mini" }, client: { spool: { directory } } };
  const killed = await startBot(t, id, gate, more);
  await telegram.message(id, 61_001, "m1");
  await gate.work(1);
  for (const bursard of [0, 1]) await served.order({ do: "kill", bursard });
  gate.release("m1");
  assert.deepEqual(await telegram.said(61_001, 1), ["answer to m1"]);
  const waiting = () => readdirSync(directory).filter((name) => name.endsWith(".json"));
  await until(() => waiting().length === 1);
  await killed.kill();
  for (const bursard of [0, 1]) await served.order({ do: "start", bursard });
  await startBot(t, id, gate, more);
  const rows = "SELECT user_id, input, output FROM ledger WHERE user_id = 'telegram:61001'";
  await until(async () => (await sql(rows)).length > 0);
  await until(() => waiting().length === 0);
  assert.deepEqual(await sql(rows), [["telegram:61001", 100, 20]]);
  assert.equal(await open("telegram:61001"), 0);
});

test("a bursard that is restarted under a running bot delays answers, and costs none", async (t) => {
  await served.bursar("pool", "put", "restart", "--slots", "4");
  const gate = await startGate(t);
  const id = ++bots;
  const bot = await startBot(t, id, gate, { options: { pool: "restart", model: "gpt-4o-mini" } });
  const users = Array.from({ length: 12 }, (_, n) => 62_000 + n);
  for (const user of users.slice(0, 8)) await telegram.message(id, user, `m${user}`);
  await gate.work(4);
  await until(async () => (await running("restart"))[1] === 4);
  for (const bursard of [0, 1]) await served.order({ do: "stop", bursard });
  for (const user of users.slice(8)) await telegram.message(id, user, `m${user}`);
  for (const bursard of [0, 1]) await served.order({ do: "start", bursard });
  gate.releaseAll();
  for (const user of users) assert.ok((await telegram.said(user, 1)).length >= 1);
  await until(async () => (await telegram.calls("sendMessage")).filter((call) => call.params.text.startsWith("answer to m62")).length === 12);
  for (const user of users) await until(async () => (await open(`telegram:${user}`)) === 0);
  assert.deepEqual((await bot.order({})).errors, []);
});
