/** A fake LLM with OpenAI's API, so that the examples run without a key: it streams a sentence, word by word, and tells its usage. */
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const WORDS = "Of course. A lighthouse is a tower with a bright lamp, so that ships find their way at night.".match(/\S+\s*/g);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function startFakeLlm(port = 0, wordMs = 40) {
  const server = createServer(async (req, res) => {
    let text = "";
    for await (const part of req) text += part;
    const { model, stream, stream_options: options } = JSON.parse(text || "{}");
    const usage = { prompt_tokens: Math.ceil(text.length / 4), completion_tokens: WORDS.length, total_tokens: Math.ceil(text.length / 4) + WORDS.length };
    const head = { id: "chatcmpl-1", created: 1, model };
    if (!stream) {
      const message = { role: "assistant", content: WORDS.join("") };
      return res.setHeader("content-type", "application/json").end(JSON.stringify({ ...head, object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }], usage }));
    }
    res.setHeader("content-type", "text/event-stream");
    const send = (chunk) => res.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", ...chunk })}\n\n`);
    for (const content of WORDS) {
      if (res.destroyed) return;
      send({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
      await pause(wordMs);
    }
    send({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
    if (options?.include_usage) send({ choices: [], usage });
    res.end("data: [DONE]\n\n");
  }).listen(port, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { baseURL: `http://127.0.0.1:${server.address().port}/v1`, close: () => server.close() };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.log((await startFakeLlm(Number(process.env.PORT ?? 8000))).baseURL);
