/** Checks: what a caller asks, and what it is told. */
import type { CheckRequest, CheckResponse, ExpectedUse, LimitStatus, Reason, Quality, Tell } from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import type { Settings } from "./options.js";
import { firstTtlMs } from "./keeper.js";
import { newRequestId } from "./ids.js";

export interface CheckInput {
  /** Required: whose limits count. */
  user: string;
  model?: string | undefined;
  /** Estimated; all kinds of input together. */
  inputTokens?: number | undefined;
  /** The most that the model may answer; 0 = the tier's default. */
  maxOutputTokens?: number | undefined;
  /** How many of inputTokens the provider will probably read from its cache. */
  cachedInputTokens?: number | undefined;
  /** How the request is bought: "batch", "flex", "priority". */
  mode?: string | undefined;
  /** Of the texts for the user. */
  language?: string | undefined;
  interface?: string | undefined;
  tenant?: string | undefined;
  /** Makes the check safe to repeat; default: 32 random hex digits. */
  requestId?: string | undefined;
  /** Searches, images and the like that the request will use at most. */
  expected?: Init<ExpectedUse>[] | undefined;
  /** Answers every limit, and the headers. */
  verbose?: boolean | undefined;
  /** Answers the headers also when the request is allowed. */
  headers?: boolean | undefined;
  /** How long the reservation lasts without a record; default 15 min, and less if this process dies (`orphanMs`). */
  reservationTtlMs?: number | undefined;
  /** Where a denial would be told to the user, e.g. the id of a chat: asks whether to tell it (`tell` of the answer). */
  tellPlace?: string | undefined;
  /** After this time a denial is told again there; default: once the request could pass, but after a minute to an hour. At least 1,000. */
  tellAgainMs?: number | undefined;
  /** Records the request at once, with inputTokens and maxOutputTokens as its use. */
  settle?: boolean | undefined;
}

/** Why a check was denied. Empty when it was allowed. */
export type ReasonName = "" | Exclude<Lowercase<Reason extends `REASON_${infer R}` ? R : never>, "unspecified">;
/** How good the answer is; "none" when this client's fail policy decided because no server answered. */
export type QualityName = "none" | Exclude<Lowercase<Quality extends `QUALITY_${infer Q}` ? Q : never>, "unspecified">;

/** Is a denial to be told? Of all processes that ask, one is answered "now". Empty: not asked, or no server knows. */
export type TellName = "" | Exclude<Lowercase<Tell extends `TELL_${infer T}` ? T : never>, "unspecified">;

/** The answer to a check. */
export interface Check {
  allowed: boolean;
  user: string;
  tenant: string;
  model: string;
  interface: string;
  requestId: string;
  /** The handle for record and cancel; empty when it was denied or nothing is held. */
  reservation: string;
  startedAtUs: number;
  /** For the user: what was refused, for how long, what an upgrade would give. Empty when it was allowed. */
  message: string;
  /** 0 when it was allowed, or when waiting does not help. */
  retryAfterMs: number;
  /** Waiting does not help. */
  permanent: boolean;
  reason: ReasonName;
  /** With `tellPlace`: is this denial to be told to the user? */
  tell: TellName;
  tier: string;
  quality: QualityName;
  /** For the bot's own HTTP answer. */
  headers: Record<string, string>;
  /** Failed limits and warnings; all with `verbose`. */
  limits: LimitStatus[];
  /** The failed limit that recovers last. */
  binding: LimitStatus | undefined;
  /** Warnings to tell the user now: each once in its window. */
  notify: LimitStatus[];
  heldTokens: number;
  heldCostNanoUsd: number;
  /** What the check estimated: a record without a reservation that tells nothing is charged so. */
  estimate: { inputTokens: number; outputTokens: number };
  /** The model has no price of its own. */
  unpriced: boolean;
  /** The same request id was allowed before: nothing was counted again. */
  repeat: boolean;
  /** The check had to be sent more than once, so `repeat` may refer to itself. */
  retried: boolean;
  /** Not decided on the true state of the limits: quality is "local", "blind" or "none". */
  degraded: boolean;
  /** The server's answer as it came; undefined when none did. */
  raw: CheckResponse | undefined;
}

/** Fills in the client's defaults and the request id. */
export function checkRequest(input: CheckInput, settings: Settings): Init<CheckRequest> & { requestId: string; user: string } {
  const request = {} as Record<string, unknown>;

  /* One by one: copying with `...` and leaving out a member takes V8 several microseconds. */
  for (const name in input) {
    if (name !== "reservationTtlMs" && name !== "tellAgainMs") request[name] = (input as unknown as Record<string, unknown>)[name];
  }
  if (input.tellAgainMs) request["tellAgainUs"] = Math.round(input.tellAgainMs * 1000);
  request["tenant"] ??= settings.tenant;
  request["interface"] ??= settings.interface;
  request["language"] ??= settings.language;
  if (!input.requestId) {
    request["requestId"] = newRequestId();
    request["requestIdIsNew"] = true;
  }
  const ttlMs = firstTtlMs(settings.orphanMs, input.reservationTtlMs);
  if (ttlMs) request["reservationTtlUs"] = Math.round(ttlMs * 1000);
  return request as Init<CheckRequest> & { requestId: string; user: string };
}

const lower = <T extends string>(name: string, prefix: string): T => {
  const word = name.startsWith(prefix) ? name.slice(prefix.length).toLowerCase() : name;
  return (word === "unspecified" ? "" : word) as T;
};

const NO_LIMITS: LimitStatus[] = [];

export function estimateOf(request: Init<CheckRequest>): Check["estimate"] {
  return { inputTokens: request.inputTokens ?? 0, outputTokens: request.maxOutputTokens ?? 0 };
}

export function toCheck(request: Init<CheckRequest> & { user: string }, raw: CheckResponse, retried = false): Check {
  const quality = lower<QualityName>(raw.quality, "QUALITY_") || "exact";
  const headers: Record<string, string> = {};

  for (const header of raw.headers) headers[header.name] = header.value;
  return {
    allowed: raw.allowed, user: request.user, tenant: request.tenant ?? "", model: request.model ?? "", interface: request.interface ?? "",
    requestId: raw.requestId, reservation: raw.reservation, startedAtUs: raw.startedAtUs, message: raw.message,
    retryAfterMs: Math.ceil(raw.retryAfterUs / 1000), permanent: raw.permanent, reason: lower<ReasonName>(raw.reason, "REASON_"),
    tell: raw.tell ? lower<TellName>(raw.tell, "TELL_") : "",
    tier: raw.tier, quality, headers, limits: raw.limits, binding: raw.binding,
    notify: raw.limits.length ? raw.limits.filter((limit) => limit.notify) : NO_LIMITS.slice(),
    heldTokens: raw.heldTokens, heldCostNanoUsd: raw.heldCostNanoUsd, estimate: estimateOf(request), unpriced: raw.unpriced, repeat: raw.repeat, retried,
    degraded: quality === "local" || quality === "blind", raw,
  };
}
