/** Frameworks for agents: a denial comes before their own retries, and what they used is recorded by their own figures. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HumanMessage } from "@langchain/core/messages";
import { StateGraph, MessagesAnnotation, START } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";
import { Agent, OpenAIProvider, Runner, setTracingDisabled, tool } from "@openai/agents";
import { createOpenAI as openai5 } from "ai-openai5";
import { createOpenAI as openai6 } from "ai-openai6";
import { z } from "zod";
import { bursarCallbacks, bursarModel, bursarModels, deniedOf } from "bursar/agents";
import { bursar, countEach, counted, linesOf, llm, until } from "./servers.mjs";

setTracingDisabled(true);
countEach();

const TEXT = "Hello there, this is the answer.";
const LINES = { input: 400, cached_input: 600, output: 300, reasoning: 200 };

/** A user who has `requests` left. */
let users = 0;
async function userWith(requests) {
  const user = `user ${++users}`;
  await bursar.tier(`left-${requests}`, `requests=${requests}/day`);
  await bursar.account(user, `left-${requests}`);
  return user;
}

const failure = (promise) => promise.then(() => assert.fail("was allowed"), (error) => error);

describe("@openai/agents", () => {
  const weather = tool({ name: "weather", description: "the weather", parameters: z.object({ city: z.string() }), execute: async () => "rain" });
  const runner = (user, useResponses) => {
    const provider = new OpenAIProvider({ apiKey: "key", baseURL: `${llm.url}/v1`, useResponses });
    return new Runner({ modelProvider: bursarModels(provider, counted, { user }), tracingDisabled: true });
  };

  for (const useResponses of [true, false]) {
    const api = useResponses ? "responses" : "chat completions";
    const agent = () => new Agent({ name: "helper", model: "gpt-4o", tools: [weather] });

    test(`${api}: every request of a run is checked and recorded`, async () => {
      await llm.set({ tool_rounds: 1, arguments: { city: "Oslo" } });
      const result = await runner("rich", useResponses).run(agent(), "What?");
      assert.equal(result.finalOutput, TEXT);
      assert.equal(await llm.count(), 2);
      assert.equal(counted.checks.length, 2);
      assert.deepEqual(counted.records.map(linesOf), [LINES, LINES]);
    });

    test(`${api}: streams are recorded, too`, async () => {
      const result = await runner("rich", useResponses).run(agent(), "What?", { stream: true });
      for await (const event of result) void event;
      await result.completed;
      await until(() => counted.records.length === 1, "the record");
      assert.deepEqual(linesOf(counted.records[0]), LINES);
    });

    test(`${api}: a denial in the middle ends the run, with one check and no request`, async () => {
      await llm.set({ tool_rounds: 9, arguments: { city: "Oslo" } });
      const error = await failure(runner(await userWith(2), useResponses).run(agent(), "What?"));
      assert.equal(deniedOf(error)?.check.reason, "quota", String(error));
      assert.equal(await llm.count(), 2);
      assert.equal(counted.checks.length, 3);
    });

    test(`${api}: a denied stream sends nothing`, async () => {
      const result = await runner("poor", useResponses).run(agent(), "What?", { stream: true });
      const error = await failure((async () => { for await (const event of result) void event; await result.completed; })());
      assert.equal(deniedOf(error)?.check.reason, "quota", String(error));
      assert.equal(await llm.count(), 0);
    });
  }
});

