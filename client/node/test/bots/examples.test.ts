import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Served, until } from "../serve.js";
import { Discord, discordMissing, Telegram } from "./bench.js";

const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const WARNING = "80% of 5 requests per day are used.";

let served: Served;

before(async () => {
  served = await Served.start();
  await served.bursar("tier", "put", "five", "requests=5/day");
});
after(() => served.end());

/** Starts an example; resolves when it says that it is ready. It runs as a copy, which finds the packages of this one. */
async function start(t: TestContext, name: string, messenger: Telegram | Discord, env: Record<string, string>): Promise<ChildProcess> {
  const spool = mkdtempSync(join(tmpdir(), "bursar-example-"));
  const copy = fileURLToPath(new URL(`../examples/${name}.mjs`, import.meta.url));
  cpSync(join(EXAMPLES, name, "bot.mjs"), copy);
  const example = spawn(process.execPath, [copy], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, BURSAR_ADDR: served.addresses[0]!, SPOOL: spool, WORDS_A_SECOND: "200", UPGRADE_URL: "https://example.org/pro", ...env },
  });
  t.after(async () => {
    example.kill("SIGTERM");
    if (example.exitCode === null) await once(example, "exit");
    rmSync(spool, { recursive: true, force: true });
    await messenger.end();
    assert.equal(example.exitCode, 0, "it stops when it is asked to");
  });
  let said = "";
  example.stdout!.on("data", (text) => (said += text));
  await until(() => said.includes("is ready"));
  return example;
}

async function rows(user: string): Promise<number> {
  return (await served.order({ do: "sql", text: `SELECT count(*) FROM ledger WHERE user_id = '${user}' AND cost_nano > 0` })).rows[0][0];
}

test("examples have fewer than 150 lines", () => {
  for (const name of ["telegram-grammy", "discord"]) assert.ok(readFileSync(join(EXAMPLES, name, "bot.mjs"), "utf8").split("\n").length < 150, name);
});

test("the example with grammY checks, queues, runs, records and warns", async (t) => {
  const telegram = await Telegram.start();
  await start(t, "telegram-grammy", telegram, { BOT_TOKEN: "42:secret", TELEGRAM_API: telegram.url });
  const shown = async (chat: number): Promise<string[]> => (await telegram.control("chat", { bot: 42, chat })).messages.map((one: { text: string }) => one.text);
  const answered = (chat: number, text: string) => until(async () => (await shown(chat)).some((one) => one.startsWith(`You asked: ${text} `) && one.includes("about it")));
  // Who waits sees their place, until their turn comes.
  await served.bursar("pool", "drain", "agent-execution");
  await telegram.message(42, 4001, "one");
  assert.ok((await telegram.said(4001, 1))[0]!.startsWith("⏳ You are next."));
  await served.bursar("pool", "resume", "agent-execution");
  await answered(4001, "one");
  await until(async () => (await shown(4001)).length === 1);
  await until(async () => (await rows("telegram:4001")) === 1);
  // Near the limit a warning, at the limit one denial.
  await served.bursar("account", "put", "telegram:4003", "--tier", "five");
  for (const n of [1, 2, 3, 4, 5]) {
    await telegram.message(42, 4003, `m${n}`);
    await answered(4003, `m${n}`);
  }
  for (const n of [6, 7]) await telegram.message(42, 4003, `m${n}`);
  await until(async () => (await shown(4003)).length === 7);
  const [warning, denial] = (await shown(4003)).filter((text) => !text.startsWith("You asked"));
  assert.equal(warning, WARNING);
  assert.match(denial!, /^You have reached your limit of 5 requests per day\. Try again in /);
  await telegram.message(42, 4003, "/status");
  await until(async () => (await shown(4003)).some((text) => text.startsWith("Your plan: five\nrequests_per_day: 100% used")));
});

test("the example with discord.js checks, queues, runs, records and warns", { skip: discordMissing() }, async (t) => {
  const discord = await Discord.start();
  await start(t, "discord", discord, { DISCORD_TOKEN: "NDM.x.y", DISCORD_API: discord.api });
  await until(async () => Object.values((await discord.look("sessions")).commands as Record<string, string[]>).flat().includes("ask"));
  type Shown = { content: string; author: { bot?: boolean } };
  const shown = async (channel: string): Promise<string[]> =>
    (await discord.look("messages", { channel })).filter((one: Shown) => one.author.bot).map((one: Shown) => one.content);
  const answered = (channel: string, text: string) => until(async () => (await shown(channel)).some((one) => one.startsWith(`You asked: ${text} `) && one.includes("about it")));
  await served.bursar("pool", "drain", "agent-execution");
  const one = (await discord.control("command", { user: 5001, command: "ask", options: { question: "one" } })).channel;
  await until(async () => (await shown(one))[0]?.startsWith("⏳ You are next.") ?? false);
  await served.bursar("pool", "resume", "agent-execution");
  await answered(one, "one");
  assert.equal((await shown(one)).length, 1);
  await until(async () => (await rows("discord:5001")) === 1);
  await served.bursar("account", "put", "discord:5003", "--tier", "five");
  let channel = "";
  for (const n of [1, 2, 3, 4, 5]) {
    channel = (await discord.control("message", { user: 5003, text: `m${n}` })).channel;
    await answered(channel, `m${n}`);
  }
  for (const n of [6, 7]) await discord.control("message", { user: 5003, text: `m${n}` });
  await until(async () => (await shown(channel)).length === 7);
  const [warning, denial] = (await shown(channel)).filter((text) => !text.startsWith("You asked"));
  assert.equal(warning, WARNING);
  assert.match(denial!, /^You have reached your limit of 5 requests per day\. Try again in /);
});
