/** The clients of OpenAI (5, 6 and 7), Anthropic and Google under limits: what they send, and what is recorded. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI7, { AzureOpenAI as Azure7 } from "openai";
import OpenAI5, { AzureOpenAI as Azure5 } from "openai5";
import OpenAI6, { AzureOpenAI as Azure6 } from "openai6";
import { Denied } from "bursar";
import { withBursar as withBursarAnthropic } from "bursar/anthropic";
import { withBursar as withBursarGoogle } from "bursar/google";
import { deniedOf, withBursar as withBursarOpenAI } from "bursar/openai";
import { bursar, countEach, counted, linesOf, llm, until } from "./servers.mjs";

countEach();

const MESSAGES = [{ role: "user", content: "What is the answer?" }];
const TEXT = "Hello there, this is the answer.";

/** openai 5 gives the response at the end of a stream no `output_text`. */
const textOf = ({ output }) => output.flatMap(({ content = [] }) => content).map(({ text }) => text).join("");

/** How each SDK is called: make(options) the client, then ways to call it; each gives the text that arrived. */
const OPENAI = (OpenAI) => ({
  wrap: withBursarOpenAI,
  make: () => new OpenAI({ baseURL: `${llm.url}/v1`, apiKey: "key" }),
  plain: {
    "chat.completions.create": async (openai) => (await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES })).choices[0].message.content,
    "chat.completions.parse": async (openai) => (await openai.chat.completions.parse({ model: "gpt-4o", messages: MESSAGES })).choices[0].message.content,
    "responses.create": async (openai) => (await openai.responses.create({ model: "gpt-4o", input: "What?" })).output_text,
    "withResponse": async (openai) => (await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES }).withResponse()).data.choices[0].message.content,
    "asResponse": async (openai) => (await (await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES }).asResponse()).json()).choices[0].message.content,
  },
  streams: {
    "chat.completions.create": async (openai) => {
      let text = "";
      for await (const chunk of await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES, stream: true })) text += chunk.choices[0].delta.content ?? "";
      return text;
    },
    "chat.completions.stream": async (openai) => openai.chat.completions.stream({ model: "gpt-4o", messages: MESSAGES }).finalContent(),
    "responses.create": async (openai) => {
      let text = "";
      for await (const event of await openai.responses.create({ model: "gpt-4o", input: "What?", stream: true })) if (event.type === "response.output_text.delta") text += event.delta;
      return text;
    },
    "responses.stream": async (openai) => textOf(await openai.responses.stream({ model: "gpt-4o", input: "What?" }).finalResponse()),
    "toReadableStream": async (openai) => {
      const stream = (await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES, stream: true })).toReadableStream();
      const lines = (await new Response(stream).text()).trim().split("\n");
      return lines.map((line) => JSON.parse(line).choices[0].delta.content ?? "").join("");
    },
    "asResponse": async (openai) => {
      const response = await openai.responses.create({ model: "gpt-4o", input: "What?", stream: true }).asResponse();
      return (await response.text()).split("\n").filter((line) => line.startsWith("data:")).map((line) => JSON.parse(line.slice(5)))
        .filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join("");
    },
  },
  start: async (openai) => (await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES, stream: true }))[Symbol.asyncIterator](),
  unlimited: (openai) => openai.batches.create({ input_file_id: "f", endpoint: "/v1/responses", completion_window: "24h" }),
  lines: { input: 400, cached_input: 600, output: 300, reasoning: 200 },
});

/** Azure's paths have the name of the deployment, which is the model's here. */
const AZURE = (Azure) => ({ ...OPENAI(Azure), make: () => new Azure({ endpoint: llm.url, apiKey: "key", apiVersion: "2024-10-21" }) });

