/**
 * A slot of a pool. When its stream breaks, the next one finds the place or the lease again by the request id, on the next
 * server that answers.
 */
import {
  AcquireRequestMessage, AcquireResponseMessage, LimiterMethods, type AcquireRequest, type AcquireResponse, type CheckResponse, type Draining, type Granted, type Queued,
} from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import { decode, encode, type Caller } from "./call.js";
import type { StreamCall } from "./channels.js";
import { BursarError, isTransient } from "./errors.js";
import { pauseMs } from "./retry.js";

/* How much earlier than the store the holder gives up a lease that cannot be renewed. */
const MARGIN_MS = 2_000;

export interface SlotEvents {
  queued(queued: Queued, check: CheckResponse | undefined): void;
  granted(granted: Granted, check: CheckResponse): void;
  denied(check: CheckResponse): void;
  draining(draining: Draining): void;
  reconnecting(error: BursarError): void;
  /** The end that was not asked for. */
  failed(error: BursarError): void;
}

export class SlotStream {
  /** 0n = not granted. */
  fence = 0n;
  lease = "";
  private leaseMs = 0;
  private check: CheckResponse | undefined;
  private stream: StreamCall | undefined;
  private brokenAt = 0;
  private failures = 0;
  private done = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly bytes: Buffer;
  private readonly caller: Caller;
  private readonly events: SlotEvents;
  private readonly patienceMs: number;
  private readonly stopWaiting = new AbortController();

  constructor(caller: Caller, request: Init<AcquireRequest>, events: SlotEvents, patienceMs: number) {
    this.caller = caller;
    this.events = events;
    this.patienceMs = patienceMs;
    this.bytes = encode(AcquireRequestMessage, request);
    this.connect();
  }

  /* How long the place or the lease survives without a server. */
  private get survivesMs(): number {
    return this.fence ? this.leaseMs - MARGIN_MS : this.patienceMs;
  }

  private connect(): void {
    if (this.done) return;
    const link = this.caller.channels.pick();
    if (!link) return void this.waitForServer();
    this.stream = link.stream("/bursar.v1.Limiter/Acquire", this.bytes, undefined, (bytes) => this.onMessage(bytes), (error) => this.onEnd(error));
  }

  private waitForServer(): Promise<void> {
    if (!this.brokenAt) this.brokenAt = Date.now();
    return this.caller.channels.whenUp(this.brokenAt + this.survivesMs, this.stopWaiting.signal).then(() => this.connect(), (error: BursarError) => this.giveUp(error));
  }

  private onMessage(bytes: Buffer): void {
    let response: AcquireResponse;

    if (this.done) return;
    try {
      response = decode(AcquireResponseMessage, bytes);
    } catch (error) {
      return this.fail(error as BursarError);
    }
    clearTimeout(this.timer);
    this.brokenAt = 0;
    this.failures = 0;
    this.check ??= response.check;
    if (response.denied) {
      this.end();
      this.events.denied(this.check as CheckResponse);
    } else if (response.queued) {
      if (!this.fence) this.events.queued(response.queued, this.check);
    } else if (response.granted) {
      this.onGranted(response.granted);
    } else if (response.draining) {
      this.events.draining(response.draining);
    }
  }

  private onGranted(granted: Granted): void {
    const first = this.fence === 0n;

    this.leaseMs = granted.leaseUs / 1000;
    if (!first && this.fence !== granted.fence) {
      /* Another lease: the one that the caller works under was lost meanwhile. */
      return this.fail(new BursarError("ABORTED", "the lease is lost: the slot was given to another request meanwhile", { reason: "LEASE_LOST" }));
    }
    this.fence = granted.fence;
    this.lease = granted.lease;
    if (first) this.events.granted(granted, this.check as CheckResponse);
  }

  private onEnd(error?: BursarError): void {
    this.stream = undefined;
    if (this.done) return;
    const failure = error ?? new BursarError("UNAVAILABLE", "the server ended the stream");
    if (!isTransient(failure)) return this.fail(failure);
    if (this.caller.channels.closed) return this.giveUp(this.caller.channels.noServer());
    if (!this.brokenAt) this.brokenAt = Date.now();
    const pause = pauseMs(this.failures++, failure.retryAfterMs);
    if (Date.now() + pause - this.brokenAt >= this.survivesMs) return this.giveUp(failure);
    this.events.reconnecting(failure);
    /* A stream that looks alive may still be waiting for a connection: only a message ends this clock. */
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.giveUp(failure), this.brokenAt + this.survivesMs - Date.now());
    setTimeout(() => this.connect(), pause);
  }

  private giveUp(error: BursarError): void {
    if (this.done) return;
    if (this.fence) this.fail(new BursarError("ABORTED", "the lease is lost: no server renewed it in time", { reason: "LEASE_LOST", cause: error }));
    else this.fail(error);
  }

  private fail(error: BursarError): void {
    if (this.done) return;
    this.end();
    this.events.failed(error);
  }

  private end(): void {
    this.done = true;
    clearTimeout(this.timer);
    this.stopWaiting.abort();
    this.stream?.cancel();
    this.stream = undefined;
  }

  /** Gives the slot or the place back. */
  close(): void {
    if (this.done) return;
    const connected = this.stream !== undefined && this.brokenAt === 0;
    this.end();
    /* A server that died did not release the lease when its stream ended. */
    if (!connected && this.lease) this.caller.unary(LimiterMethods.release, { lease: this.lease }).catch(() => {});
  }
}
