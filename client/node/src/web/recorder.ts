/** A request of a web server while it runs: what it used is recorded once its response has ended. */
import type { Bursar } from "../core/bursar.js";
import type { Check } from "../core/check.js";
import { RunningJob, type Job, type UsageOptions } from "../core/job.js";
import type { RecordResult, RecordTarget } from "../core/record.js";
import type { RecordInput } from "../core/usage.js";

/** What the wrappers need of a client. */
export type Client = Pick<Bursar, "check" | "record" | "cancel"> & Partial<Pick<Bursar, "remember">>;

/** What a handler is given: the check's answer, and where to tell what was used. */
export interface WebJob extends Job {
  /** Aborted when the client has gone away: hand it to the LLM's SDK. */
  readonly signal: AbortSignal;
  /** What was recorded, or undefined for a request that was cancelled; settles after the response has ended. Never rejects. */
  readonly recorded: Promise<RecordResult | undefined>;
}

/** How a response ended: its status, and whether all of it was sent. */
export interface Ending {
  status: number;
  complete: boolean;
}

export class Recorder {
  readonly client: Client;
  readonly failed: (error: Error) => void;

  constructor(client: Client, onError: (error: Error) => void = () => {}) {
    this.client = client;
    this.failed = (error) => {
      try {
        onError(error);
      } catch {
        /* an application's callback must not break the response */
      }
    };
  }

  record(target: RecordTarget, input: RecordInput): Promise<RecordResult> {
    return this.client.record(target, input);
  }

  cancel(target: RecordTarget): Promise<unknown> {
    return this.client.cancel(target);
  }

  remember(target: RecordTarget, input: RecordInput): void {
    this.client.remember?.(target, input);
  }
}

export class ResponseJob implements WebJob {
  readonly recorded: Promise<RecordResult | undefined>;
  readonly #job: RunningJob;
  readonly #recorder: Recorder;
  readonly #controller = new AbortController();
  readonly #lingerMs: number;
  readonly #settled: boolean;
  #settle!: (result: RecordResult | undefined) => void;
  #ended = false;
  #told = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `settled`: the check has recorded the request already. */
  constructor(check: Check, recorder: Recorder, lingerMs: number, settled: boolean) {
    this.#job = new RunningJob(check, recorder);
    this.#recorder = recorder;
    this.#lingerMs = lingerMs;
    this.#settled = settled;
    this.recorded = new Promise((resolve) => (this.#settle = resolve));
  }

  get check(): Check {
    return this.#job.check;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  usage(providerUsage: object | string, options: UsageOptions = {}): void {
    this.#tell({ ...options, providerUsage });
  }

  tokens(usage: NonNullable<RecordInput["usage"]>, options: UsageOptions = {}): void {
    this.#tell({ ...options, usage });
  }

  #tell(input: RecordInput): void {
    if (this.#settled) throw new Error("bursar: this route counts requests only (settle); it cannot record what they used");
    this.#told++;
    if (!this.#ended) return input.usage ? this.#job.tokens(input.usage, input) : this.#job.usage(input.providerUsage ?? {}, input);
    if (this.#timer) return this.#close(() => this.#finishWith(input));
    /* After the end: another attempt of the same request. */
    this.#recorder.record(this.check, { ...input, attempt: Math.min(this.#told - 1, 31) }).catch(this.#recorder.failed);
  }

  async #finishWith(input: RecordInput): Promise<RecordResult | undefined> {
    if (input.usage) this.#job.tokens(input.usage, input);
    else this.#job.usage(input.providerUsage ?? {}, input);
    return this.#job.finish();
  }

  /** The response has ended, or its client is gone. Only the first call counts. */
  end({ status, complete }: Ending): void {
    /* Aborted first: whoever listens may tell at once how far the answer came. */
    if (!complete) this.#controller.abort(new DOMException("the client has closed the connection", "AbortError"));
    if (this.#ended) return;
    this.#ended = true;
    if (this.#settled) return this.#settle(undefined);
    if (this.#job.told || (complete && status < 400)) return this.#close(() => this.#job.finish());
    if (complete && status >= 500) return this.#close(() => this.#job.abandon().then(() => undefined));
    /* The caller's mistake counts as a request, but has used no tokens. */
    if (complete) return this.#close(() => this.#finishWith({ usage: {} }));
    /* The client is gone. Who reads the LLM's answer tells in a moment how far it came; else it is settled by the estimate. */
    this.#timer = setTimeout(() => this.#close(() => this.#job.finish()), this.#lingerMs);
    this.#timer.unref();
  }

  /** The handler has failed before there was a response: cancels, unless usage was told. */
  fail(): void {
    this.end({ status: 500, complete: true });
  }

  #close(how: () => Promise<RecordResult | undefined>): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    how().then(this.#settle, (error: Error) => {
      this.#recorder.failed(error);
      this.#settle(undefined);
    });
  }
}
