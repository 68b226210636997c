/** What this process decides by itself while no server answers. */
import type { CheckRequest } from "../gen/bursar.js";
import type { Init } from "../wire/message.js";
import { estimateOf, type Check } from "./check.js";
import { BursarError } from "./errors.js";
import { nowUs } from "./ids.js";
import type { FailPolicy } from "./options.js";

const USERS_MAX = 10_000;
const BUSY: Record<string, (seconds: number) => string> = {
  en: (seconds) => `The service is busy. Please try again in ${seconds} s.`,
  de: (seconds) => `Der Dienst ist ausgelastet. Bitte versuche es in ${seconds} s noch einmal.`,
  ru: (seconds) => `Сервис перегружен. Попробуйте ещё раз через ${seconds} с.`,
  es: (seconds) => `El servicio está ocupado. Vuelve a intentarlo en ${seconds} s.`,
};

interface Bucket {
  tokens: number;
  at: number;
}

/** A bucket for each user, of at most 10,000: the one that was not asked for the longest time is forgotten first. */
export class Share {
  private readonly buckets = new Map<string, Bucket>();
  private readonly perMinute: number;

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /** 0 when the request may run, or else in how many milliseconds it may. */
  take(user: string, now = Date.now()): number {
    const bucket = this.buckets.get(user) ?? { tokens: this.perMinute, at: now };

    this.buckets.delete(user);
    this.buckets.set(user, bucket);
    if (this.buckets.size > USERS_MAX) this.buckets.delete(this.buckets.keys().next().value as string);
    bucket.tokens = Math.min(this.perMinute, bucket.tokens + (Math.max(0, now - bucket.at) * this.perMinute) / 60_000);
    bucket.at = now;
    if (bucket.tokens < 1) return Math.max(1, Math.ceil(((1 - bucket.tokens) * 60_000) / this.perMinute));
    bucket.tokens -= 1;
    return 0;
  }

  get size(): number {
    return this.buckets.size;
  }
}

/** No server answered. That one answered that it cannot decide is another thing. */
export function isSilence(error: unknown): error is BursarError {
  return error instanceof BursarError && !error.fromServer && (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED");
}

export class Failing {
  private readonly share: Share | undefined;
  private readonly policy: FailPolicy;

  constructor(policy: FailPolicy) {
    this.policy = policy;
    this.share = typeof policy === "object" ? new Share(policy.share.requestsPerMinute) : undefined;
  }

  /** Only the silence of all servers leaves the decision to the client. */
  applies(error: unknown): boolean {
    return this.policy !== "closed" && isSilence(error);
  }

  decide(request: Init<CheckRequest> & { requestId: string; user: string }): Check {
    const retryAfterMs = this.share?.take(`${request.tenant ?? ""}\0${request.user}`) ?? 0;
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    const text = BUSY[(request.language ?? "").slice(0, 2).toLowerCase()] ?? BUSY["en"]!;
    const allowed = retryAfterMs === 0;

    return {
      allowed, user: request.user, tenant: request.tenant ?? "", model: request.model ?? "", interface: request.interface ?? "",
      requestId: request.requestId, reservation: "", startedAtUs: nowUs(), message: allowed ? "" : text(seconds),
      retryAfterMs, permanent: false, reason: allowed ? "" : "request_rate", tell: "", tier: "", quality: "none",
      headers: allowed ? {} : { "Retry-After": String(seconds) }, limits: [], binding: undefined, notify: [], heldTokens: 0,
      heldCostNanoUsd: 0, estimate: estimateOf(request), unpriced: false, repeat: false, retried: false, degraded: true, raw: undefined,
    };
  }
}
