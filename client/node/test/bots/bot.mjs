// A bot as a process of its own, for tests that end it: node bot.mjs '{"token", "api", "addresses", "gate", "options"?, "client"?, "webhook"?}'.
// Prints a line of JSON when it is ready.
import { createServer } from "node:http";
import { Bot, webhookCallback } from "grammy";
import { Bursar } from "bursar";
import { bursarBot } from "bursar/grammy";

const { token, api, addresses, gate, options, client, webhook } = JSON.parse(process.argv[2]);
const errors = [];
const bursar = new Bursar({ address: addresses, ...client });
const limited = bursarBot(bursar, { ...options, onError: (error) => errors.push(String(error)) });
const bot = new Bot(token, { client: { apiRoot: api } });

bot.on("message:text", limited(async (ctx, job) => {
  const answer = await fetch(`${gate}?text=${encodeURIComponent(ctx.message.text)}`, { signal: job.signal });
  job.usage({ prompt_tokens: 100, completion_tokens: 20 }, { provider: "openai", model: "gpt-4o-mini" });
  await ctx.reply(await answer.text());
}));

function say(what) {
  process.stdout.write(JSON.stringify(what) + "\n");
}

if (webhook) {
  const server = createServer(webhookCallback(bot, "http"));
  server.listen(0, "127.0.0.1", () => say({ url: `http://127.0.0.1:${server.address().port}/` }));
} else {
  void bot.start({ onStart: () => say({}) });
}

process.stdin.on("data", () => say({ errors, spooled: bursar.spooled }));
process.stdin.on("end", async () => {
  await limited.close();
  await bursar.close();
  process.exit(0);
});
