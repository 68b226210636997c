import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test, type TestContext } from "node:test";
import { Client, Events, GatewayIntentBits, Partials, type ChatInputCommandInteraction, type Message } from "discord.js";
import { Bursar } from "bursar";
import { bursarBot, type DiscordOptions } from "bursar/discord";
import { PATIENT, Served, until } from "../serve.js";
import { Discord, discordMissing, Gate } from "./bench.js";

const skip = discordMissing();

let served: Served;
let discord: Discord;
let bots = 700;

before(async () => {
  if (skip) return;
  [served, discord] = await Promise.all([Served.start(), Discord.start()]);
  await served.bursar("tier", "put", "three", "requests=3/h");
});
after(async () => {
  if (skip) return;
  await Promise.all([served.end(), discord.end()]);
});

interface Bench {
  bursar: Bursar;
  gate: Gate;
  errors: unknown[];
  client: Client;
}

const INTENTS = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages, GatewayIntentBits.MessageContent];

/** A bot that answers messages that are addressed to it by its number, and the slash command of that name. */
async function start(t: TestContext, options: DiscordOptions<any> = {}): Promise<Bench & { name: string }> {
  const name = `b${++bots}`;
  const bursar = new Bursar({ address: served.addresses, ...PATIENT });
  const gate = await Gate.start();
  const errors: unknown[] = [];
  const client = new Client({ intents: INTENTS, partials: [Partials.Channel], rest: { api: discord.api } });
  const limited = bursarBot(bursar, { model: "gpt-4o-mini", onError: (error) => errors.push(error), ...options });
  const work = async (text: string, signal: AbortSignal) => (await fetch(`${gate.url}?text=${encodeURIComponent(text)}`, { signal })).text();
  const onMessage = limited(async (message: Message, job) => {
    const answer = await work(message.content, job.signal);
    job.usage({ prompt_tokens: 100, completion_tokens: 20 }, { provider: "openai" });
    await message.reply(answer);
  });
  const onCommand = limited(async (interaction: ChatInputCommandInteraction, job) => {
    const answer = await work(interaction.options.getString("text", true), job.signal);
    job.usage({ prompt_tokens: 100, completion_tokens: 20 }, { provider: "openai" });
    await interaction.editReply(answer);
  });
  client.on(Events.MessageCreate, (message) => message.content.startsWith(name) && void onMessage(message));
  client.on(Events.InteractionCreate, (interaction) => interaction.isChatInputCommand() && interaction.commandName === name && void onCommand(interaction));
  t.after(async () => {
    gate.releaseAll();
    await limited.close();
    await client.destroy();
    await bursar.close();
    gate.end();
  });
  const ready = once(client, Events.ClientReady);
  await client.login(`${Buffer.from(String(bots)).toString("base64")}.x.y`);
  await ready;
  return { name, bursar, gate, errors, client };
}

/** A user who may ask three times, and then not for 20 minutes: however long the test takes. */
async function three(user: number): Promise<void> {
  await served.bursar("account", "put", `discord:${user}`, "--tier", "three");
}

interface Shown {
  id: string;
  content: string;
  edits: number;
  author: { bot?: boolean };
  components: { components: { url: string; label: string }[] }[];
  flags?: number;
  loading: boolean;
}

/** What bots have written in a channel. Each test has channels of its own. */
async function shown(channel: string): Promise<Shown[]> {
  return (await discord.look("messages", { channel })).filter((one: Shown) => one.author.bot);
}

async function messageTo(name: string, user: number, text: string, more: object = {}): Promise<string> {
  return (await discord.control("message", { user, text: `${name} ${text}`, ...more })).channel;
}

async function command(name: string, user: number, text: string, more: object = {}): Promise<string> {
  return (await discord.control("command", { user, command: name, options: { text }, ...more })).channel;
}

test("a message is answered, and a user at the limit is told once, with the time", { skip }, async (t) => {
  const { name, bursar, gate, errors } = await start(t, { upgradeUrl: "https://example.org/pro" });
  gate.open = true;
  await three(3001);
  let channel = "";
  for (let n = 1; n <= 3; n += 1) channel = await messageTo(name, 3001, `m${n}`);
  await until(async () => (await shown(channel)).length === 3);
  for (let n = 4; n <= 7; n += 1) await messageTo(name, 3001, `m${n}`);
  const other = await messageTo(name, 3002, "last");
  await until(async () => (await shown(other)).length === 1);
  await until(async () => (await shown(channel)).length === 4);
  const denial = (await shown(channel)).at(-1)!;
  assert.match(denial.content, /limit of 3 requests per hour\. Try again in \d+ minutes/);
  assert.deepEqual(denial.components[0]!.components.map(({ url, label }) => [label, url]), [["Upgrade", "https://example.org/pro"]]);
  await until(async () => (await bursar.status({ user: "discord:3001" })).accounts[0]!.openReservations === 0);
  assert.deepEqual(errors, []);
});

