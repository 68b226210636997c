/** What calls fail with. A denial is an answer, not an error: see Denied for the two calls that throw one. */
import { Metadata, status } from "@grpc/grpc-js";
import { BadRequestMessage, ErrorInfoMessage, RetryInfoMessage, StatusMessage, type Any } from "../gen/google.js";
import type { Message } from "../wire/message.js";
import type { Check } from "./check.js";

/** The name of a gRPC status code. */
export type Code = Exclude<keyof typeof status, "OK">;

export function codeName(code: number): Code {
  return (status[code] as Code | undefined) ?? "UNKNOWN";
}

export interface ErrorParts {
  field?: string;
  reason?: string;
  retryAfterMs?: number;
  fromServer?: boolean;
  cause?: unknown;
}

/*
 * An application may have this package more than once: as ESM and as CommonJS, or in each bundle that Next.js makes. Its errors are
 * recognized by a mark, so that `instanceof` works across the copies.
 */
const MARK = Symbol.for("bursar.error");

function marked(of: object, mark: "BursarError" | "Denied", own: object, value: unknown): boolean {
  if (Function.prototype[Symbol.hasInstance].call(of, value)) return true;
  const found = of === own && typeof value === "object" && value !== null ? (value as { [MARK]?: string })[MARK] : undefined;
  return found !== undefined && (mark === "BursarError" || found === mark);
}

/** A call failed, or an argument is wrong. */
export class BursarError extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return marked(this, "BursarError", BursarError, value);
  }

  protected get [MARK](): string {
    return "BursarError";
  }

  /** The gRPC code: "UNAVAILABLE", "INVALID_ARGUMENT", ... docs/api.md says when the server answers with which. */
  readonly code: Code;
  /** The path of the field that is wrong, such as `items[3].user`; empty when none is. */
  readonly field: string;
  /** The cause, by a name that stays the same, such as `WAIT_MAX`; empty when there is none. */
  readonly reason: string;
  /** When the server suggests to try again; 0 when it does not say. */
  readonly retryAfterMs: number;
  /** A server answered so. False: it was not reached, was silent, or was not asked. */
  readonly fromServer: boolean;

  constructor(code: Code, message: string, parts: ErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "BursarError";
    this.code = code;
    this.field = parts.field ?? "";
    this.reason = parts.reason ?? "";
    this.retryAfterMs = parts.retryAfterMs ?? 0;
    this.fromServer = parts.fromServer ?? false;
  }
}

/* Loops of agent frameworks look for these in the text of an error, and then sleep for minutes. */
const TRIGGERS = /429|rate[ _]limit|too many requests/i;

/**
 * The request was denied. `message` is the sentence for the user, unless it has words that frameworks' retry loops look for.
 * When it could pass is `check.retryAfterMs`; the error's own figure is 0, because LangChain sleeps as long as it says, for hours.
 */
export class Denied extends BursarError {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return marked(this, "Denied", Denied, value);
  }

  protected override get [MARK](): string {
    return "Denied";
  }

  /** The whole answer. */
  readonly check: Check;

  constructor(check: Check) {
    super("RESOURCE_EXHAUSTED", TRIGGERS.test(check.message) || !check.message ? `Bursar denied the request (${check.reason}).` : check.message, {
      reason: check.reason.toUpperCase(), fromServer: check.quality !== "none",
    });
    this.name = "Denied";
    this.check = check;
  }
}

function open<T extends object>(any: Any, message: Message<T>): T | undefined {
  return any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1) === message.name ? message.decode(any.value) : undefined;
}

function readDetails(bytes: Buffer): ErrorParts & { description?: string } {
  const parts: ErrorParts & { description?: string } = {};

  for (const any of StatusMessage.decode(bytes).details) {
    const violation = open(any, BadRequestMessage)?.fieldViolations[0];
    const delay = open(any, RetryInfoMessage)?.retryDelay;
    const info = open(any, ErrorInfoMessage);

    if (violation) {
      parts.field = violation.field;
      parts.description = violation.description;
    }
    if (delay && delay.seconds >= 0 && delay.seconds < 1e9) parts.retryAfterMs = delay.seconds * 1000 + Math.ceil(delay.nanos / 1e6);
    if (info) parts.reason = info.reason;
  }
  return parts;
}

function pushback(metadata: Metadata): number {
  const value = Number(metadata.get("grpc-retry-pushback-ms")[0]);

  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** From what grpc-js fails with. */
export function fromStatus(error: { code?: number; details?: string; metadata?: Metadata }): BursarError {
  const code = codeName(error.code ?? status.UNKNOWN);
  const metadata = error.metadata ?? new Metadata();
  const bytes = metadata.get("grpc-status-details-bin")[0];
  let parts: ErrorParts & { description?: string } = {};

  try {
    if (Buffer.isBuffer(bytes)) parts = readDetails(bytes);
  } catch {
    /* Details that cannot be read leave the code and the text. */
  }
  /* gRPC itself says these without details; Bursar's own have some. */
  const ownByLibrary = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL", "UNKNOWN"].includes(code);
  return new BursarError(code, error.details || code, {
    ...parts,
    retryAfterMs: Math.max(parts.retryAfterMs ?? 0, pushback(metadata)),
    fromServer: Buffer.isBuffer(bytes) || !ownByLibrary,
  });
}

/** Is sending the call again what may help? The ids that it carries make that harmless. */
export function isTransient(error: unknown): error is BursarError {
  if (!(error instanceof BursarError) || error instanceof Denied) return false;
  if (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED") return true;
  if (error.code === "CANCELLED") return error.reason !== "ABORTED_BY_CALLER";
  return !error.fromServer && error.code === "INTERNAL" && error.message.includes("RST_STREAM");
}

/** The caller's own AbortSignal. */
export function cancelled(signal: AbortSignal): BursarError {
  return new BursarError("CANCELLED", "the caller cancelled the call", { reason: "ABORTED_BY_CALLER", cause: signal.reason });
}
