/** The client. */
import {
  AdminMethods, CheckBatchResponseMessage, LimiterMethods, RecordBatchResponseMessage, RecordRequestMessage, CheckRequestMessage,
  type Admin, type CancelResponse, type CheckRequest, type CheckResponse, type EstimateCostRequest, type EstimateCostResponse, type ExplainResponse,
  type GetStatusRequest, type GetStatusResponse, type LimitStatus, type RecordResponse, type ResetRequest,
} from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import type { Flight } from "./ahead.js";
import { Caller, encode, type CallOptions } from "./call.js";
import { Channels } from "./channels.js";
import { checkRequest, toCheck, type Check, type CheckInput } from "./check.js";
import { BursarError, Denied, isTransient } from "./errors.js";
import { events, type AlertEvent, type EventsOptions } from "./events.js";
import { Failing, isSilence } from "./fail.js";
import { Gatherer } from "./gather.js";
import { newRequestId } from "./ids.js";
import { RunningJob, type Job, type Recorder } from "./job.js";
import { Keeper } from "./keeper.js";
import { readOptions, type BursarOptions, type Settings } from "./options.js";
import { Pool } from "./pool.js";
import { queuedResult, readTarget, recordRequest, toResult, type RecordResult, type RecordTarget } from "./record.js";
import { retrying, sleep } from "./retry.js";
import { Spool } from "./spool.js";
import { startTrace } from "./trace.js";
import type { RecordInput } from "./usage.js";

export interface RunOptions extends CallOptions {
  /** Answers a denial in place of `fn`; without it, `run` throws Denied. */
  onDenied?: (check: Check) => unknown;
}

type FilledCheck = Init<CheckRequest> & { requestId: string; user: string };

/* A second call of these would make a second key or session. */
const ONCE = new Set(["createKey", "rotateKey", "createLogin", "redeemLogin", "createSession"]);

function adminOf(caller: Caller): Admin {
  const admin: Record<string, unknown> = {};

  for (const [name, method] of Object.entries(AdminMethods)) {
    const how = { first: true, once: ONCE.has(name) };
    admin[name] = method.stream
      ? (request: object, options?: CallOptions) => caller.stream<any, any>(method as never, request, options)
      : (request: object, options?: CallOptions) => caller.unary<any, any>(method as never, request, options, how);
  }
  /* A reset that is sent again must carry the same id. */
  admin["reset"] = (request: Init<ResetRequest>, options?: CallOptions) =>
    caller.unary(AdminMethods.reset, { ...request, requestId: request.requestId || newRequestId() }, options, { first: true });
  return admin as unknown as Admin;
}

export class Bursar {
  /** Every RPC of bursar.v1.Admin, by its own name. */
  readonly admin: Admin;
  private readonly settings: Settings;
  private readonly channels: Channels;
  private readonly caller: Caller;
  private readonly checks: Gatherer<CheckResponse>;
  private readonly records: Gatherer<RecordResponse>;
  private readonly spool: Spool;
  private readonly failing: Failing;
  private readonly keeper: Keeper;
  private readonly recorder: Recorder;
  private readonly running = new Set<Promise<unknown>>();
  private stopWaiting: () => void = () => {};
  private readonly closing = new Promise<undefined>((resolve) => (this.stopWaiting = () => resolve(undefined)));

  /** Connects at the first call, not before. */
  constructor(options: BursarOptions = {}) {
    this.settings = readOptions(options);
    this.channels = new Channels(this.settings);
    this.caller = new Caller(this.channels, this.settings);
    const limits = { ...this.settings.gather, attemptMs: this.settings.attemptMs };
    this.checks = new Gatherer(this.channels, LimiterMethods.check, { path: LimiterMethods.checkBatch.path, answer: CheckBatchResponseMessage }, limits);
    this.spool = new Spool(this.channels, this.settings);
    this.records = new Gatherer(this.channels, LimiterMethods.record, { path: LimiterMethods.recordBatch.path, answer: RecordBatchResponseMessage }, limits, this.spool.writeAhead);
    this.failing = new Failing(this.settings.fail);
    this.keeper = new Keeper(this.caller);
    this.admin = adminOf(this.caller);
    this.recorder = {
      record: (target, input) => this.record(target, input),
      cancel: (target) => this.cancel(target),
      remember: (target, input) => this.remember(target, input),
      failed: (error) => this.settings.onError(error),
    };
  }

