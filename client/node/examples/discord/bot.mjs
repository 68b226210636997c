// A Discord bot with discord.js: check, queue, run, record, warn. An LLM that only pretends is part of it, so that it runs as it is:
//
//     deploy/local up
//     cd client/node/examples/discord && npm install && DISCORD_TOKEN=... npm start        # from https://discord.com/developers
//
// It answers direct messages, and the command /ask everywhere. A command is deferred in time; its reply shows the position in the queue and
// becomes the answer. Records that cannot be delivered wait in a folder (SPOOL), and arrive when the bot or Bursar is back.
import { Client, Events, GatewayIntentBits, Partials } from "discord.js";
import { Bursar, estimateTokens } from "bursar";
import { bursarBot } from "bursar/discord";

const MODEL = process.env.MODEL ?? "gpt-4o";
const WORDS_A_SECOND = Number(process.env.WORDS_A_SECOND ?? 10);
const EDIT_EVERY_MS = 1_500;
const COMMAND = {
  name: "ask", description: "Asks the bot", options: [{ name: "question", description: "What you want to know", type: 3, required: true }],
};

// The address and the key are read from BURSAR_ADDR and BURSAR_KEY.
const bursar = new Bursar({ spool: { directory: process.env.SPOOL ?? "spool" }, onError: (error) => console.error("bursar:", error.message) });
const limited = bursarBot(bursar, {
  model: MODEL,
  pool: process.env.POOL ?? "agent-execution", // waits for a slot; leave it out to run at once
  inputTokens: (event) => estimateTokens(questionOf(event)),
  maxOutputTokens: 500,
  upgradeUrl: process.env.UPGRADE_URL,
});

function questionOf(event) {
  return event.content ?? event.options.getString("question", true);
}

// Streams the answer into a message, with the usage that came with it.
async function answer(question, job, show) {
  let text = "";
  let editedAt = Date.now();
  for await (const chunk of llm(question, job.signal)) {
    if (chunk.usage) job.usage(chunk, { provider: "openai" }); // as it came; Bursar reads it
    text += chunk.choices[0]?.delta.content ?? "";
    if (Date.now() - editedAt >= EDIT_EVERY_MS) {
      await show(text);
      editedAt = Date.now();
    }
  }
  await show(text || "I have nothing to say.");
}

const onMessage = limited(async (message, job) => {
  const shown = await message.reply("...");
  await answer(questionOf(message), job, (text) => shown.edit(text));
});

const onCommand = limited(async (interaction, job) => {
  await answer(questionOf(interaction), job, (text) => interaction.editReply(text));
});

// Pretends: chunks as OpenAI streams them. In its place: `openai.chat.completions.create({ stream: true, stream_options:
// { include_usage: true }, ... }, { signal })`.
async function* llm(question, signal) {
  const words = `You asked: ${question} This is all that I know about it.`.split(/\s+/);
  for (const word of words) {
    await new Promise((resolve) => setTimeout(resolve, 1000 / WORDS_A_SECOND));
    signal.throwIfAborted();
    yield { model: MODEL, choices: [{ index: 0, delta: { content: `${word} ` } }] };
  }
  yield { model: MODEL, choices: [], usage: { prompt_tokens: estimateTokens(question), completion_tokens: words.length } };
}

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.DirectMessages],
  partials: [Partials.Channel], // without it, direct messages do not arrive
  ...(process.env.DISCORD_API ? { rest: { api: process.env.DISCORD_API } } : {}),
});
client.on(Events.MessageCreate, (message) => {
  if (!message.guildId && !message.author.bot) void onMessage(message);
});
client.on(Events.InteractionCreate, (interaction) => {
  if (interaction.isChatInputCommand() && interaction.commandName === COMMAND.name) void onCommand(interaction);
});
client.once(Events.ClientReady, async () => {
  await client.application.commands.set([COMMAND]);
  console.log(`${client.user.tag} is ready`);
});

async function stop() {
  await limited.close(); // lets answers that are under way end
  await client.destroy();
  await bursar.close();
  process.exit(0);
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

await client.login(process.env.DISCORD_TOKEN);
