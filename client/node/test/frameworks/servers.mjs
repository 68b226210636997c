/** Starts what the tests need: a Bursar with its stores (tests/clients/serve.py), and an imitation of an LLM's provider. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, beforeEach } from "node:test";
import { fileURLToPath } from "node:url";
import { Bursar } from "bursar";

/** For a client whose own time limits are not what a test is about: on a busy machine, any call may take long. */
const PATIENT = { timeoutMs: 120_000, attemptMs: 60_000, failAfterMs: 120_000 };

const clients = fileURLToPath(new URL("../../../../tests/clients/", import.meta.url));

/** A program that prints a line of JSON when it is ready, and ends when its standard input closes. */
async function program(file, ...args) {
  const child = spawn("/usr/bin/python3", [clients + file, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${file} has ended`);
    return JSON.parse(value);
  };
  const ready = await next();
  let turn = Promise.resolve();
  const ask = (order) => (turn = turn.then(async () => {
    child.stdin.write(JSON.stringify(order) + "\n");
    const answer = await next();
    if (answer.error) throw new Error(`${JSON.stringify(order)}: ${answer.error}`);
    return answer;
  }));
  const stop = async () => {
    child.stdin.end();
    const [status] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
    if (status !== 0) throw new Error(`${file} ended with ${status}`);
  };
  return { ready, ask, stop };
}

/** A Bursar for the tests of one file: {client, stop(), tier(name, ...limits), account(id, tier), bursar(...args), sql(text), ask(order)}. */
export async function startBursar({ options = {}, args = [] } = {}) {
  const served = await program("serve.py", ...args);
  const client = new Bursar({ address: served.ready.grpc, ...PATIENT, ...options });
  const stop = async () => {
    await client.close();
    await served.stop();
  };
  const bursar = async (...args) => {
    const { status, stdout, stderr } = await served.ask({ do: "bursar", args });
    if (status !== 0) throw new Error(`bursar ${args.join(" ")}: ${stderr || stdout}`);
    return stdout;
  };
  return {
    client, bursar, stop, ask: served.ask, addresses: served.ready.grpc,
    tier: (name, ...limits) => bursar("tier", "put", name, ...limits),
    account: (id, tier) => bursar("account", "put", id, "--tier", tier),
    sql: async (text) => (await served.ask({ do: "sql", text })).rows,
  };
}

/** An LLM: {url, stop(), set(settings), requests(), wait(count, ended), release(), reset()}. */
export async function startLlm() {
  const llm = await program("imitations/llm.py");
  const { url } = llm.ready;
  const post = (what, body = {}) => fetch(`${url}/control/${what}`, { method: "POST", body: JSON.stringify(body) }).then((answer) => answer.json());
  const get = (what) => fetch(`${url}/control/${what}`).then((answer) => answer.json());
  return {
    url, stop: llm.stop, set: (settings) => post("set", settings), release: () => post("release"), reset: () => post("reset"), requests: () => get("requests"),
    count: async () => (await get("requests")).count,
    wait: (count, ended) => get(`wait?count=${count}${ended ? `&ended=${ended}` : ""}`),
  };
}

/** Waits until `condition` answers something, and gives it. */
export async function until(condition, what = "the condition") {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * A Bursar with a user "poor" whose limit is used up and a user "rich", and an LLM. bursar.counted() is a client that counts:
 * {checks: [...], records: [...], cancels}.
 */
export async function startCounted() {
  const [bursar, llm] = await Promise.all([startBursar(), startLlm()]);
  await bursar.tier("none", "requests=1/day");
  await bursar.tier("plenty", "requests=1000000/day", "cost=1000000/day");
  await bursar.account("rich", "plenty");
  await bursar.account("poor", "none");
  await bursar.client.check({ user: "poor" });
  bursar.counted = () => {
    const { client } = bursar;
    const counted = {
      checks: [], records: [], cancels: 0,
      check: async (...args) => { const check = await client.check(...args); counted.checks.push(check); return check; },
      record: async (...args) => { const record = await client.record(...args); counted.records.push(record); return record; },
      cancel: (...args) => { counted.cancels++; return client.cancel(...args); },
    };
    return counted;
  };
  return { bursar, llm };
}

/** What the tests of a file that calls `countEach` use; `counted` is new for each test, and the LLM has forgotten the one before. */
export let bursar, llm, counted;

/** Starts the servers of `startCounted` before the tests of a file, and stops them after these. */
export function countEach() {
  before(async () => {
    ({ bursar, llm } = await startCounted());
  });
  after(async () => {
    await bursar?.stop();
    await llm?.stop();
  });
  beforeEach(async () => {
    await llm.reset();
    counted = bursar.counted();
  });
}

/** What was recorded, by meter. */
export const linesOf = (record) => Object.fromEntries(record.cost.lines.map((line) => [line.tokenClass, line.tokens]));