  /** May this request run now? A denial is an answer: `allowed` is false. */
  async check(input: CheckInput, options: CallOptions = {}): Promise<Check> {
    const request = checkRequest(input, this.settings);
    const trace = startTrace("bursar.check", { "bursar.model": request.model ?? "" });

    try {
      const check = await this.decide(request, options, trace.traceparent);
      trace.set("bursar.result", check.allowed ? "allowed" : "denied");
      if (check.reason) trace.set("bursar.reason", check.reason);
      if (check.tier) trace.set("bursar.tier", check.tier);
      trace.set("bursar.quality", check.quality);
      this.warn(check.notify);
      this.held(check, input);
      trace.end();
      return check;
    } catch (error) {
      trace.end(error);
      throw error;
    }
  }

  /* The reservation of a repeat is kept by the process whose check came first. */
  private held(check: Check, input: CheckInput): void {
    if (check.reservation && !input.settle && (!check.repeat || check.retried)) this.keeper.keep(check.reservation, input.reservationTtlMs);
  }

  private warn(limits: LimitStatus[]): void {
    for (const limit of limits) this.settings.onWarning(limit);
  }

  private async decide(request: FilledCheck, options: CallOptions, traceparent: string | undefined): Promise<Check> {
    try {
      return await this.sendCheck(request, options, traceparent);
    } catch (error) {
      if (this.failing.applies(error)) return this.failing.decide(request);
      throw isSilence(error) && options.timeoutMs === undefined ? this.channels.noServer(error) : error;
    }
  }

  private async sendCheck(request: FilledCheck, options: CallOptions, traceparent: string | undefined): Promise<Check> {
    const timeoutMs = options.timeoutMs ?? this.settings.failAfterMs;
    if (request.settle || options.metadata) return toCheck(request, await this.caller.unary(LimiterMethods.check, request, { ...options, timeoutMs }));
    const deadline = Date.now() + timeoutMs;
    let retried = false;
    const raw = await retrying(this.channels, { deadline, attempts: this.settings.attempts, signal: options.signal }, (failures) => {
      /* The server may know the id from the attempt before. */
      retried = failures > 0;
      if (retried) request.requestIdIsNew = false;
      return this.checks.submit(encode(CheckRequestMessage, request), {
        deadline, signal: options.signal, traceparent, orphaned: (answer) => this.giveBack(answer),
      });
    });
    return toCheck(request, raw, retried);
  }

  /* A check whose caller has left was allowed: nobody will record it. */
  private giveBack(answer: CheckResponse): void {
    if (answer.allowed && answer.reservation && !answer.repeat) this.cancel({ reservation: answer.reservation }).catch(() => {});
  }

  /**
   * Reports what a request used, and settles its reservation. When no server can be reached, the record waits in the spool
   * and the result says `queued`. Rejects when the server refuses the record, or the spool is full.
   */
  record(target: RecordTarget, input: RecordInput = {}, options: CallOptions = {}): Promise<RecordResult> {
    return this.track(this.deliver(target, input, options));
  }

  private async deliver(target: RecordTarget, input: RecordInput, options: CallOptions): Promise<RecordResult> {
    const { request, requestId } = recordRequest(target, input, this.settings);
    const bytes = encode(RecordRequestMessage, request);
    const handle = request.reservation?.handle;
    if (handle && !request.keepOpen) this.keeper.drop(handle);
    const trace = startTrace("bursar.record", { "bursar.model": request.model ?? "" });
    const deadline = Date.now() + (options.timeoutMs ?? this.settings.timeoutMs);
    let result: RecordResult;
    let flight: Flight | undefined;
    const written = (one: Flight) => {
      flight = one;
      this.spool.forget(request);
    };
    const leave = () => {
      flight?.leave();
      flight = undefined;
      this.spool.forget(request);
    };

    try {
      /* A server that is gone is passed over; after any other failure it is kept, before anything else can happen to this process. */
      const policy = { deadline, attempts: this.settings.attempts, impatient: true };
      result = toResult(await retrying(this.channels, policy, () => this.records.submit(bytes, {
        deadline, traceparent: trace.traceparent, written: flight ? undefined : written,
      })));
    } catch (error) {
      if (!isTransient(error) && !this.channels.closed) {
        trace.end(error);
        throw error;
      }
      result = await this.keep(request, requestId, leave).catch((full: BursarError) => {
        this.settings.onError(full);
        trace.end(full);
        throw full;
      });
    } finally {
      leave();
    }
    trace.set("bursar.result", result.queued ? "queued" : "recorded");
    trace.end();
    this.warn(result.notify);
    return result;
  }

