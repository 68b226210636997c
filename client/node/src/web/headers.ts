/** The headers and the body of a denial, and of a service that cannot decide. */
import type { Check } from "../core/check.js";
import type { BursarError } from "../core/errors.js";

/** Which headers tell of limits: the IETF draft's, X-RateLimit-*, both, or neither. Retry-After and its kind are always sent with a denial. */
export type HeaderChoice = "both" | "draft" | "legacy" | "none";
/** Of X-RateLimit-Reset: seconds from now, or since 1970 as express-rate-limit sends it. */
export type ResetForm = "seconds" | "epoch";
/** Whose client reads the body of a denial. */
export type BodyShape = "openai" | "anthropic" | "ollama";

const isDraft = (name: string): boolean => /^ratelimit(-policy)?$/i.test(name);
const isLegacy = (name: string): boolean => /^x-ratelimit-/i.test(name);
/* Longer timers in JavaScript fire at once. */
const RETRY_AFTER_MAX = 2_147_483;

function retryAfter(milliseconds: number): string {
  return String(Math.min(RETRY_AFTER_MAX, Math.max(1, Math.ceil(milliseconds / 1000))));
}

export function checkHeaders(check: Check, choice: HeaderChoice, reset: ResetForm = "seconds"): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(check.headers)) {
    if (isDraft(name) && choice !== "both" && choice !== "draft") continue;
    if (isLegacy(name) && choice !== "both" && choice !== "legacy") continue;
    const epoch = reset === "epoch" && name.toLowerCase() === "x-ratelimit-reset";
    headers[name] = epoch ? String(Math.ceil(Date.now() / 1000) + Number(value)) : value;
  }
  const told = Object.keys(headers).some((name) => name.toLowerCase() === "retry-after");
  if (!check.allowed && !told && check.retryAfterMs > 0) headers["Retry-After"] = retryAfter(check.retryAfterMs);
  return headers;
}

/** For 503: no server could be asked. */
export function unavailableHeaders(error: BursarError): Record<string, string> {
  return { "Retry-After": retryAfter(error.retryAfterMs) };
}

export function denialBody(check: Check, shape: BodyShape = "openai"): object {
  const { message, reason } = check;
  if (shape === "ollama") return { error: message };
  if (shape === "anthropic") return { type: "error", error: { type: "rate_limit_error", message } };
  return { error: { message, type: "rate_limit_error", code: reason } };
}

export const UNAVAILABLE_BODY = { error: { message: "The service is not available at the moment. Please try again.", type: "server_error", code: "unavailable" } };
