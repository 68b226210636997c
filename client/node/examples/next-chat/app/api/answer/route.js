/** One answer at once, limited by the wrapper: what it used is recorded after the response has ended. */
import { withRateLimit } from "bursar/next";
import { withBursar } from "bursar/openai";
import { bursar, MODEL, openai, userOf } from "../../../lib/bursar.js";

export const POST = withRateLimit(bursar, { user: userOf, trustedProxies: ["loopback"], model: MODEL }, async (request, context, job) => {
  const { message } = await request.json();
  const llm = withBursar(await openai(), job);
  const answer = await llm.chat.completions.create({ model: MODEL, max_tokens: 300, messages: [{ role: "user", content: message }] }, { signal: job.signal });
  return Response.json({ answer: answer.choices[0].message.content });
});