  /* Waits a moment for its delivery, for callers who show the cost. */
  private async keep(request: Parameters<Spool["add"]>[0], requestId: string, kept: () => void): Promise<RecordResult> {
    const delivery = this.spool.add(request, requestId);
    kept();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.settings.recordWaitMs);
    });
    try {
      const answer = await Promise.race([delivery, patience, this.closing]);
      return answer ? toResult(answer) : queuedResult(requestId);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @internal Keeps a record on disk, where there is a folder, until it is made. */
  remember(target: RecordTarget, input: RecordInput): void {
    try {
      if (this.settings.spool.directory) this.spool.remember(recordRequest(target, input, this.settings).request);
    } catch {
      /* A misspelt field: told when it is recorded. */
    }
  }

  private track<T>(promise: Promise<T>): Promise<T> {
    const entry = promise.then(() => {}, () => {}).finally(() => this.running.delete(entry));

    this.running.add(entry);
    return promise;
  }

  /** Gives a reservation back: the request did not run. */
  async cancel(target: RecordTarget, options: CallOptions = {}): Promise<CancelResponse> {
    const { ref } = readTarget(target, this.settings);

    if (ref.handle) this.keeper.drop(ref.handle);
    return this.track(this.caller.unary(LimiterMethods.cancel, { reservation: ref }, options));
  }

  /**
   * Check, `fn`, record. What `job.usage` was told is charged; nothing told: as it was estimated. When `fn` throws, the
   * reservation is cancelled, unless usage was told. Throws Denied.
   */
  async run<T>(input: CheckInput, fn: (job: Job) => Promise<T> | T, options: RunOptions = {}): Promise<T> {
    const check = await this.check(input, options);
    if (!check.allowed) {
      if (options.onDenied) return (await options.onDenied(check)) as T;
      throw new Denied(check);
    }
    const job = new RunningJob(check, this.recorder);
    let result: T;
    try {
      result = await fn(job);
    } catch (error) {
      await job.abandon();
      throw error;
    }
    await job.finish();
    return result;
  }

  /** A pool of slots that a whole fleet shares. */
  pool(name = "agent-execution"): Pool {
    return new Pool(name, this.caller, this.recorder, {
      check: (check) => this.warn(check.notify),
      granted: (check, input) => this.held(check, input),
    });
  }

  /**
   * What happened to users: they are at 80%, were upgraded, are suspended. The loop ends with `close` or an error that trying again
   * does not help; a stream that breaks is opened again. An event counts as dealt with when the body of the loop has ended.
   */
  events(options: EventsOptions = {}): AsyncGenerator<AlertEvent, void, void> {
    return events(this.caller, options);
  }

  /** The state of every limit of a user. */
  status(request: Init<GetStatusRequest> & { user: string }, options?: CallOptions): Promise<GetStatusResponse> {
    const { tenant, language } = this.settings;

    return this.caller.unary(LimiterMethods.getStatus, { tenant, language, ...request }, options);
  }

  /** What a check would answer, and why. Changes nothing. */
  explain(input: CheckInput, options?: CallOptions): Promise<ExplainResponse> {
    const { requestIdIsNew: _, requestId, ...check } = checkRequest(input, this.settings);

    return this.caller.unary(LimiterMethods.explain, { check: input.requestId ? { ...check, requestId } : check }, options);
  }

  /** What a request would cost. */
  estimateCost(request: Init<EstimateCostRequest> & { model: string }, options?: CallOptions): Promise<EstimateCostResponse> {
    return this.caller.unary(LimiterMethods.estimateCost, { tenant: this.settings.tenant, ...request }, options);
  }

  /** Number of records that wait in the spool. */
  get spooled(): number {
    return this.spool.waiting;
  }

  /**
   * Sends what is gathered, waits for records and cancellations in flight (at most `attemptMs`), tries the spool once, and ends
   * calls, slots and connections.
   */
  async close(): Promise<void> {
    this.checks.flush();
    this.records.flush();
    this.stopWaiting();
    const patience = new AbortController();
    const inFlight = async () => {
      while (this.running.size > 0) await Promise.all(this.running);
    };
    await Promise.race([inFlight(), sleep(this.settings.attemptMs, patience.signal).catch(() => {})]);
    patience.abort();
    await Promise.all([this.spool.close(), this.keeper.close()]);
    this.channels.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
