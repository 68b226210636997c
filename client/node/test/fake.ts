/** A gRPC server that answers what a test tells it to, and remembers what it was asked. For what a real one does not do on request. */
import { Metadata, Server, ServerCredentials, status, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from "@grpc/grpc-js";
import * as api from "../dist/esm/gen/bursar.js";
import * as google from "../dist/esm/gen/google.js";

export interface Asked {
  method: string;
  request: any;
  metadata: Metadata;
  /** In milliseconds of a clock that is never set. */
  at: number;
}
type Answer = object | { status: number; details?: string; retryMs?: number; reason?: string; pushbackMs?: number } | "silence";
export type Handler = (request: any, asked: Asked, call: ServerUnaryCall<Buffer, Buffer>) => Answer | Promise<Answer>;
export type StreamHandler = (request: any, call: { send(message: object): void; fail(code: number, reason?: string): void; end(): void; onCancel(callback: () => void): void }, asked: Asked) => void;

const same = (bytes: Buffer): Buffer => bytes;

/** An error as Bursar sends it, with its details. */
export function failure(answer: { status: number; details?: string; retryMs?: number; reason?: string; pushbackMs?: number }): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  const details: { typeUrl: string; value: Uint8Array }[] = [];

  if (answer.retryMs !== undefined) {
    details.push({ typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: google.RetryInfoMessage.encode({ retryDelay: { seconds: Math.floor(answer.retryMs / 1000), nanos: (answer.retryMs % 1000) * 1e6 } }) });
  }
  if (answer.reason) details.push({ typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: google.ErrorInfoMessage.encode({ reason: answer.reason, domain: "bursar" }) });
  if (details.length) metadata.set("grpc-status-details-bin", google.StatusMessage.encode({ code: answer.status, details }));
  if (answer.pushbackMs !== undefined) metadata.set("grpc-retry-pushback-ms", String(answer.pushbackMs));
  return { code: answer.status, details: answer.details ?? "made to fail", metadata };
}

/** A check that is allowed. */
export function allowed(request: { requestId?: string }, more: object = {}): object {
  return { allowed: true, requestId: request.requestId, reservation: `r-${request.requestId}`, startedAtUs: 1796000000000000, quality: "QUALITY_EXACT", tier: "free", ...more };
}

export class FakeServer {
  readonly asked: Asked[] = [];
  port = 0;
  private server = new Server();
  private readonly handlers: Record<string, Handler>;
  private readonly acquire: StreamHandler | undefined;
  private readonly events: StreamHandler | undefined;

  constructor(handlers: Record<string, Handler>, acquire?: StreamHandler, events?: StreamHandler) {
    this.handlers = handlers;
    this.acquire = acquire;
    this.events = events;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The calls of one method. */
  calls(method: string): Asked[] {
    return this.asked.filter((one) => one.method === method);
  }

  async start(): Promise<this> {
    this.server = new Server();
    for (const [name, method] of Object.entries({ ...api.LimiterMethods, ...api.AdminMethods })) if (!method.stream) this.add(name, method);
    const health = { path: "/grpc.health.v1.Health/Check", requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
    this.server.register(health.path, (_: unknown, done: sendUnaryData<Buffer>) => done(null, Buffer.from([8, 1])), same, same, "unary");
    for (const [name, handler] of Object.entries({ acquire: this.acquire, events: this.events })) {
      const method = api.LimiterMethods[name as "acquire" | "events"];
      this.server.register(method.path, (call: ServerWritableStream<Buffer, Buffer>) => this.open(name, method, handler, call), same, same, "serverStream");
    }
    if (this.port) await this.bind();
    else await this.bindAnywhere();
    return this;
  }

  private bind(): Promise<void> {
    return new Promise((resolve, reject) => this.server.bindAsync(this.address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())));
  }

  /* Below the ports that the system gives to outgoing connections: nobody takes it while the server is stopped. */
  private async bindAnywhere(): Promise<void> {
    for (let tries = 1; ; tries++) {
      this.port = 30_000 + Math.floor(Math.random() * 2_700);
      try {
        return await this.bind();
      } catch (error) {
        if (tries === 50) throw error;
      }
    }
  }

  private add(name: string, method: { path: string; request: any; answer: any }): void {
    this.server.register(method.path, async (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      const request = method.request.decode(call.request);
      const asked = { method: name, request, metadata: call.metadata, at: performance.now() };
      this.asked.push(asked);
      try {
        const answer = await (this.handlers[name] ?? this.eachItem(name))(request, asked, call);
        if (answer === "silence") return;
        if ("status" in answer && typeof answer.status === "number") done(failure(answer as { status: number }));
        else done(null, method.answer.encode(answer));
      } catch (error) {
        done(failure({ status: status.INTERNAL, details: `the test's handler: ${String(error)}` }));
      }
    }, same, same, "unary");
  }

  /* A batch without a handler of its own: each item as the single call would be answered. */
  private eachItem(name: string): Handler {
    const single = this.handlers[name.replace("Batch", "")];

    if (!name.endsWith("Batch") || !single) return () => ({ status: status.UNIMPLEMENTED });
    return async (batch, asked, call) => ({
      items: await Promise.all(batch.items.map(async (item: object) => {
        const answer = (await single(item, asked, call)) as { status?: unknown; details?: string };
        return typeof answer.status === "number" ? { error: { code: answer.status, message: answer.details ?? "made to fail" } } : { response: answer };
      })),
    });
  }

  private open(name: string, method: { request: any; answer: any }, handler: StreamHandler | undefined, call: ServerWritableStream<Buffer, Buffer>): void {
    const request = method.request.decode(call.request);
    const asked = { method: name, request, metadata: call.metadata, at: performance.now() };

    this.asked.push(asked);
    handler?.(request, {
      send: (message) => void call.write(method.answer.encode(message)),
      fail: (code, reason) => void call.emit("error", failure({ status: code, ...(reason ? { reason } : {}) })),
      end: () => void call.end(),
      onCancel: (callback) => void call.on("cancelled", callback),
    }, asked);
  }

  /** As a process that is killed: connections break, and nothing listens. Starting again uses the same port. */
  stop(): void {
    this.server.forceShutdown();
  }
}
