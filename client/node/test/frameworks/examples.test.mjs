/** The examples, as a reader starts them: against a real Bursar, with the fake LLM that they bring along. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startBursar, until } from "./servers.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
let bursar;
const running = [];
before(async () => {
  bursar = await startBursar();
  await bursar.bursar("pool", "put", "agent-execution", "--slots", "1");
  await bursar.tier("one", "requests=1/day");
});
after(async () => {
  for (const child of running) child.kill("SIGTERM");
  await bursar?.stop();
});

/* The examples find the packages that are installed here. */
const work = here("./examples.work/");
rmSync(work, { recursive: true, force: true });
cpSync(here("../../examples/"), work, { recursive: true, filter: (name) => !/node_modules|\.next/.test(name) });
after(() => rmSync(work, { recursive: true, force: true }));

/** Starts a program in an example's folder, and gives its first line that says where it listens. */
async function start(folder, command, args, env = {}) {
  const child = spawn(command, args, { cwd: work + folder, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, BURSAR_ADDR: bursar.addresses.join(","), OPENAI_API_KEY: "", PORT: "0", ...env } });
  running.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/(127\.0\.0\.1|localhost):\d+/.exec(line)?.[0];
    if (url) return { child, url };
  }
  throw new Error(`${folder}: ended before it listened`);
}

/** The events of a stream, as they arrive. */
async function* events(response) {
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end));
      yield { event, ...JSON.parse(data) };
    }
  }
}

const collect = async (response) => {
  const all = [];
  for await (const event of events(response)) all.push(event);
  return all;
};

const requestsOf = async (user) => JSON.parse(await bursar.bursar("status", user, "--json"));

/** What two streams send that wait for a slot until both are in the queue, and then follow one another. */
async function collectBoth(ask) {
  const waiting = async () => (await bursar.client.admin.getPoolStats({ ref: { name: "agent-execution" } })).waiting;
  await bursar.bursar("pool", "drain", "agent-execution");
  const both = [ask(0).then(collect), ask(1).then(collect)];
  await until(async () => (await waiting()) === 2, "both to wait");
  await bursar.bursar("pool", "resume", "agent-execution");
  return Promise.all(both);
}

/** One waits for its slot, and then answers. */
function assertAnswered(all) {
  assert.ok(all[0].event === "queued" && all[0].position >= 1, JSON.stringify(all[0]));
  assert.match(all.filter(({ event }) => event === "text").map(({ text }) => text).join(""), /bright lamp/);
  assert.equal(all.at(-1).event, "done");
}

test("express-api: answers, waits for a slot, denies and counts", async () => {
  const { child, url } = await start("express-api", "node", ["server.mjs"]);
  const post = (path, user) => fetch(url + path, { method: "POST", headers: { "content-type": "application/json", "x-user": user }, body: JSON.stringify({ message: "What is a lighthouse?" }) });

  const { answer } = await (await post("/answer", "ann")).json();
  assert.match(answer, /bright lamp/);
  for (const all of await collectBoth((n) => post("/chat", ["ann", "bob"][n]))) assertAnswered(all);

  await bursar.account("carl", "one");
  assert.equal((await post("/chat", "carl")).status, 200);
  const denial = await post("/chat", "carl");
  assert.equal(denial.status, 429);
  assert.equal(denial.headers.get("x-should-retry"), "false");
  assert.equal((await denial.json()).error.code, "quota");

  const used = async () => (await bursar.client.status({ user: "ann" })).accounts[0].limits.find(({ limit }) => limit.name === "requests_per_day").used;
  await until(async () => (await used()) === 2, "both records");
  const limits = await (await fetch(url + "/usage", { headers: { "x-user": "ann" } })).json();
  assert.ok(limits.some(({ limit, used }) => limit === "requests_per_day" && used === 3));
  assert.ok(await requestsOf("ann"));

  child.kill("SIGTERM");
  await until(() => child.exitCode !== null, "its end");
  assert.equal(child.exitCode, 0);
});

