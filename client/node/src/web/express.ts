/** Middleware for Express (4 and 5), and for what else has requests and responses of node:http, such as Connect and Next.js's API routes. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Check } from "../core/check.js";
import { checkHeaders, denialBody, type HeaderChoice, type ResetForm } from "./headers.js";
import { Limiter, type RateLimitOptions } from "./limiter.js";
import type { Client, WebJob } from "./recorder.js";

export { denialBody, type BodyShape, type HeaderChoice } from "./headers.js";
export type { RateLimitOptions } from "./limiter.js";
export type { WebJob } from "./recorder.js";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** Set by bursar's rateLimit. */
      bursar?: WebJob;
    }
  }
}

export type LimitedRequest = IncomingMessage & { bursar?: WebJob };
type Middleware<Req> = (req: Req, res: ServerResponse, next: (error?: unknown) => void) => Promise<void>;

/**
 * Checks each request before its handler runs: 429 with the headers that clients act on, or on with `req.bursar`, which the
 * handler tells what was used. That is recorded after the response has ended.
 */
export function rateLimit<Req extends IncomingMessage = LimitedRequest>(bursar: Client, options: RateLimitOptions<Req> = {}): Middleware<Req> {
  const limiter = new Limiter<Req>(bursar, options);
  return async (req, res, next) => {
    try {
      if (!(await options.skip?.(req)) && !(await admit(limiter, req, res))) return;
    } catch (error) {
      return next(error);
    }
    next();
  };
}

/** The same around a handler of Next.js's pages/api, or any other function of request and response. */
export function withRateLimitApi<Req extends IncomingMessage, Res extends ServerResponse>(
  bursar: Client, options: RateLimitOptions<Req>, handler: (req: Req & { bursar: WebJob }, res: Res) => unknown,
): (req: Req, res: Res) => Promise<void> {
  const limiter = new Limiter<Req>(bursar, options);
  return async (req, res) => {
    if (!(await options.skip?.(req)) && !(await admit(limiter, req, res))) return;
    await handler(req as Req & { bursar: WebJob }, res);
  };
}

/** Whether the handler is to run; otherwise the request has been answered, or its client has gone. */
async function admit<Req extends IncomingMessage>(limiter: Limiter<Req>, req: Req, res: ServerResponse): Promise<boolean> {
  const gone = new AbortController();
  const left = (): void => gone.abort();
  res.once("close", left);
  let outcome;
  try {
    outcome = await limiter.admit(req, { socket: req.socket?.remoteAddress, forwarded: forwarded(req), signal: gone.signal });
  } catch (error) {
    if (gone.signal.aborted) return false;
    throw error;
  } finally {
    res.off("close", left);
  }
  if ("job" in outcome) {
    const { job, headers } = outcome;
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    (req as LimitedRequest).bursar = job;
    res.once("close", () => job.end({ status: res.statusCode, complete: res.writableFinished }));
    if (res.closed || res.destroyed) job.end({ status: 499, complete: false });
    return true;
  }
  answer(res, outcome.status, outcome.headers, outcome.body);
  return false;
}

function answer(res: ServerResponse, status: number, headers: Record<string, string>, body: unknown): void {
  res.statusCode = status;
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader("Content-Type", "application/json; charset=utf-8");
  res.end(JSON.stringify(body));
}

/** Answers a denial that a handler met itself, such as that of a pool: 429 with the headers and the body that `rateLimit` sends. */
export function sendDenial(res: ServerResponse, check: Check, options: { headers?: HeaderChoice; reset?: ResetForm; body?: unknown } = {}): void {
  answer(res, 429, checkHeaders(check, options.headers ?? "both", options.reset), options.body ?? denialBody(check));
}

/** A header that came several times was one list in the order in which it came. */
function forwarded(req: IncomingMessage): string | undefined {
  const value = req.headers["x-forwarded-for"];
  return Array.isArray(value) ? value.join(",") : value;
}
