/** Usage goes to the server as the provider sent it: nothing is converted here. */
import type { ProviderUsage, RecordRequest, TokenUsage } from "../gen/bursar.js";
import type { Init } from "../wire/message.js";

/** What a request used. At most one of `usage` and `providerUsage`; neither: it is charged as it was estimated. */
export interface RecordInput {
  /** By Bursar's own meters, which are disjoint. */
  usage?: Init<TokenUsage> | undefined;
  /** The provider's usage object, its whole response, or the events of its stream, as they came. A text is sent as it is. */
  providerUsage?: object | string | undefined;
  /** Whose format it is: "openai", "anthropic", "google", ...; default: recognized by its members. */
  provider?: string | undefined;
  /** The id that the provider reports; default: the check's. */
  model?: string | undefined;
  mode?: string | undefined;
  language?: string | undefined;
  /** 0 to 31: of several that one reservation pays for. The same attempt is never charged twice. */
  attempt?: number | undefined;
  /** More attempts follow: the rest of the reservation stays held. */
  keepOpen?: boolean | undefined;
  /** What the provider charges, if it says so. */
  providerCostNanoUsd?: number | undefined;
}

/** The server reads at most so many bytes of it. */
export const USAGE_BYTES_MAX = 65_536;

function stringify(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item)) ?? "{}";
}

const MEMBERS = ["usage", "usageMetadata", "usage_metadata", "totalUsage", "total_usage"];
const BESIDE = ["model", "modelVersion", "model_version", "service_tier", "serviceTier", "provider"];

/* Of something too large, what tells of use: its usage, and what is read from beside it. */
function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence).filter((one) => one !== undefined);
  if (typeof value !== "object" || value === null) return undefined;
  const object = value as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  for (const name of MEMBERS) if (object[name] !== undefined && object[name] !== null) result[name] = object[name];
  for (const name of ["message", "response"]) {
    const inner = essence(object[name]);
    if (inner !== undefined) result[name] = inner;
  }
  if (Object.keys(result).length === 0) return undefined;
  for (const name of BESIDE) if (typeof object[name] === "string") result[name] = object[name];
  return result;
}

export function usageJson(value: object | string): string {
  const json = typeof value === "string" ? value : stringify(value);
  if (Buffer.byteLength(json) <= USAGE_BYTES_MAX) return json;
  let parsed: unknown = value;
  if (typeof value === "string") {
    try {
      parsed = JSON.parse(value);
    } catch {
      return json; /* the server says what is wrong with it */
    }
  }
  const small = essence(parsed);
  return small === undefined ? json : stringify(small);
}

/** Whether it goes as `usage`, or as `provider_usage`; an empty object says that nothing is known. */
export function usageFields(input: RecordInput): Pick<Init<RecordRequest>, "usage" | "providerUsage"> {
  if (input.usage && input.providerUsage === undefined) return { usage: input.usage };
  const providerUsage: Init<ProviderUsage> = { provider: input.provider ?? "", json: usageJson(input.providerUsage ?? {}) };
  return { providerUsage };
}
