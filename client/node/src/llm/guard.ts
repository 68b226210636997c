/** One call of an LLM under limits: checked before it leaves, recorded when it has ended. What the wrappers of SDKs and frameworks share. */
import type { Bursar } from "../core/bursar.js";
import type { Check, CheckInput } from "../core/check.js";
import { Denied } from "../core/errors.js";
import { RunningJob, type Job, type UsageOptions } from "../core/job.js";
import type { RecordResult, RecordTarget } from "../core/record.js";
import type { RecordInput } from "../core/usage.js";
import { estimateRequest, estimateTokens } from "../estimate/index.js";

export { Denied } from "../core/errors.js";

/** What the wrappers need of a client. */
export type Client = Pick<Bursar, "check" | "record" | "cancel">;

export interface GuardOptions extends Pick<CheckInput, "model" | "mode" | "interface" | "language" | "tenant" | "cachedInputTokens"> {
  /** Whose limits count. A function is asked at each call, so that one wrapped client can serve many users. */
  user: string | (() => string | Promise<string>);
  /** Estimated tokens of the request's body; default: `estimateRequest`. */
  inputTokens?: (body: unknown) => number;
  /** Counts the tokens of a text, in place of the shipped rule. */
  tokenizer?: (text: string) => number;
  /** The most that an answer may have where the request does not say; default: the tier's. */
  maxOutputTokens?: number;
  /** The answer to a check that allowed its call: its warnings are in `notify`. */
  onCheck?: (check: Check) => void;
  /** What a call cost. */
  onRecord?: (result: RecordResult) => void;
  /** Records that failed. The call itself has worked, so nothing is thrown. */
  onError?: (error: Error) => void;
}

/** Of a request to an LLM, what its check says. */
export interface Plan extends Pick<CheckInput, "expected"> {
  body: unknown;
  model?: string | undefined;
  maxOutputTokens?: number | undefined;
  inputTokens?: number | undefined;
}

/** A call that runs. Exactly one of `end` and `fail` counts: the first. */
export interface Call {
  /** The provider's usage object, or what contains it; the last one counts. */
  tell(providerUsage: object, options?: UsageOptions): void;
  /** It has ended: what was told is recorded, or else what was estimated. */
  end(): Promise<void>;
  /** It has failed: what was told is recorded. Nothing told: given back, or settled by the estimate if it may have run. */
  fail(error: unknown): Promise<void>;
}

function isJob(target: Client | Job): target is Job {
  return typeof (target as Job).usage === "function";
}

/** Whether the provider may have worked for a call that failed: nobody knows how far it came when the caller stopped waiting. */
function mayHaveRun(error: unknown): boolean {
  const { name, status } = (error ?? {}) as { name?: unknown; status?: unknown };
  if (typeof status === "number") return false;
  return typeof name === "string" && /abort|timeout/i.test(name) || /abort|timed? ?out/i.test((error as Error | null)?.constructor?.name ?? "");
}

/** Limits calls by checks of their own, or hands their use to a job that has been checked already. */
export class Guard {
  readonly #target: Client | Job;
  readonly #options: GuardOptions | undefined;

  constructor(target: Client | Job, options?: GuardOptions) {
    if (!isJob(target) && !options?.user) throw new TypeError("bursar: user: whose limits count? Give options with `user`, or a job in place of the client");
    this.#target = target;
    this.#options = options;
  }

  /** Throws Denied; then nothing must be sent. */
  async begin(plan: Plan): Promise<Call> {
    if (isJob(this.#target)) return new HandedOn(this.#target);
    const options = this.#options!;
    const check = await this.#target.check(await this.#input(plan, options));
    if (!check.allowed) throw new Denied(check);
    call(options.onCheck, check);
    return new Checked(check, this.#target, options);
  }

  async #input(plan: Plan, options: GuardOptions): Promise<CheckInput> {
    const { model, mode, interface: from, language, tenant, cachedInputTokens, tokenizer = estimateTokens } = options;
    return {
      user: typeof options.user === "function" ? await options.user() : options.user,
      model: model ?? plan.model, mode, language, cachedInputTokens, expected: plan.expected,
      interface: from, tenant,
      inputTokens: options.inputTokens?.(plan.body) ?? plan.inputTokens ?? estimateRequest(plan.body, tokenizer),
      maxOutputTokens: plan.maxOutputTokens ?? options.maxOutputTokens,
    };
  }
}

/* An application's callback must not break its call. */
function call<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch {
    /* nothing to tell it to */
  }
}

class Checked implements Call {
  readonly #job: RunningJob;
  readonly #options: GuardOptions;
  #told: { providerUsage: object; options: UsageOptions } | undefined;
  #ended: Promise<void> | undefined;

  constructor(check: Check, client: Client, options: GuardOptions) {
    const recorder = {
      record: (target: RecordTarget, input: RecordInput) => client.record(target, input),
      cancel: (target: RecordTarget) => client.cancel(target),
      failed: (error: Error) => call(options.onError, error),
    };
    this.#job = new RunningJob(check, recorder);
    this.#options = options;
  }

  tell(providerUsage: object, options: UsageOptions = {}): void {
    this.#told = { providerUsage, options };
  }

  end(): Promise<void> {
    return (this.#ended ??= this.#finish());
  }

  fail(error: unknown): Promise<void> {
    return (this.#ended ??= this.#told || mayHaveRun(error) ? this.#finish() : this.#job.abandon());
  }

  async #finish(): Promise<void> {
    if (this.#told) this.#job.usage(this.#told.providerUsage, this.#told.options);
    const result = await this.#job.finish();
    if (result) call(this.#options.onRecord, result);
  }
}

/** A call within a job: its use is one of the job's. An empty object says that it ran, and that nobody knows what it used. */
class HandedOn implements Call {
  readonly #job: Job;
  #told: { providerUsage: object; options: UsageOptions } | undefined;
  #ended = false;

  constructor(job: Job) {
    this.#job = job;
  }

  tell(providerUsage: object, options: UsageOptions = {}): void {
    this.#told = { providerUsage, options };
  }

  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#job.usage(this.#told?.providerUsage ?? {}, this.#told?.options);
  }

  async fail(error: unknown): Promise<void> {
    if (this.#told || mayHaveRun(error)) return this.end();
    this.#ended = true;
  }
}

/** The denial in an error: SDKs and frameworks wrap what is thrown beneath them. */
export function deniedOf(error: unknown): Denied | undefined {
  for (let each = error, depth = 0; each && depth < 10; each = (each as Error).cause, depth++)
    if (each instanceof Denied) return each;
  return undefined;
}

/** Passes on a stream of items, and tells the call what it has seen when it ends, is left, or breaks. `see`: whether to pass it on. */
export async function* watched<T>(items: AsyncIterable<T>, running: Call, see: (item: T) => boolean): AsyncGenerator<T, void, undefined> {
  try {
    for await (const item of items) if (see(item)) yield item;
  } finally {
    await running.end();
  }
}

/** The same for a ReadableStream. */
export function watchedStream<T>(stream: ReadableStream<T>, running: Call, see: (item: T) => boolean): ReadableStream<T> {
  const reader = stream.getReader();
  return new ReadableStream<T>({
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) {
            await running.end();
            return controller.close();
          }
          if (see(value)) return controller.enqueue(value);
        }
      } catch (error) {
        await running.end();
        controller.error(error);
      }
    },
    async cancel(reason) {
      await running.end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