describe("LangChain", () => {
  const model = (options = {}) => new ChatOpenAI({ model: "gpt-4o", apiKey: "key", configuration: { baseURL: `${llm.url}/v1` }, ...options });
  const under = (user) => ({ callbacks: [bursarCallbacks(counted, { user })] });

  for (const useResponsesApi of [false, true]) {
    const api = useResponsesApi ? "responses" : "chat completions";

    test(`${api}: invoke and stream are recorded to the token`, async () => {
      assert.equal((await model({ useResponsesApi }).invoke("What?", under("rich"))).text, TEXT);
      let text = "";
      for await (const chunk of await model({ useResponsesApi }).stream("What?", under("rich"))) text += chunk.text;
      assert.equal(text, TEXT);
      await until(() => counted.records.length === 2, "the records");
      assert.deepEqual(counted.records.map(linesOf), [LINES, LINES]);
      assert.equal(counted.checks[0].model, "gpt-4o");
    });

    test(`${api}: a denial is asked for once, and sends nothing`, async () => {
      const error = await failure(model({ useResponsesApi }).invoke("What?", under("poor")));
      assert.equal(deniedOf(error)?.check.reason, "quota", String(error));
      const streamed = await failure((async () => { for await (const chunk of await model({ useResponsesApi }).stream("What?", under("poor"))) void chunk; })());
      assert.equal(deniedOf(streamed)?.check.reason, "quota", String(streamed));
      assert.equal(await llm.count(), 0);
      assert.equal(counted.checks.length, 2);
    });
  }

  test("a model with callbacks of its own stays limited with tools", async () => {
    const bound = model({ callbacks: [bursarCallbacks(counted, { user: "poor" })] }).bindTools([{ type: "function", function: { name: "f", parameters: { type: "object" } } }]);
    assert.ok(deniedOf(await failure(bound.invoke("What?"))));
    assert.equal(await llm.count(), 0);
  });

  test("the tries of a model are one request", async () => {
    await llm.set({ fail: [{ status: 500, headers: { "retry-after-ms": "1" } }] });
    await model().invoke("What?", under("rich"));
    assert.equal(await llm.count(), 2);
    assert.equal(counted.checks.length, 1);
  });

  test("a call that the provider refuses gives its reservation back", async () => {
    await llm.set({ fail: [{ status: 400 }] });
    await failure(model().invoke("What?", under("rich")));
    assert.equal(counted.cancels, 1);
  });

  test("withRetry repeats no denial", async () => {
    assert.ok(deniedOf(await failure(model().withRetry({ stopAfterAttempt: 3 }).invoke("What?", under("poor")))));
    assert.equal(await llm.count(), 0);
    assert.equal(counted.checks.length, 1);
  });

  test("LangGraph: nodes are limited through the graph's callbacks, and a node's retries repeat no denial", async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("answer", async (state) => ({ messages: [await model().invoke(state.messages)] }), { retryPolicy: { maxAttempts: 3, initialInterval: 1 } })
      .addEdge(START, "answer").compile();
    const input = { messages: [new HumanMessage("What?")] };
    const done = await graph.invoke(input, under("rich"));
    assert.equal(done.messages.at(-1).text, TEXT);
    assert.deepEqual(linesOf(counted.records[0]), LINES);
    const error = await failure(graph.invoke(input, under("poor")));
    assert.equal(deniedOf(error)?.check.reason, "quota", String(error));
    assert.equal(await llm.count(), 1);
    assert.equal(counted.checks.length, 2);
  });
});

describe("mastra", () => {
  for (const [name, openai] of [["ai 5", openai5], ["ai 6", openai6]]) {
    const agent = async (user) => {
      const { Agent } = await import("@mastra/core/agent");
      const model = bursarModel(openai({ baseURL: `${llm.url}/v1`, apiKey: "key" }).chat("gpt-4o"), counted, { user });
      return new Agent({ id: "helper", name: "helper", instructions: "Help.", model });
    };

    test(`with a model of ${name}: recorded to the token`, async () => {
      const { text } = await (await agent("rich")).generate("What?");
      assert.equal(text, TEXT);
      assert.deepEqual(counted.records.map(linesOf), [LINES]);
    });

    test(`with a model of ${name}: a denial sends nothing`, async () => {
      const error = await failure((await agent("poor")).generate("What?"));
      assert.equal(deniedOf(error)?.check.reason, "quota", String(error));
      assert.equal(await llm.count(), 0);
      assert.equal(counted.checks.length, 1);
    });
  }
});
