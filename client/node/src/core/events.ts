/** What happened to users: a stream of events that is opened again when it breaks, behind what the application has dealt with. */
import { LimiterMethods, type AlertEvent as RawEvent, type EventsRequest } from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import type { Caller } from "./call.js";
import { BursarError, cancelled, isTransient } from "./errors.js";
import { pauseMs, sleep } from "./retry.js";

/* A server says every 15 s that there is nothing new. */
const SILENCE_MS = 45_000;

type Word<Name extends string, Prefix extends string> = Exclude<Lowercase<Name extends `${Prefix}${infer Rest}` ? Rest : never>, "unspecified">;
export type EventKind = Word<RawEvent["kind"], "ALERT_KIND_">;
export type EventSeverity = Word<RawEvent["severity"], "ALERT_SEVERITY_">;

export interface AlertEvent {
  /** Keep it when the event has been dealt with: `after` continues behind it. */
  cursor: number;
  kind: EventKind;
  severity: EventSeverity;
  /** The user whom it concerns; empty when it is another account. */
  user: string;
  /** user, team, org, model, tenant; empty when it concerns none. */
  accountKind: string;
  /** Its id; empty for shared accounts, unless the key may see names. */
  account: string;
  /** A sentence for people, in `language`. */
  text: string;
  atUs: number;
  /** Of a threshold: the limit, the threshold in percent, and what was used of how much. */
  limit: string;
  percent: number;
  used: number;
  amount: number;
  /** When the limit's window ends; 0 = there is none. */
  resetsAtUs: number;
  /** Of another tier: the former one and the new one. */
  before: string;
  after: string;
  /** The suspension was lifted. */
  lifted: boolean;
  /** As the server sent it, with every field. */
  raw: RawEvent;
}

export interface EventsOptions {
  /** The cursor of the last event that was dealt with. Without it: from now on. */
  after?: number | undefined;
  /** Without `after`: from the oldest event that the server keeps. */
  fromStart?: boolean | undefined;
  /** Default: threshold, projected, denial, suspended, tier. */
  kinds?: EventKind[] | undefined;
  /** Only this user's. */
  user?: string | undefined;
  tenant?: string | undefined;
  /** Of the texts; default: the client's, else the tenant's. */
  language?: string | undefined;
  /** Ends the loop, with an error. */
  signal?: AbortSignal | undefined;
  /** The stream is lost, and will be opened again. */
  onReconnecting?: ((error: BursarError) => void) | undefined;
}

const word = (name: string, prefix: string): string => (name.endsWith("_UNSPECIFIED") ? "" : name.slice(prefix.length).toLowerCase());

function toEvent(raw: RawEvent): AlertEvent {
  const accountKind = word(raw.accountKind, "ACCOUNT_KIND_");

  return {
    cursor: raw.cursor, kind: word(raw.kind, "ALERT_KIND_") as EventKind, severity: word(raw.severity, "ALERT_SEVERITY_") as EventSeverity,
    user: accountKind === "user" ? raw.account : "", accountKind, account: raw.account, text: raw.text, atUs: raw.atUs,
    limit: raw.limit, percent: raw.percent, used: raw.used, amount: raw.amount, resetsAtUs: raw.windowEndUs,
    before: raw.before, after: raw.after, lifted: raw.lifted, raw,
  };
}

/* Too many streams at one server: another one, or a later time, may do. */
const mayHelp = (error: unknown): error is BursarError =>
  isTransient(error) || (error instanceof BursarError && error.code === "RESOURCE_EXHAUSTED");

/** The messages of one stream. One that is silent for too long is given up. */
async function* messages(caller: Caller, request: Init<EventsRequest>, signal: AbortSignal | undefined) {
  const silent = new AbortController();
  const stop = () => silent.abort();
  const stream = caller.stream(LimiterMethods.events, request, { signal: silent.signal });

  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const timer = setTimeout(stop, SILENCE_MS);
      const result = await stream.next().finally(() => clearTimeout(timer));
      if (result.done) return;
      yield result.value;
    }
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal);
    if (silent.signal.aborted) throw new BursarError("UNAVAILABLE", "the server has been silent for too long", { cause: error });
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    await stream.return?.();
  }
}

export async function* events(caller: Caller, options: EventsOptions): AsyncGenerator<AlertEvent, void, void> {
  const { language, tenant } = caller.settings;
  const request: Init<EventsRequest> = {
    after: options.after ?? 0, fromStart: options.fromStart ?? false, user: options.user ?? "", tenant: options.tenant ?? tenant,
    language: options.language ?? language, kinds: (options.kinds ?? []).map((kind) => `ALERT_KIND_${kind.toUpperCase()}`) as RawEvent["kind"][],
  };
  let failures = 0;

  for (;;) {
    let lost = new BursarError("UNAVAILABLE", "the server ended the stream");
    try {
      for await (const message of messages(caller, request, options.signal)) {
        failures = 0;
        if (message.event) yield toEvent(message.event);
        /* The body of the loop has ended: the event has been dealt with. */
        request.after = message.cursor;
      }
    } catch (error) {
      if (caller.channels.closed) return;
      if (!mayHelp(error)) throw error;
      lost = error;
    }
    if (caller.channels.closed) return;
    options.onReconnecting?.(lost);
    await sleep(pauseMs(failures++, lost.retryAfterMs), options.signal);
  }
}
