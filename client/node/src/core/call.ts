/** Calls that go alone: encoded once, sent until a server has answered. */
import { FieldError } from "../wire/field_error.js";
import type { Init, Message } from "../wire/message.js";
import { BursarError, cancelled } from "./errors.js";
import type { Channels } from "./channels.js";
import type { Settings } from "./options.js";
import { retrying } from "./retry.js";

/** What every call takes besides its request. */
export interface CallOptions {
  /** Cancels the call. */
  signal?: AbortSignal | undefined;
  /** In place of the client's. */
  timeoutMs?: number | undefined;
  /** Metadata of gRPC, such as `if-match`. */
  metadata?: Record<string, string> | undefined;
}

export interface Method<Req extends object, Res extends object> {
  path: string;
  request: Message<Req>;
  answer: Message<Res>;
  stream: boolean;
}

/** How a call is made. */
export interface How {
  /** By the first server that answers, not in turn: a server knows its own changes at once, and those of others within a second. */
  first?: boolean;
  /** Not again once it was sent: a second one would make a second thing. */
  once?: boolean;
}

export function encode<T extends object>(message: Message<T>, value: Init<T>): Buffer {
  try {
    return message.encode(value);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new BursarError("INVALID_ARGUMENT", error.field ? `${error.field}: ${error.message}` : error.message, { field: error.field, cause: error });
  }
}

export function decode<T extends object>(message: Message<T>, bytes: Buffer): T {
  try {
    return message.decode(bytes);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new BursarError("INTERNAL", `the server's answer cannot be read: ${error.field}: ${error.message}`, { field: error.field, fromServer: true, cause: error });
  }
}

export class Caller {
  readonly channels: Channels;
  readonly settings: Settings;

  constructor(channels: Channels, settings: Settings) {
    this.channels = channels;
    this.settings = settings;
  }

  async unary<Req extends object, Res extends object>(method: Method<Req, Res>, request: Init<Req>, options: CallOptions = {}, how: How = {}): Promise<Res> {
    const bytes = encode(method.request, request);
    const deadline = Date.now() + (options.timeoutMs ?? this.settings.timeoutMs);
    const answer = await retrying(this.channels, { deadline, attempts: this.settings.attempts, signal: options.signal, once: how.once }, (attempt) => {
      const link = how.first ? this.channels.first() : this.channels.pick();
      if (!link) throw this.channels.noServer();
      const metadata = attempt ? { ...options.metadata, "bursar-attempt": "again" } : options.metadata;
      return link.unary(method.path, bytes, { deadline: Math.min(deadline, Date.now() + this.settings.attemptMs), signal: options.signal, metadata });
    });
    return decode(method.answer, answer);
  }

  /** A stream of the server's. It is not opened again when it breaks: the loop ends with the error. */
  async *stream<Req extends object, Res extends object>(method: Method<Req, Res>, request: Init<Req>, options: CallOptions = {}): AsyncIterableIterator<Res> {
    const bytes = encode(method.request, request);
    const messages: Buffer[] = [];
    let ended = false;
    let failure: BursarError | undefined;
    let wake: () => void = () => {};
    await this.channels.whenUp(Date.now() + (options.timeoutMs ?? this.settings.timeoutMs), options.signal);
    const link = this.channels.pick();
    if (!link) throw this.channels.noServer();
    const call = link.stream(method.path, bytes, options.metadata, (message) => {
      messages.push(message);
      if (messages.length >= 16) call.pause(); /* a slow reader slows the server down */
      wake();
    }, (error) => {
      ended = true;
      failure = error;
      wake();
    });
    const stop = () => {
      call.cancel();
      ended = true;
      failure = cancelled(options.signal as AbortSignal);
      wake();
    };
    options.signal?.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        const message = messages.shift();
        if (message) yield decode(method.answer, message);
        else if (ended) break;
        else {
          call.resume();
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
      if (failure) throw failure;
    } finally {
      options.signal?.removeEventListener("abort", stop);
      call.cancel();
    }
  }
}

