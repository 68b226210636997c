// A Telegram bot with grammY: check, queue, run, record, warn. An LLM that only pretends is part of it, so that it runs as it is:
//
//     deploy/local up
//     cd client/node/examples/telegram-grammy && npm install && BOT_TOKEN=... npm start        # the token comes from @BotFather
//
// Who is over a limit reads once for how long; who waits for one of the pool's slots sees their position; a quota that is nearly used up is
// mentioned once. Records that cannot be delivered wait in a folder (SPOOL), and arrive when the bot or Bursar is back.
import { Bot } from "grammy";
import { Bursar, estimateTokens } from "bursar";
import { bursarBot } from "bursar/grammy";

const MODEL = process.env.MODEL ?? "gpt-4o";
const WORDS_A_SECOND = Number(process.env.WORDS_A_SECOND ?? 10);
const EDIT_EVERY_MS = 1_500;

// The address and the key are read from BURSAR_ADDR and BURSAR_KEY.
const bursar = new Bursar({ spool: { directory: process.env.SPOOL ?? "spool" }, onError: (error) => console.error("bursar:", error.message) });
const limited = bursarBot(bursar, {
  model: MODEL,
  pool: process.env.POOL ?? "agent-execution", // waits for a slot; leave it out to run at once
  per: "both", // in a group, everybody pays for themselves, and the group's number of requests is limited as well
  inputTokens: (ctx) => estimateTokens(ctx.message.text),
  maxOutputTokens: 500,
  upgradeUrl: process.env.UPGRADE_URL,
});

// TELEGRAM_API: a Bot API server of your own.
const bot = new Bot(process.env.BOT_TOKEN, process.env.TELEGRAM_API ? { client: { apiRoot: process.env.TELEGRAM_API } } : {});

bot.command("start", (ctx) => ctx.reply("Ask me anything. /status says what you have left."));

// Changes nothing, so it is not limited.
bot.command("status", async (ctx) => {
  const { accounts } = await bursar.status({ user: `telegram:${ctx.from.id}`, language: ctx.from.language_code ?? "" });
  const lines = accounts[0].limits.map(({ limit, usedPercent }) => `${limit.name}: ${usedPercent}% used`);
  await ctx.reply([`Your plan: ${accounts[0].tier}`, ...lines].join("\n"));
});

// Runs when the user's limits and the queue allow it. grammY does not wait for it: others are answered meanwhile.
bot.on("message:text", limited(async (ctx, job) => {
  const shown = await ctx.reply("...");
  const show = (text) => ctx.api.editMessageText(ctx.chat.id, shown.message_id, text);
  let text = "";
  let editedAt = Date.now();
  for await (const chunk of llm(ctx.message.text, job.signal)) {
    if (chunk.usage) job.usage(chunk, { provider: "openai" }); // as it came; Bursar reads it
    text += chunk.choices[0]?.delta.content ?? "";
    if (Date.now() - editedAt >= EDIT_EVERY_MS) {
      await show(text);
      editedAt = Date.now();
    }
  }
  await show(text || "I have nothing to say.");
}));

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

// What the limited handlers do by themselves is caught; this is for the others.
bot.catch(({ error }) => console.error(error));

async function stop() {
  await bot.stop().catch(console.error); // Telegram may not be there
  await limited.close(); // lets answers that are under way end
  await bursar.close();
  process.exit(0);
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

await bot.start({ onStart: ({ username }) => console.log(`@${username} is ready`) });