const SDKS = {
  "openai 5": OPENAI(OpenAI5),
  "openai 6": OPENAI(OpenAI6),
  "openai 7": OPENAI(OpenAI7),
  "openai 5, Azure": AZURE(Azure5),
  "openai 6, Azure": AZURE(Azure6),
  "openai 7, Azure": AZURE(Azure7),
  "anthropic": {
    wrap: withBursarAnthropic,
    make: () => new Anthropic({ baseURL: llm.url, apiKey: "key" }),
    plain: {
      "messages.create": async (anthropic) => (await anthropic.messages.create({ model: "claude-sonnet-5", max_tokens: 500, messages: MESSAGES })).content[0].text,
      "withResponse": async (anthropic) => (await anthropic.messages.create({ model: "claude-sonnet-5", max_tokens: 500, messages: MESSAGES }).withResponse()).data.content[0].text,
      "beta.messages.create": async (anthropic) => (await anthropic.beta.messages.create({ model: "claude-sonnet-5", max_tokens: 500, messages: MESSAGES })).content[0].text,
    },
    streams: {
      "messages.create": async (anthropic) => {
        let text = "";
        for await (const event of await anthropic.messages.create({ model: "claude-sonnet-5", max_tokens: 500, messages: MESSAGES, stream: true })) text += event.delta?.text ?? "";
        return text;
      },
      "messages.stream": async (anthropic) => anthropic.messages.stream({ model: "claude-sonnet-5", max_tokens: 500, messages: MESSAGES }).finalText(),
    },
    start: async (anthropic) => (await anthropic.messages.create({ model: "claude-sonnet-5", max_tokens: 500, messages: MESSAGES, stream: true }))[Symbol.asyncIterator](),
    unlimited: (anthropic) => anthropic.messages.batches.create({ requests: [] }),
    lines: { input: 400, cached_input: 600, output: 500 },
  },
  "google": {
    wrap: withBursarGoogle,
    make: () => new GoogleGenAI({ apiKey: "key", httpOptions: { baseUrl: llm.url } }),
    plain: {
      "models.generateContent": async (google) => (await google.models.generateContent({ model: "gemini-2.5-flash", contents: "What?" })).text,
      "chats.create": async (google) => (await google.chats.create({ model: "gemini-2.5-flash" }).sendMessage({ message: "What?" })).text,
    },
    streams: {
      "models.generateContentStream": async (google) => {
        let text = "";
        for await (const part of await google.models.generateContentStream({ model: "gemini-2.5-flash", contents: "What?" })) text += part.text;
        return text;
      },
    },
    start: async (google) => (await google.models.generateContentStream({ model: "gemini-2.5-flash", contents: "What?" }))[Symbol.asyncIterator](),
    unlimited: async (google) => google.batches.create({}),
    lines: { input: 400, cached_input: 600, output: 300, reasoning: 200 },
  },
};

for (const [name, sdk] of Object.entries(SDKS)) {
  describe(name, () => {
    const rich = () => sdk.wrap(sdk.make(), counted, { user: "rich" });
    const poor = () => sdk.wrap(sdk.make(), counted, { user: "poor" });

    for (const kind of ["plain", "streams"])
      for (const [method, call] of Object.entries(sdk[kind])) {
        test(`${method} (${kind}): one request is checked, and recorded to the token`, async () => {
          assert.equal(await call(rich()), TEXT);
          assert.equal(await llm.count(), 1);
          assert.equal(counted.checks.length, 1);
          await until(() => counted.records.length === 1, "the record");
          assert.deepEqual(linesOf(counted.records[0]), sdk.lines);
          assert.equal(counted.records[0].usageProblem, "");
        });

        test(`${method} (${kind}): a denial sends nothing, and is asked for once`, async () => {
          const error = await call(poor()).then(() => assert.fail("was allowed"), (it) => it);
          assert.ok(deniedOf(error) instanceof Denied, String(error));
          assert.equal(deniedOf(error).check.reason, "quota");
          assert.equal(await llm.count(), 0);
          assert.equal(counted.checks.length, 1);
          assert.equal(counted.records.length + counted.cancels, 0);
        });
      }

    test("the client that was wrapped is as it was", async () => {
      const client = sdk.make();
      sdk.wrap(client, counted, { user: "poor" });
      assert.equal(await Object.values(sdk.plain)[0](client), TEXT);
      assert.equal(counted.checks.length, 0);
    });

    test("a stream that is left in the middle is recorded, and the LLM hears of it", async () => {
      await llm.set({ hold_after: 2 });
      const events = await sdk.start(rich());
      for (let n = 0; n < 2; n++) await events.next();
      await events.return();
      await until(() => counted.records.length === 1, "the record");
      assert.ok(counted.records[0].tokens > 0);
      const seen = await llm.wait(1, "aborted");
      assert.equal(seen.requests[0].ended, "aborted");
    });

    test("a stream that breaks off is recorded, and the error is the SDK's", async () => {
      await llm.set({ fail: [{ after: 2 }] });
      const events = await sdk.start(rich());
      await assert.rejects(async () => { while (!(await events.next()).done); });
      await until(() => counted.records.length === 1, "the record");
      assert.ok(counted.records[0].tokens > 0);
    });

    test("a call that the provider refuses gives its reservation back", async () => {
      await llm.set({ fail: [{ status: 400 }] });
      await assert.rejects(Object.values(sdk.plain)[0](rich()), (error) => !deniedOf(error));
      assert.equal(counted.cancels, 1);
      assert.equal(counted.records.length, 0);
    });

    test("what costs and is not limited throws, and sends nothing", async () => {
      await assert.rejects(async () => sdk.unlimited(rich()), /not limited by this wrapper/);
      assert.equal(await llm.count(), 0);
    });

    test("nothing told is settled by the estimate", async () => {
      await llm.set({ usage: null });
      await Object.values(sdk.plain)[0](rich());
      assert.equal(counted.records[0].estimated, true);
    });

    test("a job takes what is used, without checks of its own", async () => {
      const told = [];
      const job = { check: {}, usage: (usage, options) => told.push([usage, options.provider]), tokens: () => {} };
      await Object.values(sdk.plain)[0](sdk.wrap(sdk.make(), job));
      await Object.values(sdk.streams)[0](sdk.wrap(sdk.make(), job));
      assert.deepEqual(told.map(([, provider]) => provider), Array(2).fill(name.split(" ")[0]));
      assert.equal(JSON.stringify(told).includes("Hello"), false, "the text of an answer stays here");
    });
  });
}

