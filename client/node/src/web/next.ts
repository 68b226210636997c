/** Next.js (13.4 and later, Node.js runtime): route handlers of the app router, the proxy (middleware), and API routes of pages/. */
import type { Check } from "../core/check.js";
import { checkHeaders, denialBody, type HeaderChoice, type ResetForm } from "./headers.js";
import { Limiter, type RateLimitOptions } from "./limiter.js";
import type { Client, ResponseJob, WebJob } from "./recorder.js";

export { denialBody, type BodyShape, type HeaderChoice } from "./headers.js";
export { withRateLimitApi } from "./express.js";
export type { RateLimitOptions } from "./limiter.js";
export type { WebJob } from "./recorder.js";

/**
 * Wraps a route handler: `export const POST = withRateLimit(bursar, options, async (request, context, job) => ...)`. What the
 * handler tells `job` is recorded after the response has ended, streams included.
 */
export function withRateLimit<Req extends Request, Context = unknown>(
  bursar: Client, options: RateLimitOptions<Req>, handler: (request: Req, context: Context, job: WebJob) => Promise<Response> | Response,
): (request: Req, context: Context) => Promise<Response> {
  const limiter = new Limiter<Req>(bursar, options);
  return async (request, context) => {
    if (await options.skip?.(request)) return handler(request, context, unlimited(request));
    const outcome = await limiter.admit(request, origin(request));
    if (!("job" in outcome)) return Response.json(outcome.body, { status: outcome.status, headers: outcome.headers });
    const { job, headers } = outcome;
    const left = (): void => job.end({ status: 499, complete: false });
    request.signal.addEventListener("abort", left, { once: true });
    if (request.signal.aborted) left();
    let response: Response;
    try {
      response = await handler(request, context, job);
    } catch (error) {
      failed(job, error);
      throw error;
    }
    return watched(response, headers, job);
  };
}

/** The answer to a denial that a handler met itself, such as that of a pool: 429 with the headers and the body that `withRateLimit` sends. */
export function denialResponse(check: Check, options: { headers?: HeaderChoice; reset?: ResetForm; body?: unknown } = {}): Response {
  return Response.json(options.body ?? denialBody(check), { status: 429, headers: checkHeaders(check, options.headers ?? "both", options.reset) });
}

/**
 * For proxy.ts (middleware.ts before Next.js 16, with `runtime: "nodejs"`): counts each request, and answers those that are
 * denied. Nothing is recorded afterwards; where an LLM is called, use `withRateLimit` at the route.
 */
export function rateLimitProxy<Req extends Request>(bursar: Client, options: RateLimitOptions<Req>): (request: Req) => Promise<Response> {
  const limiter = new Limiter<Req>(bursar, { ...options, settle: true });
  return async (request) => {
    /* What NextResponse.next() makes. */
    const onward = (headers: Record<string, string>): Response => new Response(null, { headers: { ...headers, "x-middleware-next": "1" } });
    if (await options.skip?.(request)) return onward({});
    const outcome = await limiter.admit(request, origin(request));
    if ("job" in outcome) return onward(outcome.headers);
    return Response.json(outcome.body, { status: outcome.status, headers: outcome.headers });
  };
}

function origin(request: Request): { socket: undefined; forwarded: string | undefined; signal: AbortSignal } {
  return { socket: undefined, forwarded: request.headers.get("x-forwarded-for") ?? undefined, signal: request.signal };
}

/** redirect() and notFound() are exceptions, too. */
function failed(job: ResponseJob, error: unknown): void {
  const digest = (error as { digest?: unknown } | null)?.digest;
  if (typeof digest !== "string" || !digest.startsWith("NEXT_")) return job.fail();
  const status = Number(/;(\d{3})/.exec(digest)?.[1] ?? 307);
  job.end({ status: status < 400 ? 404 : status, complete: true });
}

/** The response, with its end told to the job. */
function watched(response: Response, headers: Record<string, string>, job: ResponseJob): Response {
  const all = new Headers(response.headers);
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  const init = { status: response.status, statusText: response.statusText, headers: all };
  if (!response.body) {
    job.end({ status: response.status, complete: true });
    return new Response(null, init);
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        job.end({ status: response.status, complete: true });
        controller.close();
      } catch (error) {
        job.end({ status: response.status, complete: false });
        controller.error(error);
      }
    },
    async cancel(reason) {
      job.end({ status: response.status, complete: false });
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, init);
}

/** For requests that are not limited: takes what it is told, and records nothing. */
function unlimited(request: Request): WebJob {
  const check = { allowed: true, quality: "none", headers: {}, limits: [], notify: [] } as unknown as WebJob["check"];
  return { check, signal: request.signal, recorded: Promise.resolve(undefined), usage: () => {}, tokens: () => {} };
}
