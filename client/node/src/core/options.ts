/** What a client is made with. */
import { readAddresses } from "./address.js";
import { BursarError } from "./errors.js";
import type { LimitStatus } from "../gen/bursar.js";

export interface TlsOptions {
  /** Path of a PEM file with the roots, or "system" for those that Node trusts. */
  ca: string;
  /** Paths of the client's own certificate and key: both or neither. */
  cert?: string;
  key?: string;
}

/** What a check answers when no server did: nothing may run, everything may, or so much a user in this process. */
export type FailPolicy = "closed" | "open" | { share: { requestsPerMinute: number } };

export interface SpoolOptions {
  /** A folder of this application's; processes may share it. Without one, records wait in memory. */
  directory?: string;
  /** At most so many records wait; default 10,000, in memory 1,000. */
  records?: number;
  /** At most so many bytes wait; default 64 MiB. */
  bytes?: number;
}

export interface BursarOptions {
  /** host, host:port, [IPv6]:port or unix:/path; several as an array or separated by commas. Default: BURSAR_ADDR, or 127.0.0.1; the default port is 7420. */
  address?: string | string[];
  /** An API key (bsk_...). Default: BURSAR_KEY. */
  key?: string;
  /** With it the connection is encrypted. */
  tls?: TlsOptions;
  /** How long a call may take with all its attempts; default 10,000. */
  timeoutMs?: number;
  /** How long one attempt may take; default 2,000. */
  attemptMs?: number;
  /** How often a call is sent at most that servers do not answer well; default 4. Waiting for a server to come back is not an attempt. */
  attempts?: number;
  /** Checks and records that meet are sent as one call; default within 1 ms, up to 100. False: each goes alone. */
  gather?: { delayMs?: number; items?: number } | false;
  /** Default "closed". Only for servers that do not answer: what a server says counts. */
  fail?: FailPolicy;
  /** When `fail` decides; default 2,000, and `timeoutMs` when it is "closed". Also how long `record` waits before it leaves a record to the spool (2,000). */
  failAfterMs?: number;
  /**
   * How long what a request holds stays held after this process has died; default 60,000. Reservations are extended while the process
   * lives. 0: they are not, and each lasts for 15 minutes, or as long as its check says.
   */
  orphanMs?: number;
  /** Where records wait that cannot be delivered, and those that are on their way. Default: in memory. */
  spool?: SpoolOptions;
  /** Defaults of every check. */
  interface?: string;
  language?: string;
  tenant?: string;
  /** What nobody waits for: records that were refused, files that cannot be read. Must not throw. */
  onError?: (error: Error) => void;
  /** A limit has reached its warning for the first time in its window: tell the user. */
  onWarning?: (limit: LimitStatus) => void;
}

export interface Settings {
  addresses: string[];
  key: string;
  tls: TlsOptions | undefined;
  timeoutMs: number;
  attemptMs: number;
  attempts: number;
  gather: { delayMs: number; items: number };
  fail: FailPolicy;
  failAfterMs: number;
  recordWaitMs: number;
  orphanMs: number;
  spool: { directory: string | undefined; records: number; bytes: number };
  interface: string;
  language: string;
  tenant: string;
  onError: (error: Error) => void;
  onWarning: (limit: LimitStatus) => void;
}

function invalid(field: string, message: string): BursarError {
  return new BursarError("INVALID_ARGUMENT", `${field}: ${message}`, { field });
}

function readKey(given: string | undefined): string {
  const key = given ?? process.env["BURSAR_KEY"] ?? "";

  if (!/^[!-~]*$/.test(key)) throw invalid("key", "is not an API key: pass the line that 'bursar key create' printed, beginning with bsk_");
  return key;
}

function positive(field: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (!(Number.isFinite(value) && value > 0)) throw invalid(field, `${value} is not above 0`);
  return value;
}

function readOrphan(ms = 60_000): number {
  if (ms !== 0 && !(ms >= 1_000)) throw invalid("orphanMs", `${ms} is not 0, and not 1,000 or more`);
  return ms;
}

function readFail(fail: FailPolicy | undefined): FailPolicy {
  if (fail === undefined) return "closed";
  if (fail === "closed" || fail === "open") return fail;
  positive("fail.share.requestsPerMinute", fail.share?.requestsPerMinute ?? NaN, 0);
  return fail;
}

/* An application's callback must not break the client. */
function guarded<T>(callback: ((value: T) => void) | undefined): (value: T) => void {
  return (value) => {
    try {
      callback?.(value);
    } catch {
      /* nothing to tell it to */
    }
  };
}

export function readOptions(options: BursarOptions): Settings {
  const timeoutMs = positive("timeoutMs", options.timeoutMs, 10_000);
  const fail = readFail(options.fail);
  const failAfterMs = positive("failAfterMs", options.failAfterMs, fail === "closed" ? timeoutMs : 2_000);
  const gather = options.gather === false ? { delayMs: 0, items: 1 } : { delayMs: 1, items: 100, ...options.gather };
  const { spool } = options;

  if (!(Number.isInteger(gather.items) && gather.items >= 1 && gather.items <= 1000)) throw invalid("gather.items", "is not between 1 and 1,000");
  return {
    addresses: readAddresses(options.address), key: readKey(options.key), tls: options.tls, timeoutMs,
    attemptMs: positive("attemptMs", options.attemptMs, 2_000), attempts: positive("attempts", options.attempts, 4),
    gather, fail, failAfterMs: Math.min(failAfterMs, timeoutMs), recordWaitMs: Math.min(options.failAfterMs ?? 2_000, timeoutMs),
    orphanMs: readOrphan(options.orphanMs),
    spool: {
      directory: spool?.directory,
      records: positive("spool.records", spool?.records, spool?.directory ? 10_000 : 1_000),
      bytes: positive("spool.bytes", spool?.bytes, 64 * 1024 * 1024),
    },
    interface: options.interface ?? "", language: options.language ?? "", tenant: options.tenant ?? "",
    onError: guarded(options.onError), onWarning: guarded(options.onWarning),
  };
}
