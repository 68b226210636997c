/**
 * Records that no server could take: on disk, or in memory. They are delivered in order when a server answers again. One that
 * is delivered twice is harmless, because the same attempt of a request is charged once.
 */
import { RecordBatchRequestMessage, RecordBatchResponseMessage, RecordRequestMessage, type RecordRequest, type RecordResponse } from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import type { Channels } from "./channels.js";
import { decode, encode } from "./call.js";
import { BursarError, codeName } from "./errors.js";
import { nowUs } from "./ids.js";
import type { Settings } from "./options.js";
import { Ahead, type Flight } from "./ahead.js";
import { fileName, fromText, listFiles, readFile, removeFile, setAside, takeUpBatches, toText, writeFile } from "./spoolfile.js";

const BATCH = 100;
const PAUSES_MS = [50, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];
/* A record with one of these is never accepted, however often it is sent. */
const FINAL = new Set(["INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "FAILED_PRECONDITION", "OUT_OF_RANGE", "UNIMPLEMENTED"]);

interface Entry {
  name: string;
  bytes: number;
  /** In memory only. */
  request: Init<RecordRequest> | undefined;
  delivered: ((answer: RecordResponse) => void) | undefined;
  refused: ((error: BursarError) => void) | undefined;
}

/** Of onError: which record it is about. */
export class RecordError extends BursarError {
  readonly record: Init<RecordRequest> | undefined;

  constructor(error: BursarError, record: Init<RecordRequest> | undefined) {
    super(error.code, error.message, { field: error.field, reason: error.reason, fromServer: error.fromServer, cause: error });
    this.record = record;
  }
}

/** The same for a record and for what was remembered of it. */
function identity({ reservation, attempt }: Init<RecordRequest>): string {
  return `${reservation?.handle ?? `${reservation?.user}\n${reservation?.requestId}`}\n${attempt ?? 0}`;
}

export class Spool {
  private entries: Entry[] = [];
  private size = 0;
  private failures = 0;
  private draining: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly channels: Channels;
  private readonly settings: Settings;
  private readonly ahead: Ahead | undefined;
  private readonly remembered = new Map<string, Flight>();

  constructor(channels: Channels, settings: Settings) {
    this.channels = channels;
    this.settings = settings;
    const { directory } = settings.spool;
    if (directory) {
      listFiles(directory); /* makes it */
      this.ahead = new Ahead(directory, settings.onError);
      for (const { error, stays } of takeUpBatches(directory))
        settings.onError(new RecordError(new BursarError(stays ? "UNAVAILABLE" : "DATA_LOSS", error.message, { cause: error }), undefined));
      for (const file of listFiles(directory)) this.push({ ...file, request: undefined, delivered: undefined, refused: undefined });
      if (this.entries.length > 0) this.later(0);
    }
    channels.onUp(() => this.later(0));
  }

  /** Writes what is about to be sent, where there is a folder. */
  get writeAhead(): ((batch: Buffer, records: number) => Flight) | undefined {
    return this.ahead && ((batch, records) => this.ahead!.begin(batch, records));
  }

  /** A record that will be made later, of use that is known now. */
  remember(request: Init<RecordRequest>): void {
    const bytes = encode(RecordBatchRequestMessage, { items: [request] });

    this.forget(request);
    if (this.ahead) this.remembered.set(identity(request), this.ahead.begin(bytes, 1));
  }

  /** It is made: it is on disk by itself, or has arrived. */
  forget(request: Init<RecordRequest>): void {
    const key = this.remembered.size > 0 ? identity(request) : "";

    this.remembered.get(key)?.leave();
    this.remembered.delete(key);
  }

  get waiting(): number {
    return this.entries.length;
  }

  private push(entry: Entry): void {
    this.entries.push(entry);
    this.size += entry.bytes;
  }

  private drop(entry: Entry): void {
    const at = this.entries.indexOf(entry);

    if (at < 0) return;
    this.entries.splice(at, 1);
    this.size -= entry.bytes;
  }

  /** Keeps a record; on disk when this returns. The promise is that of its delivery. Throws when the spool is full. */
  add(request: Init<RecordRequest>, requestId: string): Promise<RecordResponse> {
    const { directory, records, bytes } = this.settings.spool;
    const text = toText(request);
    const entry: Entry = {
      name: fileName(nowUs(), requestId, request.attempt ?? 0), bytes: Buffer.byteLength(text), request: directory ? undefined : request,
      delivered: undefined, refused: undefined,
    };

    if (this.entries.length >= records || this.size + entry.bytes > bytes) {
      throw new RecordError(new BursarError("RESOURCE_EXHAUSTED", "the spool is full: the record is not kept", { reason: "SPOOL_FULL" }), request);
    }
    if (directory) writeFile(directory, entry.name, text);
    this.push(entry);
    const delivery = new Promise<RecordResponse>((resolve, reject) => {
      entry.delivered = resolve;
      entry.refused = reject;
    });
    delivery.catch(() => {}); /* onError has been told */
    this.later(this.failures);
    return delivery;
  }

  private later(failures: number, atLeastMs = 0): void {
    if (this.channels.closed || (this.timer && failures > 0)) return;
    clearTimeout(this.timer);
    this.failures = failures;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.drain();
    }, failures === 0 ? 0 : Math.max(atLeastMs, PAUSES_MS[Math.min(failures - 1, PAUSES_MS.length - 1)] as number));
    this.timer.unref();
  }

  /** Tries once to deliver everything. */
  drain(): Promise<void> {
    return (this.draining ??= this.deliverAll().finally(() => {
      this.draining = undefined;
    }));
  }

  private async deliverAll(): Promise<void> {
    while (this.entries.length > 0) {
      let left: number;
      try {
        left = await this.deliver(this.entries.slice(0, BATCH));
      } catch (error) {
        if (error instanceof BursarError && error.fromServer && error.code !== "UNAVAILABLE") this.settings.onError(error);
        return this.later(this.failures + 1, error instanceof BursarError ? error.retryAfterMs : 0);
      }
      if (left > 0) return this.later(this.failures + 1);
      this.failures = 0;
    }
  }

  /* Of the answers, returns how many ask to be sent again. */
  private async deliver(entries: Entry[]): Promise<number> {
    const readable = entries.map((entry) => ({ entry, request: this.read(entry) })).filter((one) => one.request !== undefined);

    if (readable.length === 0) return 0;
    const link = this.channels.pick();
    if (!link) throw this.channels.noServer();
    const bytes = encode(RecordBatchRequestMessage, { items: readable.map((one) => one.request) as Init<RecordRequest>[] });
    const answer = decode(RecordBatchResponseMessage, await link.unary("/bursar.v1.Limiter/RecordBatch", bytes, { deadline: Date.now() + this.settings.timeoutMs }));
    let left = 0;
    readable.forEach(({ entry, request }, i) => {
      const item = answer.items[i];
      if (item?.response) return this.done(entry, item.response);
      const error = new BursarError(codeName(item?.error?.code ?? 13), item?.error?.message ?? "the answer has no such item", { field: item?.error?.field ?? "", fromServer: true });
      if (FINAL.has(error.code)) this.refuse(entry, "refused", error, request);
      else left++;
    });
    return left;
  }

  private read(entry: Entry): Init<RecordRequest> | undefined {
    if (entry.request) return entry.request;
    try {
      const text = readFile(this.settings.spool.directory as string, entry.name);
      if (text === undefined) {
        this.drop(entry); /* another process has delivered it */
        return undefined;
      }
      const request = fromText(text);
      encode(RecordRequestMessage, request);
      return request;
    } catch (error) {
      this.refuse(entry, "bad", new BursarError("DATA_LOSS", `${entry.name}: ${(error as Error).message}`, { cause: error }), undefined);
      return undefined;
    }
  }

  private done(entry: Entry, answer: RecordResponse): void {
    this.drop(entry);
    if (this.settings.spool.directory) this.onDisk(() => removeFile(this.settings.spool.directory as string, entry.name));
    entry.delivered?.(answer);
  }

  private refuse(entry: Entry, why: "refused" | "bad", error: BursarError, request: Init<RecordRequest> | undefined): void {
    this.drop(entry);
    if (this.settings.spool.directory) this.onDisk(() => setAside(this.settings.spool.directory as string, entry.name, why));
    const failure = new RecordError(error, request);
    this.settings.onError(failure);
    entry.refused?.(failure);
  }

  private onDisk(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.settings.onError(error as Error);
    }
  }

  /** Tries once more; what is only in memory and stays undelivered is handed to onError. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    if (this.entries.length > 0) await this.drain();
    clearTimeout(this.timer);
    for (const entry of this.entries) {
      if (!entry.request) continue;
      const error = new RecordError(new BursarError("UNAVAILABLE", "the client was closed before the record could be delivered", { reason: "NOT_DELIVERED" }), entry.request);
      this.settings.onError(error);
      entry.refused?.(error);
    }
    this.entries = this.entries.filter((entry) => !entry.request);
  }
}
