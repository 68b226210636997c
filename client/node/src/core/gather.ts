/**
 * Gathers calls that meet into one batch. A call that meets none goes alone, at the end of the turn of the loop; while one is
 * in flight, those that come are sent together after `delayMs`, or when it is answered, or when there are `items`.
 */
import type { Message } from "../wire/message.js";
import { BursarError, cancelled, codeName } from "./errors.js";
import type { Channels, Link } from "./channels.js";
import type { Flight } from "./ahead.js";
import { decode, type Method } from "./call.js";

interface Item<Res> {
  bytes: Buffer;
  deadline: number;
  signal: AbortSignal | undefined;
  traceparent: string | undefined;
  timer: NodeJS.Timeout | undefined;
  stop: (() => void) | undefined;
  settled: boolean;
  resolve: (answer: Res) => void;
  reject: (error: unknown) => void;
  /** The answer came when nobody waited for it any more. */
  orphaned: ((answer: Res) => void) | undefined;
  written: ((flight: Flight) => void) | undefined;
}

interface BatchAnswer<Res> {
  items: { response?: Res; error?: { code: number; message: string; field: string } }[];
}

export interface Submission<Res> {
  deadline: number;
  signal?: AbortSignal | undefined;
  traceparent?: string | undefined;
  orphaned?: (answer: Res) => void;
  /** It is on disk, about to be sent, if the gatherer writes; absent: it is there already. */
  written?: ((flight: Flight) => void) | undefined;
}

/** Writes a batch of so many items before it is sent. */
export type WriteAhead = (batch: Buffer, items: number) => Flight;

/* `items` is the field 1 of both batches. */
const ITEM_TAG = 10;

/** The batch request of these items. */
export function batchBytes(items: readonly { bytes: Buffer }[]): Buffer {
  const parts: Buffer[] = [];

  for (const { bytes } of items) {
    const head = [ITEM_TAG];
    let size = bytes.length;
    while (size > 127) {
      head.push((size & 127) | 128);
      size >>>= 7;
    }
    head.push(size);
    parts.push(Buffer.from(head), bytes);
  }
  return Buffer.concat(parts);
}

export class Gatherer<Res extends object> {
  private queue: Item<Res>[] = [];
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private outstanding = 0;
  private readonly channels: Channels;
  private readonly single: Method<any, Res>;
  private readonly batch: { path: string; answer: Message<any> };
  private readonly limits: { delayMs: number; items: number; attemptMs: number };
  private readonly writeAhead: WriteAhead | undefined;

  constructor(channels: Channels, single: Method<any, Res>, batch: { path: string; answer: Message<any> },
    limits: { delayMs: number; items: number; attemptMs: number }, writeAhead?: WriteAhead) {
    this.channels = channels;
    this.single = single;
    this.batch = batch;
    this.limits = limits;
    this.writeAhead = writeAhead;
  }

  /** One attempt of a call, already encoded. */
  submit(bytes: Buffer, submission: Submission<Res>): Promise<Res> {
    return new Promise((resolve, reject) => {
      const item: Item<Res> = {
        bytes, deadline: submission.deadline, signal: submission.signal, traceparent: submission.traceparent,
        timer: undefined, stop: undefined, settled: false, resolve, reject, orphaned: submission.orphaned,
        written: submission.written,
      };
      if (item.signal) this.watch(item, item.signal);
      if (item.settled) return;
      this.queue.push(item);
      if (this.queue.length >= this.limits.items) this.flush();
      else this.schedule();
    });
  }

  private watch(item: Item<Res>, signal: AbortSignal): void {
    item.stop = () => {
      this.queue = this.queue.filter((other) => other !== item);
      this.fail(item, cancelled(signal));
    };
    if (signal.aborted) item.stop();
    else signal.addEventListener("abort", item.stop, { once: true });
  }

  private schedule(): void {
    if (this.immediate) return;
    if (this.outstanding === 0) this.immediate = setImmediate(() => this.flush());
    else if (!this.timer) this.timer = setTimeout(() => this.flush(), this.limits.delayMs);
  }

  /** Sends what has been gathered. */
  flush(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = this.immediate = undefined;
    while (this.queue.length > 0) this.send(this.queue.splice(0, this.limits.items));
  }

  private send(items: Item<Res>[]): void {
    const link = this.channels.pick();

    if (!link) {
      for (const item of items) this.fail(item, this.channels.noServer());
      return;
    }
    const until = Date.now() + this.limits.attemptMs;
    let deadline = 0;
    for (const item of items) {
      deadline = Math.max(deadline, Math.min(item.deadline, until));
      if (item.deadline < until && items.length > 1) this.expire(item);
    }
    this.write(items);
    this.outstanding++;
    this.call(link, items, deadline).catch((error: unknown) => {
      for (const item of items) this.fail(item, error);
    }).finally(() => {
      this.outstanding--;
      if (this.outstanding === 0 && this.queue.length > 0 && !this.immediate) {
        clearTimeout(this.timer);
        this.timer = undefined;
        this.schedule();
      }
    });
  }

  private write(items: Item<Res>[]): void {
    const fresh = this.writeAhead ? items.filter((item) => item.written) : [];

    if (fresh.length === 0) return;
    const flight = this.writeAhead!(batchBytes(fresh), fresh.length);
    for (const item of fresh) item.written!(flight);
  }

  /* An item whose own deadline is before that of the batch. */
  private expire(item: Item<Res>): void {
    item.timer = setTimeout(() => this.fail(item, new BursarError("DEADLINE_EXCEEDED", "no answer in time")), Math.max(0, item.deadline - Date.now()));
  }

  private async call(link: Link, items: Item<Res>[], deadline: number): Promise<void> {
    const traceparent = items.find((item) => item.traceparent)?.traceparent;
    const metadata = traceparent ? { traceparent } : undefined;

    if (items.length === 1) {
      const item = items[0] as Item<Res>;
      this.settle(item, decode(this.single.answer, await link.unary(this.single.path, item.bytes, { deadline, metadata })));
      return;
    }
    const answer = decode<BatchAnswer<Res>>(this.batch.answer, await link.unary(this.batch.path, batchBytes(items), { deadline, metadata }));
    for (let i = 0; i < items.length; i++) this.settleFrom(items[i] as Item<Res>, answer.items[i]);
  }

  private settleFrom(item: Item<Res>, part: BatchAnswer<Res>["items"][number] | undefined): void {
    if (part?.response) return this.settle(item, part.response);
    if (part?.error) {
      const { code, message, field } = part.error;
      const text = field && !message.startsWith(field) ? `${field}: ${message}` : message;
      return this.fail(item, new BursarError(codeName(code), text, { field, fromServer: true }));
    }
    this.fail(item, new BursarError("INTERNAL", "the answer to the batch has no such item", { fromServer: true }));
  }

  private release(item: Item<Res>): boolean {
    if (item.settled) return false;
    item.settled = true;
    if (item.timer) clearTimeout(item.timer);
    if (item.stop) item.signal?.removeEventListener("abort", item.stop);
    return true;
  }

  private settle(item: Item<Res>, answer: Res): void {
    if (this.release(item)) item.resolve(answer);
    else item.orphaned?.(answer);
  }

  private fail(item: Item<Res>, error: unknown): void {
    if (this.release(item)) item.reject(error);
  }
}
