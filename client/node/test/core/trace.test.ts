import assert from "node:assert/strict";
import { test } from "node:test";
import { context, trace } from "@opentelemetry/api";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { Bursar } from "bursar";
import { FakeServer, allowed } from "../fake.js";
import { PATIENT } from "../serve.js";

test("without OpenTelemetry no traceparent is sent; with it, calls are spans, which name no user", async (t) => {
  const server = await new FakeServer({
    check: (request) => (request.user === "bob" ? { allowed: false, reason: "REASON_QUOTA", tier: "free", message: "Enough." } : allowed(request)),
    record: (request) => ({ requestId: request.reservation.handle }),
  }, (request, call) => call.send({ check: allowed(request.check), granted: { lease: "l", fence: 1n, leaseUs: 30_000_000 } })).start();
  const bursar = new Bursar({ address: server.address, ...PATIENT });
  t.after(async () => {
    await bursar.close();
    server.stop();
    trace.disable();
    context.disable();
  });

  await bursar.check({ user: "ann" });
  assert.deepEqual(server.asked[0]!.metadata.get("traceparent"), []);

  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  await bursar.record(await bursar.check({ user: "ann", model: "gpt-4o" }), { usage: {} });
  await bursar.check({ user: "bob" });
  await bursar.pool("gpu").run({ user: "ann" }, () => {});
  await assert.rejects(bursar.check({ user: "ann", inputTokens: 0.5 }));
  const spans = exporter.getFinishedSpans();
  assert.deepEqual(spans.map((span) => span.name), ["bursar.check", "bursar.record", "bursar.check", "bursar.acquire", "bursar.record", "bursar.check"]);
  const attributes = spans.map((span) => span.attributes);
  assert.deepEqual(attributes[0], { "bursar.model": "gpt-4o", "bursar.result": "allowed", "bursar.tier": "free", "bursar.quality": "exact" });
  assert.deepEqual([attributes[2]!["bursar.result"], attributes[2]!["bursar.reason"]], ["denied", "quota"]);
  assert.deepEqual([attributes[3]!["bursar.pool"], attributes[3]!["bursar.result"]], ["gpu", "granted"]);
  assert.equal(spans[5]!.status.code, 2);
  assert.doesNotMatch(JSON.stringify(attributes), /ann|bob/);
  const { traceId, spanId } = spans[0]!.spanContext();
  assert.deepEqual(server.calls("check")[1]!.metadata.get("traceparent"), [`00-${traceId}-${spanId}-01`]);
});
