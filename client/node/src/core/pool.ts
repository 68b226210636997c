/** Waiting for a slot of a pool, holding it, giving it back. */
import type { CheckResponse, LevelQueue, WaitReason } from "../gen/bursar.js";
import type { Caller } from "./call.js";
import { checkRequest, toCheck, type Check, type CheckInput } from "./check.js";
import { BursarError, Denied, cancelled } from "./errors.js";
import { RunningJob, type Job, type Recorder } from "./job.js";
import { SlotStream } from "./slot.js";
import { startTrace } from "./trace.js";

export interface QueuedEvent {
  type: "queued";
  /** Approximate, among the requests of the same priority: 1 = next. */
  position: number;
  /** Predicted wait from now; 0 = at once. */
  etaMs: number;
  waitedMs: number;
  reason: WaitReason;
  ahead: LevelQueue[];
  check: Check;
}
export interface GrantedEvent {
  type: "granted";
  slot: Slot;
  check: Check;
}
export interface DrainingEvent {
  type: "draining";
  /** The pool asks the holder to finish by then; nobody is killed. */
  finishByUs: number;
}
export interface ReconnectingEvent {
  type: "reconnecting";
  error: BursarError;
}
export interface LostEvent {
  type: "lost";
  error: BursarError;
}
export type PoolEvent = QueuedEvent | GrantedEvent | DrainingEvent | ReconnectingEvent | LostEvent;

export interface AcquireOptions {
  /** Stops waiting, and is passed on to `slot.signal`. */
  signal?: AbortSignal | undefined;
  /** At most so long in the queue; default: the pool's. */
  maxWaitMs?: number | undefined;
  /** Slots that the job takes; default 1. */
  seats?: number | undefined;
}

export interface PoolRunOptions extends AcquireOptions {
  onQueued?: (event: QueuedEvent) => void;
  onReconnecting?: (error: BursarError) => void;
  onDraining?: (event: DrainingEvent) => void;
  /** The lease is lost: somebody else may hold the slot. `slot.signal` is aborted. */
  onLost?: (error: BursarError) => void;
}

/** A slot that is held. */
export interface Slot extends Job {
  /** Aborted when the lease is lost, or by the caller's own signal. */
  readonly signal: AbortSignal;
  /** Greater than that of every earlier lease of the pool: pass it to what the job writes to, so that it can refuse smaller ones. */
  readonly fence: bigint;
  readonly lease: string;
  readonly waitedMs: number;
}

/** What a client is told of its acquisitions. */
interface Told {
  check(check: Check): void;
  granted(check: Check, input: CheckInput): void;
}

class HeldSlot extends RunningJob implements Slot {
  readonly signal: AbortSignal;
  readonly fence: bigint;
  readonly lease: string;
  readonly waitedMs: number;

  constructor(check: Check, recorder: Recorder, held: { signal: AbortSignal; fence: bigint; lease: string; waitedMs: number }) {
    super(check, recorder);
    this.signal = held.signal;
    this.fence = held.fence;
    this.lease = held.lease;
    this.waitedMs = held.waitedMs;
  }
}

/** One acquisition: its events in order. */
class Acquisition {
  slot: HeldSlot | undefined;
  private readonly events: PoolEvent[] = [];
  private failure: BursarError | undefined;
  private wake: (() => void) | undefined;
  private readonly stream: SlotStream;
  private readonly lost = new AbortController();
  private readonly stop: () => void;
  private readonly options: AcquireOptions;

  constructor(caller: Caller, recorder: Recorder, pool: string, input: CheckInput, options: AcquireOptions, told: Told) {
    const { requestIdIsNew: _, ...request } = checkRequest(input, caller.settings);
    const trace = startTrace("bursar.acquire", { "bursar.pool": pool });
    let check: Check | undefined;
    const known = (raw: CheckResponse | undefined): Check => {
      if (!check) told.check((check = toCheck(request, raw as CheckResponse)));
      return check;
    };

    this.options = options;
    this.stop = () => this.end(cancelled(options.signal as AbortSignal));
    if (options.signal?.aborted) throw cancelled(options.signal);
    this.stream = new SlotStream(caller, {
      check: request, pool, mode: "LEASE_MODE_STREAM", seats: options.seats ?? 0, maxWaitUs: Math.round((options.maxWaitMs ?? 0) * 1000),
    }, {
      queued: (queued, raw) => this.push({
        type: "queued", position: queued.position, etaMs: queued.etaUs / 1000, waitedMs: queued.waitedUs / 1000, reason: queued.reason, ahead: queued.ahead, check: known(raw),
      }),
      granted: (granted, raw) => {
        trace.set("bursar.result", "granted");
        trace.end();
        this.slot = new HeldSlot(known(raw), recorder, { signal: this.lost.signal, fence: granted.fence, lease: granted.lease, waitedMs: granted.waitedUs / 1000 });
        told.granted(this.slot.check, input);
        this.push({ type: "granted", slot: this.slot, check: this.slot.check });
      },
      denied: (raw) => {
        trace.set("bursar.result", "denied");
        trace.end();
        this.end(new Denied(known(raw)));
      },
      draining: (draining) => this.push({ type: "draining", finishByUs: draining.finishByUs }),
      reconnecting: (error) => this.push({ type: "reconnecting", error }),
      failed: (error) => {
        if (!this.slot) trace.end(error);
        this.end(error);
      },
    }, Math.min(caller.settings.timeoutMs, 20_000));
    options.signal?.addEventListener("abort", this.stop, { once: true });
  }

