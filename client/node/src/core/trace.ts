/**
 * Spans of OpenTelemetry, if the application uses it. Its API registers itself under a global symbol; reading that instead of
 * importing the package keeps bundlers from looking for a package that is not installed.
 */
import { VERSION } from "../gen/version.js";

interface Span {
  spanContext(): { traceId: string; spanId: string; traceFlags: number };
  setAttribute(name: string, value: string | number | boolean): unknown;
  recordException(error: Error): void;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}
interface Api {
  trace?: { getTracer(name: string, version?: string): { startSpan(name: string, options?: object): Span } };
}

const API = Symbol.for("opentelemetry.js.api.1");
const SPAN_KIND_CLIENT = 2;
const STATUS_ERROR = 2;

export interface Trace {
  /** For the metadata of the call; nothing without a span that is recorded. */
  traceparent: string | undefined;
  set(name: string, value: string | number | boolean): void;
  /** Ends the span. */
  end(error?: unknown): void;
}

const NOTHING: Trace = { traceparent: undefined, set() {}, end() {} };

function traceparent(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();

  return /^0*$/.test(traceId) ? undefined : `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

/** Attributes name no user. */
export function startTrace(name: string, attributes: Record<string, string>): Trace {
  const tracer = (globalThis as unknown as Record<symbol, Api | undefined>)[API]?.trace?.getTracer("bursar", VERSION);

  if (!tracer) return NOTHING;
  const span = tracer.startSpan(name, { kind: SPAN_KIND_CLIENT, attributes });
  return {
    traceparent: traceparent(span),
    set: (key, value) => void span.setAttribute(key, value),
    end(error) {
      if (error instanceof Error) {
        span.recordException(error);
        span.setStatus({ code: STATUS_ERROR, message: error.message });
      }
      span.end();
    },
  };
}
