/**
 * An API that answers with an LLM: check, queue, run, record, warn. Start Bursar with `deploy/local up`, then:
 *
 *     npm install && npm start
 *     curl -N localhost:3000/chat -H 'x-user: alice' -H 'content-type: application/json' -d '{"message": "What is a lighthouse?"}'
 *     curl localhost:3000/usage -H 'x-user: alice'
 *
 * Without OPENAI_API_KEY a fake LLM answers.
 */
import { Bursar, Denied, estimateTokens } from "bursar";
import { rateLimit, sendDenial } from "bursar/express";
import { withBursar } from "bursar/openai";
import express from "express";
import OpenAI from "openai";
import { startFakeLlm } from "../fake-llm.mjs";

const bursar = new Bursar({ interface: "api", onError: (error) => console.error(error.message) });
const openai = process.env.OPENAI_API_KEY ? new OpenAI() : new OpenAI({ apiKey: "none", baseURL: (await startFakeLlm()).baseURL });
const pool = bursar.pool("agent-execution");
const MODEL = "gpt-4o-mini";

/* In place of a login. Bursar's user ids are the application's own. */
const userOf = (req) => req.headers["x-user"];

const app = express();
app.use(express.json());

/* Cheap routes: each request counts at once. Without a login the client's address counts. */
app.get("/usage", rateLimit(bursar, { user: userOf, settle: true }), async (req, res) => {
  const { accounts } = await bursar.status({ user: req.bursar.check.user });
  res.json(accounts[0].limits.map(({ limit, used, effectiveAmount, resetsAtUs }) => ({ limit: limit.name, used, of: effectiveAmount, resetsAt: new Date(resetsAtUs / 1000) })));
});

/* One answer at once. What it used is recorded after the response, by the SDK's wrapper. */
app.post("/answer", rateLimit(bursar, { user: userOf, model: MODEL, estimate: (req) => ({ inputTokens: estimateTokens(req.body.message), maxOutputTokens: 300 }) }), async (req, res) => {
  const llm = withBursar(openai, req.bursar);
  const answer = await llm.chat.completions.create({ model: MODEL, max_tokens: 300, messages: messagesOf(req) }, { signal: req.bursar.signal });
  res.json({ answer: answer.choices[0].message.content, warnings: warningsOf(req.bursar.check) });
});

/* A stream of events that waits for a slot of the pool first: the fleet runs only so many at once. */
app.post("/chat", async (req, res) => {
  const gone = new AbortController();
  res.on("close", () => gone.abort());
  const send = (event, data) => {
    if (!res.headersSent) res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
    res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const wants = { user: userOf(req) ?? `ip:${req.socket.remoteAddress}`, model: MODEL, inputTokens: estimateTokens(req.body.message), maxOutputTokens: 300 };
  try {
    await pool.run(wants, async (slot) => {
      for (const text of warningsOf(slot.check)) send("warning", { text });
      const llm = withBursar(openai, slot);
      const signal = anyOf(slot.signal, gone.signal);
      const stream = await llm.chat.completions.create({ model: MODEL, max_tokens: 300, messages: messagesOf(req), stream: true }, { signal });
      for await (const chunk of stream) send("text", { text: chunk.choices[0]?.delta.content ?? "" });
    }, { signal: gone.signal, onQueued: ({ position, etaMs }) => send("queued", { position, etaMs }) });
    send("done", {});
    res.end();
  } catch (error) {
    if (error instanceof Denied) return sendDenial(res, error.check);
    if (gone.signal.aborted) return;
    console.error(error);
    if (!res.headersSent) return res.status(500).json({ error: { message: "The answer could not be made." } });
    send("error", { text: "The answer could not be finished." });
    res.end();
  }
});

const messagesOf = (req) => [{ role: "user", content: String(req.body.message) }];
/* Told once per limit and window. */
const warningsOf = (check) => check.notify.map(({ limit, usedPercent }) => `You have used ${usedPercent}% of ${limit.name}.`);

function anyOf(...signals) {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort();
    signal.addEventListener("abort", () => controller.abort(), { once: true });
  }
  return controller.signal;
}

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

/* What is gathered is sent before the process ends. */
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => server.close(() => bursar.close().then(() => process.exit(0))) && server.closeAllConnections());