  private push(event: PoolEvent): void {
    this.events.push(event);
    this.wake?.();
  }

  private end(error: BursarError): void {
    if (this.failure) return;
    this.failure = error;
    if (this.slot && error.reason !== "ABORTED_BY_CALLER") this.events.push({ type: "lost", error });
    this.lost.abort(error);
    this.wake?.();
  }

  /** The next event; throws when there are no more. */
  async next(): Promise<PoolEvent> {
    for (;;) {
      const event = this.events.shift();
      if (event) return event;
      if (this.failure) throw this.failure;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  close(): void {
    this.options.signal?.removeEventListener("abort", this.stop);
    this.stream.close();
  }
}

export class Pool {
  readonly name: string;
  private readonly caller: Caller;
  private readonly recorder: Recorder;
  private readonly told: Told;

  /** @internal */
  constructor(name: string, caller: Caller, recorder: Recorder, told: Told) {
    this.name = name;
    this.caller = caller;
    this.recorder = recorder;
    this.told = told;
  }

  /**
   * The events of one acquisition: queued (at most once a second), granted, then draining, reconnecting or lost. Leaving the
   * loop gives the slot or the place back, and records what `slot.usage` was told; if that was nothing, the reservation stays
   * open for `record`. Throws Denied, or the error that ended it; `lost` comes before that.
   */
  async *acquire(input: CheckInput, options: AcquireOptions = {}): AsyncGenerator<PoolEvent, void, void> {
    const acquisition = new Acquisition(this.caller, this.recorder, this.name, input, options, this.told);

    try {
      for (;;) yield await acquisition.next();
    } finally {
      acquisition.close();
      if (acquisition.slot?.told) await acquisition.slot.finish();
    }
  }

  /**
   * Waits for a slot, runs `fn`, records what `slot.usage` was told (nothing: as it was estimated), and gives the slot back
   * whatever happens. When `fn` throws, the reservation is cancelled, unless usage was told. Throws Denied.
   */
  async run<T>(input: CheckInput, fn: (slot: Slot) => Promise<T> | T, options: PoolRunOptions = {}): Promise<T> {
    const acquisition = new Acquisition(this.caller, this.recorder, this.name, input, options, this.told);

    try {
      const slot = await granted(acquisition, options, this.recorder);
      void watch(acquisition, options, this.recorder);
      let result: T;
      try {
        result = await fn(slot);
      } catch (error) {
        acquisition.close();
        await slot.abandon();
        throw error;
      }
      acquisition.close();
      await slot.finish();
      return result;
    } finally {
      acquisition.close();
    }
  }
}

function tell(event: PoolEvent, options: PoolRunOptions, recorder: Recorder): void {
  try {
    if (event.type === "queued") options.onQueued?.(event);
    else if (event.type === "reconnecting") options.onReconnecting?.(event.error);
    else if (event.type === "draining") options.onDraining?.(event);
    else if (event.type === "lost") options.onLost?.(event.error);
  } catch (error) {
    recorder.failed(error as Error);
  }
}

async function granted(acquisition: Acquisition, options: PoolRunOptions, recorder: Recorder): Promise<HeldSlot> {
  for (;;) {
    const event = await acquisition.next();
    if (event.type === "granted") return acquisition.slot as HeldSlot;
    tell(event, options, recorder);
  }
}

/* Until the acquisition ends, which slot.signal says too. */
async function watch(acquisition: Acquisition, options: PoolRunOptions, recorder: Recorder): Promise<void> {
  try {
    for (;;) tell(await acquisition.next(), options, recorder);
  } catch {
    /* over */
  }
}
