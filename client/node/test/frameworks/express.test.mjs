/** The middleware in real Express, versions 4 and 5. */
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, test } from "node:test";
import express5 from "express";
import express4 from "express4";
import { parseRateLimit } from "ratelimit-header-parser";
import { Bursar } from "bursar";
import { denialBody, rateLimit } from "bursar/express";
import { startBursar, until } from "./servers.mjs";

let bursar;
before(async () => {
  bursar = await startBursar();
  await bursar.tier("short", "requests=1/4s");
  await bursar.tier("long", "requests=1/day");
  await bursar.tier("small", "tokens=100/min");
  await bursar.tier("plain", "requests=1000/min", "tokens=1000000/day", "cost=100/day");
  for (const tier of ["short", "long", "small", "plain"]) await bursar.account(`${tier}-user`, tier);
});

after(() => bursar?.stop());

const byHeader = (req) => req.headers["x-user"];

/** Serves an app, and gives get(path, headers) and its port. */
async function serve(app) {
  const server = http.createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  after(() => server.close());
  const { port } = server.address();
  return { port, get: (path, headers) => fetch(`http://127.0.0.1:${port}${path}`, { headers }) };
}

for (const [name, express] of [["Express 4", express4], ["Express 5", express5]]) {
  describe(name, () => {
    test("what the handler tells is recorded after the response", async () => {
      const app = express();
      let job;
      app.use(rateLimit(bursar.client, { user: byHeader, model: "gpt-4o" }));
      app.get("/", (req, res) => {
        job = req.bursar;
        job.usage({ prompt_tokens: 1000, completion_tokens: 500 }, { provider: "openai" });
        res.json({ tier: job.check.tier });
      });
      const { get } = await serve(app);
      const answer = await get("/", { "x-user": "plain-user" });
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { tier: "plain" });
      assert.match(answer.headers.get("ratelimit"), /r=\d+/);
      assert.match(answer.headers.get("x-ratelimit-remaining"), /^\d+$/);
      const record = await job.recorded;
      assert.equal(record.tokens, 1500);
      assert.ok(record.costNanoUsd > 0);
    });

    test("a denial is 429 with what clients act on, and the handler does not run", async () => {
      const app = express();
      let ran = 0;
      app.use(rateLimit(bursar.client, { user: byHeader }));
      app.get("/", (req, res) => { ran++; res.json({}); });
      const { get } = await serve(app);
      const user = `denied ${name}`;
      await bursar.account(user, "short");
      let allowed = 0; // on a busy machine, the second request may come after four seconds
      const denial = await until(async () => {
        const answer = await get("/", { "x-user": user });
        if (answer.status === 429) return answer;
        allowed++;
      }, "a denial");
      assert.ok(allowed > 0);
      assert.equal(ran, allowed);
      const { error } = await denial.json();
      assert.equal(error.code, "request_rate");
      assert.equal(error.type, "rate_limit_error");
      assert.ok(error.message.length > 20);
      assert.match(denial.headers.get("retry-after"), /^[1234]$/);
      assert.match(denial.headers.get("retry-after-ms"), /^\d+$/);
      assert.equal(denial.headers.get("x-should-retry"), null);
      assert.equal(denial.headers.get("x-bursar-reason"), "request_rate");
      assert.ok(denial.headers.get("x-bursar-limit"));
      assert.match(denial.headers.get("content-type"), /^application\/json/);
    });

    test("a wait of hours, and one without an end, say that repeating is no use", async () => {
      const app = express();
      app.use(rateLimit(bursar.client, { user: byHeader, estimate: (req) => ({ inputTokens: Number(req.headers["x-tokens"] ?? 0), maxOutputTokens: 1 }) }));
      app.get("/", (req, res) => res.json({}));
      const { get } = await serve(app);
      const user = `day ${name}`;
      await bursar.account(user, "long");
      await get("/", { "x-user": user });
      const day = await get("/", { "x-user": user });
      assert.equal(day.headers.get("x-should-retry"), "false");
      assert.ok(Number(day.headers.get("retry-after")) > 0 && Number(day.headers.get("retry-after")) <= 86_400);
      assert.equal(day.headers.get("retry-after-ms"), null);
      const never = await get("/", { "x-user": "small-user", "x-tokens": "5000" });
      assert.equal(never.status, 429);
      assert.equal(never.headers.get("retry-after"), null);
      assert.equal(never.headers.get("x-should-retry"), "false");
    });

    test("a handler that fails before it used anything gives its reservation back", async () => {
      const app = express();
      let check;
      app.use(rateLimit(bursar.client, { user: byHeader }));
      app.get("/", (req) => { check = req.bursar.check; throw new Error("broken"); });
      app.use((error, req, res, next) => { res.status(500).end(); });
      const { get } = await serve(app);
      assert.equal((await get("/", { "x-user": "plain-user" })).status, 500);
      await until(async () => (await state(check)) === "RESERVATION_STATE_CANCELLED", "the cancellation");
    });

    test("a client's mistake counts as a request without tokens", async () => {
      const app = express();
      let job;
      app.use(rateLimit(bursar.client, { user: byHeader }));
      app.get("/", (req, res) => { job = req.bursar; res.status(400).end(); });
      const { get } = await serve(app);
      await get("/", { "x-user": "plain-user" });
      assert.equal((await job.recorded).tokens, 0);
    });

    test("nothing told is settled by the estimate", async () => {
      const app = express();
      let job;
      app.use(rateLimit(bursar.client, { user: byHeader, estimate: () => ({ inputTokens: 70, maxOutputTokens: 30 }) }));
      app.get("/", (req, res) => { job = req.bursar; res.end("done"); });
      const { get } = await serve(app);
      await get("/", { "x-user": "plain-user" });
      const record = await job.recorded;
      assert.equal(record.estimated, true);
      assert.equal(record.tokens, 100);
    });

    test("a stream whose client goes away is recorded with what was told by then", async () => {
      const app = express();
      let job;
      let aborted = false;
      app.use(rateLimit(bursar.client, { user: byHeader, model: "gpt-4o" }));
      app.get("/", (req, res) => {
        job = req.bursar;
        job.signal.addEventListener("abort", () => (aborted = true));
        job.usage({ prompt_tokens: 10, completion_tokens: 5 });
        res.write("first words");
      });
      const { port } = await serve(app);
      await new Promise((resolve) => http.get({ port, host: "127.0.0.1", headers: { "x-user": "plain-user" } }, (res) => res.once("data", () => { res.destroy(); resolve(); })));
      await until(() => job.signal.aborted, "the signal");
      assert.equal((await job.recorded).tokens, 15);
      assert.equal(aborted, true);
    });

    test("what is told after the client has gone is recorded, too", async () => {
      const app = express();
      let job;
      app.use(rateLimit(bursar.client, { user: byHeader, lingerMs: 60_000 }));
      app.get("/", (req, res) => {
        job = req.bursar;
        job.signal.addEventListener("abort", () => job.usage({ prompt_tokens: 3, completion_tokens: 4 }));
        res.write("first words");
      });
      const { port } = await serve(app);
      await new Promise((resolve) => http.get({ port, host: "127.0.0.1", headers: { "x-user": "plain-user" } }, (res) => res.once("data", () => { res.destroy(); resolve(); })));
      assert.equal((await job.recorded).tokens, 7);
    });
  });
}

