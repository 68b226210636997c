/** withRateLimit and rateLimitProxy with requests and responses as Next.js hands them to handlers; examples.test.mjs has Next.js itself. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { NextRequest, NextResponse } from "next/server.js";
import { notFound, redirect } from "next/navigation.js";
import { rateLimitProxy, withRateLimit } from "bursar/next";
import { startBursar, until } from "./servers.mjs";

let bursar;
before(async () => {
  bursar = await startBursar();
  await bursar.tier("one", "requests=1/day");
  await bursar.tier("plenty", "requests=1000000/day", "cost=1000000/day");
  await bursar.account("rich", "plenty");
});
after(() => bursar?.stop());

const request = (init) => new NextRequest("http://localhost/api", init);
const rich = { user: () => "rich", model: "gpt-4o" };

test("what the handler tells is recorded when its response has been read", async () => {
  let job;
  const POST = withRateLimit(bursar.client, rich, async (req, { params }, it) => {
    job = it;
    assert.deepEqual(params, { id: 7 });
    job.usage({ prompt_tokens: 10, completion_tokens: 5 });
    const response = NextResponse.json({ done: true }, { status: 201 });
    response.cookies.set("a", "1");
    response.cookies.set("b", "2");
    return response;
  });
  const response = await POST(request({ method: "POST" }), { params: { id: 7 } });
  assert.equal(response.status, 201);
  assert.equal(response.headers.getSetCookie().length, 2);
  assert.ok(response.headers.get("ratelimit"));
  assert.deepEqual(await response.json(), { done: true });
  assert.equal((await job.recorded).tokens, 15);
});

test("a denial is 429 with the headers, and the handler does not run", async () => {
  let ran = 0;
  await bursar.account("once", "one");
  const GET = withRateLimit(bursar.client, { user: () => "once" }, () => { ran++; return new Response(null, { status: 204 }); });
  assert.equal((await GET(request())).status, 204);
  const denial = await GET(request());
  assert.equal(denial.status, 429);
  assert.equal(denial.headers.get("x-should-retry"), "false");
  assert.match(denial.headers.get("retry-after"), /^\d+$/);
  assert.equal((await denial.json()).error.code, "quota");
  assert.equal(ran, 1);
});

test("a stream that its reader leaves is recorded with what was told by then, and the source is cancelled", async () => {
  let job, cancelled = false;
  const GET = withRateLimit(bursar.client, rich, (req, context, it) => {
    job = it;
    job.usage({ prompt_tokens: 1, completion_tokens: 2 });
    return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode("word ")), cancel: () => (cancelled = true) }));
  });
  const reader = (await GET(request())).body.getReader();
  await reader.read();
  await reader.cancel();
  assert.equal((await job.recorded).tokens, 3);
  assert.equal(cancelled, true);
  assert.equal(job.signal.aborted, true);
});

test("a client that goes away aborts the job's signal", async () => {
  let job;
  const client = new AbortController();
  const GET = withRateLimit(bursar.client, { ...rich, lingerMs: 1 }, async (req, context, it) => {
    job = it;
    client.abort();
    await until(() => job.signal.aborted, "the signal");
    throw job.signal.reason;
  });
  await assert.rejects(GET(request({ signal: client.signal })));
  assert.equal((await job.recorded).estimated, true);
});

test("a handler that fails gives its reservation back; redirects and pages that are not found count as requests", async () => {
  const outcome = async (fails) => {
    let job;
    const GET = withRateLimit(bursar.client, rich, (req, context, it) => { job = it; return fails(); });
    await assert.rejects(GET(request()));
    return job.recorded;
  };
  assert.equal(await outcome(() => { throw new Error("broken"); }), undefined);
  assert.equal((await outcome(() => redirect("/elsewhere"))).tokens, 0);
  assert.equal((await outcome(() => notFound())).tokens, 0);
});

test("the proxy lets requests pass with their headers, and answers those that are denied", async () => {
  await bursar.account("ip:198.51.100.7", "one");
  const proxy = rateLimitProxy(bursar.client, { trustedProxies: ["loopback"] });
  const from = (chain) => proxy(request({ headers: { "x-forwarded-for": chain } }));
  const passed = await from("6.6.6.6, 198.51.100.7");
  assert.equal(passed.headers.get("x-middleware-next"), NextResponse.next().headers.get("x-middleware-next"));
  assert.ok(passed.headers.get("ratelimit"));
  assert.equal((await from("7.7.7.7, 198.51.100.7, 127.0.0.1")).status, 429);
});

test("without a user, an address is only believed behind proxies that are named", async () => {
  const GET = withRateLimit(bursar.client, {}, () => new Response("never"));
  await assert.rejects(GET(request({ headers: { "x-forwarded-for": "6.6.6.6" } })), /set `user`, or `trustedProxies`/);
});
