/** The chat: check, queue, run, record, warn. The answer is a stream of events; a denial is 429. */
import { Denied, estimateTokens } from "bursar";
import { denialResponse } from "bursar/next";
import { withBursar } from "bursar/openai";
import { bursar, MODEL, openai, pool, userOf } from "../../../lib/bursar.js";

export const dynamic = "force-dynamic";

export async function POST(request) {
  const { message } = await request.json();
  const user = userOf(request);
  if (!user) return Response.json({ error: { message: "Please log in." } }, { status: 401 });
  const wants = { user, model: MODEL, inputTokens: estimateTokens(message), maxOutputTokens: 300 };
  const gone = new AbortController();
  request.signal.addEventListener("abort", () => gone.abort(), { once: true });
  const { events, send, close } = eventStream(() => gone.abort());
  /* Whether the request is denied is known with its first event, before there is a response. */
  let started;
  const first = new Promise((resolve) => (started = resolve));
  const running = pool.run(wants, async (slot) => {
    started();
    for (const { limit, usedPercent } of slot.check.notify) send("warning", { text: `You have used ${usedPercent}% of ${limit.name}.` });
    slot.signal.addEventListener("abort", () => gone.abort(), { once: true });
    const llm = withBursar(await openai(), slot);
    const stream = await llm.chat.completions.create({ model: MODEL, max_tokens: 300, stream: true, messages: [{ role: "user", content: message }] }, { signal: gone.signal });
    for await (const chunk of stream) send("text", { text: chunk.choices[0]?.delta.content ?? "" });
  }, { signal: gone.signal, onQueued: ({ position, etaMs }) => { started(); send("queued", { position, etaMs }); } });
  running.then(() => send("done", {}), (error) => { if (!(error instanceof Denied)) send("error", { text: "The answer could not be finished." }); }).then(close);
  try {
    await Promise.race([first, running]);
  } catch (error) {
    if (error instanceof Denied) return denialResponse(error.check);
    throw error;
  }
  return new Response(events, { headers: { "content-type": "text/event-stream", "cache-control": "no-cache" } });
}

/** What the page shows beside the chat. */
export async function GET(request) {
  const { accounts } = await bursar.status({ user: userOf(request) ?? "nobody" });
  return Response.json(accounts[0].limits.map(({ limit, used, effectiveAmount }) => ({ limit: limit.name, used, of: effectiveAmount })));
}

/** A stream of server-sent events, and what writes into it. */
function eventStream(cancelled) {
  const encoder = new TextEncoder();
  let controller;
  let open = true;
  const events = new ReadableStream({ start: (it) => (controller = it), cancel: () => { open = false; cancelled(); } });
  const send = (event, data) => open && controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  const close = () => { if (open) controller.close(); open = false; };
  return { events, send, close };
}