async function state(check) {
  const { state } = await bursar.client.admin.getReservation({ reservation: { handle: check.reservation } });
  return state;
}

test("headers are chosen: legacy ones are those that ratelimit-header-parser reads", async () => {
  const headersOf = async (options) => {
    const app = express5();
    app.use(rateLimit(bursar.client, { user: byHeader, ...options }));
    app.get("/", (req, res) => res.json({}));
    const { get } = await serve(app);
    return (await get("/", { "x-user": "plain-user" })).headers;
  };
  const draft = await headersOf({ headers: "draft" });
  assert.ok(draft.get("ratelimit") && draft.get("ratelimit-policy"));
  assert.equal(draft.get("x-ratelimit-limit"), null);
  const legacy = await headersOf({ headers: "legacy" });
  assert.equal(legacy.get("ratelimit"), null);
  const read = parseRateLimit(legacy);
  assert.ok(read.limit > 0 && read.remaining >= 0);
  const none = await headersOf({ headers: "none" });
  assert.equal(none.get("ratelimit"), null);
  assert.equal(none.get("x-ratelimit-limit"), null);
  const epoch = await headersOf({ headers: "legacy", reset: "epoch" });
  assert.ok(Number(epoch.get("x-ratelimit-reset")) > 1_700_000_000);
  assert.ok(Number(legacy.get("x-ratelimit-reset")) < 1_000_000_000);
});