test("a command that waits in the queue is deferred in time; its reply counts down and becomes the answer", { skip }, async (t) => {
  await served.bursar("pool", "put", "slash", "--slots", "1");
  const { name, gate, errors } = await start(t, { pool: "slash", noticeMs: 0 });
  await command(name, 3101, "first");
  await gate.work(1);
  const second = await command(name, 3102, "second");
  await until(async () => (await shown(second))[0]?.content.includes("You are next") ?? false);
  const third = await command(name, 3103, "third", { locale: "de" });
  await until(async () => (await shown(third))[0]?.content.includes("Nummer 2") ?? false);
  gate.release("first");
  await gate.work(2);
  await until(async () => (await shown(third))[0]!.content.includes("als Nächstes"));
  gate.releaseAll();
  await until(async () => (await shown(third))[0]!.content === "answer to third");
  assert.deepEqual((await shown(second)).map((one) => one.content), ["answer to second"]);
  assert.equal((await shown(third)).length, 1);
  assert.deepEqual(errors, []);
});

test("a denied command is answered each time, seen by its user only", { skip }, async (t) => {
  const { name, gate, errors } = await start(t);
  gate.open = true;
  await three(3201);
  let channel = "";
  for (let n = 1; n <= 5; n += 1) {
    channel = await command(name, 3201, `m${n}`);
    await until(async () => (await shown(channel)).filter((one) => !one.loading).length === n);
  }
  const denials = (await shown(channel)).slice(3);
  for (const denial of denials) {
    assert.match(denial.content, /Try again in/);
    assert.equal(denial.flags, 64);
  }
  assert.equal(denials.length, 2);
  assert.deepEqual(errors, []);
});

test("a check that takes long does not let a command expire", { skip }, async (t) => {
  const { name, gate, errors } = await start(t);
  gate.open = true;
  await served.order({ do: "freeze" });
  const channel = await command(name, 3301, "patient");
  await until(async () => (await shown(channel))[0]?.loading === true);
  await served.order({ do: "thaw" });
  await until(async () => (await shown(channel))[0]!.content === "answer to patient");
  assert.deepEqual(errors, []);
});

test("an event that comes twice runs once, also in another process", { skip }, async (t) => {
  const one = await start(t);
  one.gate.open = true;
  const id = "900000000000000001";
  let channel = "";
  for (let n = 0; n < 3; n += 1) channel = await messageTo(one.name, 3401, "once", { id });
  await until(async () => (await shown(channel)).length > 0);
  const other = bots; // the same bot in another process: the same id of the bot, another memory
  bots = other - 1;
  const two = await start(t);
  two.gate.open = true;
  await messageTo(two.name, 3401, "once", { id });
  const last = await messageTo(two.name, 3402, "last");
  await until(async () => (await shown(last)).length === 1); // by one of them
  assert.deepEqual(one.gate.begun.filter((text) => text.endsWith("once")), [`${one.name} once`]);
  assert.deepEqual(two.gate.begun.filter((text) => text.endsWith("once")), []);
  assert.equal((await shown(channel)).length, 1);
});

test("edits that Discord slows down do not pile up, and what fails is told to onError only", { skip }, async (t) => {
  await served.bursar("pool", "put", "slow", "--slots", "1");
  const { name, gate, errors, bursar } = await start(t, { pool: "slow", noticeMs: 0, texts: { "*": { eta: "" } } });
  await messageTo(name, 3501, "m1");
  await gate.work(1);
  let channel = "";
  for (let n = 2; n <= 4; n += 1) {
    channel = await messageTo(name, 3500 + n, `m${n}`);
    await until(async () => (await shown(channel)).length === 1);
  }
  await discord.control("rule", { method: "PATCH", path: `/channels/${channel}/messages/`, status: 429, retry_after: 1 });
  const edits = async () => ((await discord.look("calls")) as { method: string; path: string; at_ms: number; end_ms: number; body: { content: string } }[])
    .filter((call) => call.method === "PATCH" && call.path.startsWith(`/channels/${channel}/`));
  gate.release(`${name} m1`);
  await until(async () => (await edits()).length >= 1);
  await gate.work(2);
  gate.release(`${name} m2`);
  await until(async () => (await edits()).length >= 3); // refused, repeated by discord.js, and the next
  assert.deepEqual((await edits()).map((call) => /number 2|next/.exec(call.body.content)![0]), ["number 2", "number 2", "next"]);
  await gate.work(3);
  gate.release(`${name} m3`);
  await gate.work(4);
  await discord.control("rule", { method: "POST", path: `/channels/${channel}/messages$`, status: 500, times: 9 });
  gate.release(`${name} m4`);
  await until(() => errors.length > 0);
  await until(async () => (await bursar.status({ user: "discord:3504" })).accounts[0]!.openReservations === 0);
  for (const [n, edit] of (await edits()).entries()) if (n) assert.ok(edit.at_ms >= (await edits())[n - 1]!.end_ms, "one at a time");
  assert.match(String(errors[0]), /as the test asked|Internal Server Error/i);
});