for (const [name, OpenAI] of [["openai 5", OpenAI5], ["openai 6", OpenAI6], ["openai 7", OpenAI7]]) {
  const make = (options = {}) => new OpenAI({ baseURL: `${llm.url}/v1`, apiKey: "key", ...options });

  test(`${name}: the SDK's own tries are one request`, async () => {
    await llm.set({ fail: [{ status: 500, headers: { "retry-after-ms": "1" } }, { status: 429, headers: { "retry-after-ms": "1" } }] });
    const openai = withBursarOpenAI(make(), counted, { user: "rich" });
    await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES });
    assert.equal(await llm.count(), 3);
    assert.equal(counted.checks.length, 1);
    assert.equal(counted.records.length, 1);
  });

  test(`${name}: the chunk with the usage is passed on to an app that asked for it, and only then`, async () => {
    const openai = withBursarOpenAI(make(), counted, { user: "rich" });
    const chunks = async (options) => {
      const all = [];
      for await (const chunk of await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES, stream: true, ...options })) all.push(chunk);
      return all;
    };
    assert.equal((await chunks({})).filter((chunk) => chunk.usage).length, 0);
    assert.equal((await chunks({ stream_options: { include_usage: true } })).filter((chunk) => chunk.usage).length, 1);
    assert.equal(counted.records.length, 2);
    const quiet = withBursarOpenAI(make(), counted, { user: "rich", streamUsage: false });
    for await (const chunk of await quiet.chat.completions.create({ model: "gpt-4o", messages: MESSAGES, stream: true })) assert.equal(chunk.usage, undefined);
    assert.equal(counted.records[2].estimated, true);
  });

  test(`${name}: every request of runTools is checked, and a denial in the middle ends it`, async () => {
    await llm.set({ tool_rounds: 1, arguments: { city: "Oslo" } });
    const tools = [{ type: "function", function: { name: "weather", description: "", parameters: { type: "object", properties: {} }, parse: JSON.parse, function: async () => "rain" } }];
    const openai = withBursarOpenAI(make(), counted, { user: "rich" });
    assert.equal(await openai.chat.completions.runTools({ model: "gpt-4o", messages: MESSAGES, tools }).finalContent(), TEXT);
    assert.equal(counted.checks.length, 2);
    assert.equal(counted.records.length, 2);
    await llm.reset();
    await llm.set({ tool_rounds: 5 });
    await bursar.account(`two ${name}`, "none");
    const once = withBursarOpenAI(make(), counted, { user: `two ${name}` });
    await assert.rejects(once.chat.completions.runTools({ model: "gpt-4o", messages: MESSAGES, tools }).finalContent(), (error) => deniedOf(error)?.check.reason === "quota");
    assert.equal(await llm.count(), 1);
  });

  test(`${name}: embeddings are limited, moderations are free`, async () => {
    const openai = withBursarOpenAI(make(), counted, { user: "rich" });
    await openai.embeddings.create({ model: "text-embedding-3-small", input: ["one", "two"] });
    assert.deepEqual(linesOf(counted.records[0]), { input: 1000 });
    await assert.rejects(openai.moderations.create({ input: "x" }), { status: 404 });
    assert.equal(counted.checks.length, 1);
  });

  test(`${name}: a call that its caller gives up is charged as estimated, because it may have run`, async () => {
    await llm.set({ hold_after: 1 });
    const openai = withBursarOpenAI(make(), counted, { user: "rich" });
    const controller = new AbortController();
    const call = openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES, max_tokens: 50, stream: true }, { signal: controller.signal });
    const events = (await call)[Symbol.asyncIterator]();
    await events.next();
    controller.abort();
    await until(() => counted.records.length === 1, "the record");
    assert.equal(counted.records[0].estimated, true);
  });

  test(`${name}: one client serves many users`, async () => {
    let user = "rich";
    const openai = withBursarOpenAI(make(), counted, { user: () => user });
    await openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES });
    user = "poor";
    await assert.rejects(openai.chat.completions.create({ model: "gpt-4o", messages: MESSAGES }), Denied);
  });
}

test("without a user nothing is wrapped", () => {
  assert.throws(() => withBursarOpenAI(new OpenAI7({ apiKey: "key" }), counted, {}), /user/);
  assert.throws(() => withBursarOpenAI({}, counted, { user: "rich" }), /openai/);
});