test("without a proxy nobody gets another address by writing X-Forwarded-For", async () => {
  const users = [];
  const app = express5();
  app.set("trust proxy", true); // Express's own setting does not matter
  app.use(rateLimit(bursar.client, {}));
  app.get("/", (req, res) => { users.push(req.bursar.check.user); res.end(); });
  const { get } = await serve(app);
  await get("/");
  await get("/", { "x-forwarded-for": "203.0.113.9" });
  assert.deepEqual(users, ["ip:127.0.0.1", "ip:127.0.0.1"]);
});

test("behind a trusted proxy the address is the one that the proxy saw, whatever the client wrote before it", async () => {
  const users = [];
  const app = express5();
  app.use(rateLimit(bursar.client, { trustedProxies: ["loopback", "10.0.0.0/8"] }));
  app.get("/", (req, res) => { users.push(req.bursar.check.user); res.end(); });
  const { get } = await serve(app);
  for (const chain of ["198.51.100.7", "6.6.6.6, 198.51.100.7, 10.1.2.3", "6.6.6.6, not an address, 10.1.2.3", "2001:db8:1:2:3:4:5:6", "[2001:db8:1:2:ffff::1]:8080"])
    await get("/", { "x-forwarded-for": chain });
  assert.deepEqual(users, ["ip:198.51.100.7", "ip:198.51.100.7", "ip:10.1.2.3", "ip:2001:db8:1:2::/64", "ip:2001:db8:1:2::/64"]);
});

test("the body suits the caller", async () => {
  const app = express5();
  app.use(rateLimit(bursar.client, { user: () => "body-user", deny: (req, check) => denialBody(check, req.headers["x-shape"]) }));
  app.get("/", (req, res) => res.end());
  await bursar.account("body-user", "long");
  const { get } = await serve(app);
  await get("/");
  assert.equal(typeof (await (await get("/", { "x-shape": "ollama" })).json()).error, "string");
  assert.equal((await (await get("/", { "x-shape": "anthropic" })).json()).type, "error");
});

test("routes without an LLM are counted at once, and cannot tell usage", async () => {
  const app = express5();
  let check;
  app.use(rateLimit(bursar.client, { user: () => "settled-user", settle: true }));
  app.get("/", (req, res) => {
    check = req.bursar.check;
    assert.throws(() => req.bursar.usage({}), /counts requests only/);
    res.end();
  });
  const { get } = await serve(app);
  assert.equal((await get("/")).status, 200);
  assert.equal(check.heldTokens, 0);
  assert.equal(await state(check), "RESERVATION_STATE_RECORDED");
});

test("a request that comes again under its id counts once", async () => {
  const app = express5();
  app.use(rateLimit(bursar.client, { user: () => "repeating-user", requestId: (req) => req.headers["idempotency-key"] }));
  app.get("/", (req, res) => res.json({ repeat: req.bursar.check.repeat }));
  await bursar.account("repeating-user", "long");
  const { get } = await serve(app);
  const answers = [];
  for (const key of ["one", "one", "two"]) answers.push((await get("/", { "idempotency-key": key })).status);
  assert.deepEqual(answers, [200, 200, 429]);
});

test("without a server: 503 with Retry-After, or on by the policy", async () => {
  const apart = async (options) => {
    const client = new Bursar({ address: "127.0.0.1:1", timeoutMs: 300, ...options });
    after(() => client.close());
    const app = express5();
    app.use(rateLimit(client, { user: () => "alone" }));
    app.get("/", (req, res) => res.json({ quality: req.bursar.check.quality }));
    return serve(app);
  };
  const closed = await (await apart({})).get("/");
  assert.equal(closed.status, 503);
  assert.match(closed.headers.get("retry-after"), /^\d+$/);
  const open = await (await apart({ fail: "open", failAfterMs: 100 })).get("/");
  assert.deepEqual(await open.json(), { quality: "none" });
  const shared = await apart({ fail: { share: { requestsPerMinute: 1 } }, failAfterMs: 100 });
  assert.equal((await shared.get("/")).status, 200);
  const denial = await shared.get("/");
  assert.equal(denial.status, 429);
  assert.ok(Number(denial.headers.get("retry-after")) >= 1);
});

test("what is wrong with the options or the server's answer goes to the app's own handler of errors", async () => {
  const app = express5();
  app.use(rateLimit(bursar.client, { user: () => "x".repeat(200) }));
  app.use((error, req, res, next) => res.status(500).json({ code: error.code }));
  const { get } = await serve(app);
  assert.deepEqual(await (await get("/")).json(), { code: "INVALID_ARGUMENT" });
  assert.throws(() => rateLimit(bursar.client, { trustedProxies: ["10.0.0.0/99"] }), /trustedProxies/);
});