/* The example has the app router only. An application may have both. */
const API_ROUTE = `
import { withRateLimitApi } from "bursar/next";
import { bursar } from "../../lib/bursar.js";

export default withRateLimitApi(bursar, { user: (req) => req.headers["x-user"], model: "gpt-4o" }, async (req, res) => {
  if (req.query.fails) throw new Error("broken");
  req.bursar.usage({ prompt_tokens: 10, completion_tokens: 5 });
  res.status(201).json({ read: req.body.message, allowed: req.bursar.check.allowed });
});
`;

async function triesApiRoute(url) {
  const ask = (user, query = "") => fetch(`${url}/api/pages${query}`, {
    method: "POST", headers: { "x-user": user, "content-type": "application/json" }, body: JSON.stringify({ message: "hello" }),
  });
  const rows = async (user) => (await bursar.sql(`SELECT input, output FROM ledger WHERE user_id = '${user}'`));
  await bursar.account("saul", "one");
  const answer = await ask("saul");
  assert.equal(answer.status, 201);
  assert.ok(answer.headers.get("ratelimit"));
  assert.deepEqual(await answer.json(), { read: "hello", allowed: true });
  await until(async () => (await rows("saul")).length === 1, "the record");
  assert.deepEqual(await rows("saul"), [[10, 5]]);
  const denial = await ask("saul");
  assert.equal(denial.status, 429);
  assert.equal(denial.headers.get("x-should-retry"), "false");
  assert.equal((await denial.json()).error.code, "quota");

  /* What fails gives its reservation back: the one request of the day is still there. */
  await bursar.account("tess", "one");
  assert.equal((await ask("tess", "?fails=1")).status, 500);
  await until(async () => (await ask("tess")).status === 201, "the second try");
}

test("next-chat: builds, answers, waits for a slot, denies, limits pages by address, and API routes of pages/", async () => {
  const env = { ...process.env, BURSAR_ROOT: "../../../..", NEXT_TELEMETRY_DISABLED: "1", BURSAR_ADDR: bursar.addresses.join(",") };
  const next = here("./node_modules/next/dist/bin/next");
  mkdirSync(`${work}next-chat/pages/api`, { recursive: true });
  writeFileSync(`${work}next-chat/pages/api/pages.js`, API_ROUTE);
  const built = spawnSync("node", [next, "build"], { cwd: `${work}next-chat`, env, encoding: "utf8" });
  assert.equal(built.status, 0, built.stdout + built.stderr);
  const { url } = await start("next-chat", "node", [next, "start", "--hostname", "127.0.0.1"], env);
  const post = (path, user, init = {}) => fetch(url + path, { method: "POST", headers: { "x-user": user }, body: JSON.stringify({ message: "What is a lighthouse?" }), ...init });

  assert.equal((await fetch(`${url}/api/chat`, { method: "POST", body: "{}" })).status, 401);
  assert.match((await (await post("/api/answer", "nina")).json()).answer, /bright lamp/);
  for (const all of await collectBoth((n) => post("/api/chat", ["nina", "otto"][n]))) assertAnswered(all);

  await bursar.account("paul", "one");
  await collect(await post("/api/chat", "paul"));
  const denial = await post("/api/chat", "paul");
  assert.equal(denial.status, 429);
  assert.equal(denial.headers.get("x-should-retry"), "false");

  /* A reader who leaves in the middle: the slot is free again, and the request is in the books. */
  const leaving = new AbortController();
  const response = await post("/api/chat", "quin", { signal: leaving.signal });
  await events(response).next();
  leaving.abort();
  await until(async () => (await bursar.sql("SELECT count(*) FROM ledger WHERE user_id = 'quin'"))[0][0] === 1, "the record");
  assert.equal((await collect(await post("/api/chat", "rosa"))).at(-1).event, "done");

  await bursar.account("ip:198.51.100.7", "one");
  const page = (chain) => fetch(url, { headers: { "x-forwarded-for": chain } });
  const passed = await page("6.6.6.6, 198.51.100.7");
  assert.equal(passed.status, 200);
  assert.match(await passed.text(), /Chat/);
  assert.ok(passed.headers.get("ratelimit"));
  assert.equal((await page("7.7.7.7, 198.51.100.7")).status, 429);

  await triesApiRoute(url);
});
