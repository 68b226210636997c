/** Records: what a caller tells about a request that ran, and what it cost. */
import type { CostBreakdown, LimitStatus, RecordRequest, RecordResponse, ReservationRef } from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import type { Check } from "./check.js";
import { BursarError } from "./errors.js";
import { newRequestId, nowUs } from "./ids.js";
import type { Settings } from "./options.js";
import { usageFields, type RecordInput } from "./usage.js";

/** Which request: the answer of its check, or the handle in it, or what identifies one that no server checked. */
export type RecordTarget =
  | Check
  | { reservation: string }
  | { user: string; requestId?: string; startedAtUs?: number; tenant?: string; model?: string; interface?: string };

export interface RecordResult {
  requestId: string;
  /** 0 while it is queued. */
  costNanoUsd: number;
  cost: CostBreakdown | undefined;
  tokens: number;
  /** This attempt had been recorded before: nothing was charged again. */
  repeat: boolean;
  /** The reservation had expired, or there was none. */
  late: boolean;
  /** Charged as the reservation estimated. */
  estimated: boolean;
  /** What was wrong with the provider's usage; empty = nothing. */
  usageProblem: string;
  /** Warnings to tell the user now. */
  notify: LimitStatus[];
  /** No server could be reached: it waits in the spool, and is sent when one is back. */
  queued: boolean;
  raw: RecordResponse | undefined;
}

interface Target {
  ref: Init<ReservationRef>;
  requestId: string;
  model?: string | undefined;
  interface?: string | undefined;
  estimate?: Check["estimate"] | undefined;
}

export function readTarget(target: RecordTarget, settings: Settings): Target {
  const given = target as Partial<Check>;

  if (given.reservation) return { ref: { handle: given.reservation }, requestId: given.requestId ?? "" };
  if (!given.user) throw new BursarError("INVALID_ARGUMENT", "user: is required where there is no reservation", { field: "user" });
  const requestId = given.requestId || newRequestId();
  return {
    ref: { tenant: given.tenant || settings.tenant, user: given.user, requestId, startedAtUs: given.startedAtUs || nowUs() },
    requestId, model: given.model, interface: given.interface || settings.interface, estimate: given.estimate,
  };
}

export function recordRequest(target: RecordTarget, input: RecordInput, settings: Settings): { request: Init<RecordRequest>; requestId: string } {
  const { ref, requestId, model, interface: from, estimate } = readTarget(target, settings);
  /* Without a reservation the server knows no estimate. */
  const told = input.usage || input.providerUsage !== undefined || !estimate ? input : { ...input, usage: estimate };
  const request: Init<RecordRequest> = { reservation: ref, ...usageFields(told) };

  request.model = input.model ?? model ?? "";
  if (from) request.interface = from;
  if (input.attempt) request.attempt = input.attempt;
  if (input.keepOpen) request.keepOpen = true;
  if (input.mode) request.mode = input.mode;
  if (input.language) request.language = input.language;
  if (input.providerCostNanoUsd !== undefined) request.providerCost = { nanoUsd: input.providerCostNanoUsd };
  return { request, requestId };
}

export function toResult(raw: RecordResponse): RecordResult {
  return {
    requestId: raw.requestId, costNanoUsd: raw.cost?.costNanoUsd ?? 0, cost: raw.cost, tokens: raw.tokens, repeat: raw.repeat, late: raw.late,
    estimated: raw.estimated, usageProblem: raw.usageProblem, notify: raw.limits.filter((limit) => limit.notify), queued: false, raw,
  };
}

export function queuedResult(requestId: string): RecordResult {
  return {
    requestId, costNanoUsd: 0, cost: undefined, tokens: 0, repeat: false, late: false, estimated: false, usageProblem: "", notify: [],
    queued: true, raw: undefined,
  };
}
