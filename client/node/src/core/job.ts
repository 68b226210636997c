/** A request while it runs: collects what it used, and records it however the function ends. */
import type { TokenUsage } from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import type { Check } from "./check.js";
import type { RecordResult, RecordTarget } from "./record.js";
import type { RecordInput } from "./usage.js";

export type UsageOptions = Pick<RecordInput, "provider" | "model" | "mode" | "providerCostNanoUsd">;

/** What the function of `run` and `pool.run` is given. */
export interface Job {
  readonly check: Check;
  /**
   * Tells what one call of an LLM used: the provider's usage object, its whole response, or the events of its stream, as they
   * came. Call it once for each call of an LLM: each is charged by itself.
   */
  usage(providerUsage: object | string, options?: UsageOptions): void;
  /** The same by Bursar's own meters. */
  tokens(usage: Init<TokenUsage>, options?: UsageOptions): void;
}

/** What a Job needs of the client. */
export interface Recorder {
  record(target: RecordTarget, input: RecordInput): Promise<RecordResult>;
  cancel(target: RecordTarget): Promise<unknown>;
  /** Keeps on disk what has been used, should the process die before that is recorded. */
  remember?(target: RecordTarget, input: RecordInput): void;
  failed(error: Error): void;
}

/* The API numbers attempts from 0 to 31. */
const ATTEMPTS = 32;

export class RunningJob implements Job {
  readonly check: Check;
  private readonly recorder: Recorder;
  private last: RecordInput | undefined;
  private count = 0;
  private sent: Promise<unknown>[] = [];

  constructor(check: Check, recorder: Recorder) {
    this.check = check;
    this.recorder = recorder;
  }

  /** Was any usage told? */
  get told(): boolean {
    return this.last !== undefined || this.count > 0;
  }

  usage(providerUsage: object | string, options: UsageOptions = {}): void {
    this.keepLast({ ...options, providerUsage });
  }

  tokens(usage: Init<TokenUsage>, options: UsageOptions = {}): void {
    this.keepLast({ ...options, usage });
  }

  /* The latest is kept back, because the one that turns out to be the last closes the reservation. */
  private keepLast(input: RecordInput): void {
    if (this.last) this.send(this.last, true);
    this.last = input;
    this.recorder.remember?.(...this.place(this.count, input, true));
  }

  /** The call with this number: what it belongs to, and its record. */
  private place(n: number, input: RecordInput, more: boolean): [RecordTarget, RecordInput] {
    if (n < ATTEMPTS - 1) return [this.check, { ...input, attempt: n, keepOpen: more }];
    /* More calls than one reservation has attempts are records of requests of their own. */
    const { user, tenant, requestId, startedAtUs, model, interface: from } = this.check;
    return [{ user, tenant, requestId: `${requestId.slice(0, 100)}.${n}`, startedAtUs, model, interface: from }, input];
  }

  private send(input: RecordInput, more: boolean): void {
    const n = this.count++;

    this.keep(...this.place(n, input, more));
    if (n >= ATTEMPTS - 1 && !more) this.keep(this.check, { usage: {}, attempt: ATTEMPTS - 1 });
  }

  private keep(target: RecordTarget, input: RecordInput): void {
    this.sent.push(this.recorder.record(target, input).catch((error: Error) => this.recorder.failed(error)));
  }

  /** The function returned: records what it told, or that it told nothing. */
  async finish(): Promise<RecordResult | undefined> {
    const last = this.last ?? {};

    this.last = undefined;
    this.send(last, false);
    const results = await Promise.all(this.sent);
    return results[results.length - 1] as RecordResult | undefined;
  }

  /** The function threw: what it used is charged, and what it did not use is given back. */
  async abandon(): Promise<void> {
    if (this.told) {
      await this.finish();
      return;
    }
    if (this.check.quality === "none" || !this.check.reservation) return;
    await this.recorder.cancel(this.check).catch((error: Error) => this.recorder.failed(error));
  }
}
