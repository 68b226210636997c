/** Vercel's AI SDK, versions 5, 6 and 7, with the providers of OpenAI and Anthropic. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as ai5 from "ai5";
import * as ai6 from "ai6";
import * as ai7 from "ai7";
import { createAnthropic as anthropic5 } from "ai-anthropic5";
import { createAnthropic as anthropic6 } from "ai-anthropic6";
import { createAnthropic as anthropic7 } from "ai-anthropic7";
import { createOpenAI as openai5 } from "ai-openai5";
import { createOpenAI as openai6 } from "ai-openai6";
import { createOpenAI as openai7 } from "ai-openai7";
import { bursarEmbeddings, bursarMiddleware, deniedOf, withBursar } from "bursar/ai";
import { bursar, countEach, counted, linesOf, llm, until } from "./servers.mjs";

countEach();

const TEXT = "Hello there, this is the answer.";
const OPENAI_LINES = { input: 400, cached_input: 600, output: 300, reasoning: 200 };
const VERSIONS = {
  "ai 5": { ai: ai5, openai: openai5, anthropic: anthropic5 },
  "ai 6": { ai: ai6, openai: openai6, anthropic: anthropic6 },
  "ai 7": { ai: ai7, openai: openai7, anthropic: anthropic7 },
};

for (const [name, { ai, openai, anthropic }] of Object.entries(VERSIONS)) {
  describe(name, () => {
    const provider = () => openai({ baseURL: `${llm.url}/v1`, apiKey: "key" });
    const models = {
      "openai chat": { make: () => provider().chat("gpt-4o"), lines: OPENAI_LINES },
      "openai responses": { make: () => provider().responses("gpt-4o"), lines: OPENAI_LINES },
      "anthropic": { make: () => anthropic({ baseURL: `${llm.url}/v1`, apiKey: "key" })("claude-sonnet-5"), lines: { input: 100, cached_input: 600, cache_write: 300, output: 500 } },
    };
    const wrapped = (model, user) => ai.wrapLanguageModel({ model, middleware: bursarMiddleware(counted, { user }) });
    const calls = {
      generateText: async (model) => (await ai.generateText({ model, prompt: "What?" })).text,
      streamText: async (model) => {
        let error;
        const { textStream } = ai.streamText({ model, prompt: "What?", onError: (event) => { error = event.error; } });
        let text = "";
        for await (const part of textStream) text += part;
        if (error) throw error;
        return text;
      },
    };

    for (const [provided, { make, lines }] of Object.entries(models))
      for (const [method, call] of Object.entries(calls))
        for (const [how, under] of [["as middleware", wrapped], ["around the model", (model, user) => withBursar(model, counted, { user })]])
          test(`${method} with ${provided} ${how}: recorded to the token, and a denial sends nothing and is not repeated`, async () => {
            if (provided === "anthropic") await llm.set({ usage: { input: 1000, cached: 600, write: 300, output: 500, reasoning: 0 } });
            assert.equal(await call(under(make(), "rich")), TEXT);
            assert.deepEqual(linesOf(counted.records[0]), lines);
            assert.equal(counted.records[0].usageProblem, "");
            assert.equal(await llm.count(), 1);
            const error = await call(under(make(), "poor")).then(() => assert.fail("was allowed"), (it) => it);
            assert.equal(deniedOf(error)?.check.reason, "quota", String(error));
            assert.equal(await llm.count(), 1);
            assert.equal(counted.checks.length, 2);
          });

    test("a stream that is left is recorded, and the LLM hears of it", async () => {
      await llm.set({ hold_after: 2 });
      const controller = new AbortController();
      const { textStream } = ai.streamText({ model: wrapped(provider().chat("gpt-4o"), "rich"), prompt: "What?", abortSignal: controller.signal, onError: () => {} });
      const reader = textStream.getReader();
      await reader.read();
      controller.abort();
      await reader.cancel().catch(() => {});
      await until(() => counted.records.length === 1, "the record");
      assert.equal(counted.records[0].estimated, true);
      assert.equal((await llm.wait(1, "aborted")).requests[0].ended, "aborted");
    });

    test("each step with tools is checked, and a denial in the middle ends it", async () => {
      await llm.set({ tool_rounds: 1, arguments: { city: "Oslo" } });
      const tools = { weather: ai.tool({ description: "the weather", inputSchema: ai.jsonSchema({ type: "object", properties: { city: { type: "string" } } }), execute: async () => "rain" }) };
      const done = await ai.generateText({ model: wrapped(provider().chat("gpt-4o"), "rich"), prompt: "What?", tools, stopWhen: ai.stepCountIs(5) });
      assert.equal(done.text, TEXT);
      assert.equal(counted.checks.length, 2);
      assert.equal(counted.records.length, 2);
    });

    test("a call that the provider refuses gives its reservation back", async () => {
      await llm.set({ fail: [{ status: 400 }] });
      await assert.rejects(ai.generateText({ model: wrapped(provider().chat("gpt-4o"), "rich"), prompt: "What?" }));
      assert.equal(counted.cancels, 1);
    });

    if (ai.wrapEmbeddingModel)
      test("embeddings are limited", async () => {
        const model = ai.wrapEmbeddingModel({ model: provider().textEmbeddingModel?.("text-embedding-3-small") ?? provider().embedding("text-embedding-3-small"), middleware: bursarEmbeddings(counted, { user: "rich" }) });
        await ai.embed({ model, value: "sunny day" });
        assert.deepEqual(linesOf(counted.records[0]), { input: 1000 });
      });
  });
}
