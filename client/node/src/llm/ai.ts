/** Vercel's AI SDK (ai 5, 6 and 7) under limits: as middleware, or around a model. Also for what else takes its models, such as mastra. */
import type { Job } from "../core/job.js";
import { Guard, watchedStream, type Call, type Client, type GuardOptions, type Plan } from "./guard.js";
import { only } from "./stainless.js";

export { Denied, deniedOf, type GuardOptions } from "./guard.js";

type Json = Record<string, any>;

/** Fits LanguageModelV2Middleware, V3 and V4: what differs between them is passed through. */
export interface LanguageModelMiddleware {
  specificationVersion: any;
  wrapGenerate: (options: any) => Promise<any>;
  wrapStream: (options: any) => Promise<any>;
}
/** Fits the middleware of embedding models (ai 6 and 7). */
export interface EmbeddingModelMiddleware {
  specificationVersion: any;
  wrapEmbed: (options: any) => Promise<any>;
}

/**
 * `wrapLanguageModel({ model, middleware: bursarMiddleware(bursar, { user }) })`. Each step of a call is checked before it leaves,
 * below the SDK's retries: a denial throws Denied at once.
 */
export function bursarMiddleware(bursar: Client, options: GuardOptions): LanguageModelMiddleware;
export function bursarMiddleware(job: Job, options?: Partial<GuardOptions>): LanguageModelMiddleware;
export function bursarMiddleware(target: Client | Job, options: Partial<GuardOptions> = {}): LanguageModelMiddleware {
  const guard = new Guard(target, options as GuardOptions);
  return {
    specificationVersion: undefined,
    wrapGenerate: ({ doGenerate, params, model }) => generate(guard, model, params, doGenerate),
    wrapStream: ({ doStream, params, model }) => stream(guard, model, params, doStream),
  };
}

/** The same for embedding models: `wrapEmbeddingModel({ model, middleware })`. */
export function bursarEmbeddings(bursar: Client, options: GuardOptions): EmbeddingModelMiddleware;
export function bursarEmbeddings(job: Job, options?: Partial<GuardOptions>): EmbeddingModelMiddleware;
export function bursarEmbeddings(target: Client | Job, options: Partial<GuardOptions> = {}): EmbeddingModelMiddleware {
  const guard = new Guard(target, options as GuardOptions);
  return { specificationVersion: undefined, wrapEmbed: ({ doEmbed, params, model }) => embed(guard, model, params, doEmbed) };
}

/** The same model under limits, without the SDK's wrapLanguageModel. */
export function withBursar<T extends object>(model: T, bursar: Client, options: GuardOptions): T;
export function withBursar<T extends object>(model: T, job: Job, options?: Partial<GuardOptions>): T;
export function withBursar<T extends object>(model: T, target: Client | Job, options: Partial<GuardOptions> = {}): T {
  const inner = model as Json;
  if (typeof inner["doGenerate"] !== "function" || typeof inner["doStream"] !== "function")
    throw new TypeError("bursar: this is not a language model of the AI SDK: give one that a provider makes, such as openai(\"gpt-4o\")");
  const guard = new Guard(target, options as GuardOptions);
  const own: Json = {
    doGenerate: (params: Json) => generate(guard, inner, params, () => inner["doGenerate"](params)),
    doStream: (params: Json) => stream(guard, inner, params, () => inner["doStream"](params)),
  };
  return new Proxy(model, {
    get(_, name) {
      if (typeof name === "string" && own[name]) return own[name];
      const value = Reflect.get(inner, name, inner) as unknown;
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(inner) : value;
    },
  });
}

async function generate(guard: Guard, model: Json, params: Json, doGenerate: () => Promise<Json>): Promise<Json> {
  const running = await guard.begin(plan(model, params));
  const result = await doGenerate().catch((error: unknown) => failed(running, error));
  tell(running, model, result, result["response"]?.modelId);
  await running.end();
  return result;
}

async function stream(guard: Guard, model: Json, params: Json, doStream: () => Promise<Json>): Promise<Json> {
  const running = await guard.begin(plan(model, params));
  const result = await doStream().catch((error: unknown) => failed(running, error));
  let served: string | undefined;
  const see = (part: Json): boolean => {
    if (part["type"] === "response-metadata") served = part["modelId"] ?? served;
    if (part["type"] === "finish") tell(running, model, part, served);
    return true;
  };
  return { ...result, stream: watchedStream(result["stream"] as ReadableStream<Json>, running, see) };
}

async function embed(guard: Guard, model: Json, params: Json, doEmbed: () => Promise<Json>): Promise<Json> {
  const running = await guard.begin({ body: { input: params["values"] }, model: model["modelId"], maxOutputTokens: 1 });
  const result = await doEmbed().catch((error: unknown) => failed(running, error));
  const tokens = result["usage"]?.tokens as number | undefined;
  if (tokens) running.tell({ usage: { inputTokens: tokens, outputTokens: 0 } }, { provider: "ai-sdk" });
  await running.end();
  return result;
}

async function failed(running: Call, error: unknown): Promise<never> {
  await running.fail(error);
  throw error;
}

function plan(model: Json, params: Json): Plan {
  return { body: { messages: params["prompt"], tools: params["tools"] }, model: model["modelId"], maxOutputTokens: params["maxOutputTokens"] };
}

/** Formats that the server knows by the names that the SDK gives its providers: "openai.chat", "google.generative-ai", ... */
const FAMILIES = /^(openai|azure|anthropic|google|vertex|xai|mistral|groq|deepseek|cohere|perplexity|openrouter|amazon-bedrock|togetherai|fireworks|cerebras)\b/;

/**
 * Of what was used, the most exact that there is: the provider's own object (ai 6 and 7), what Anthropic's provider has of it in ai 5
 * (whose own figures lose the tokens written to the cache), or the SDK's figures.
 */
function tell(running: Call, model: Json, result: Json, served: string | undefined): void {
  const usage = (result["usage"] ?? {}) as Json;
  const beside = served ? { model: served } : {};
  const anthropic = result["providerMetadata"]?.anthropic?.usage as Json | undefined;
  const family = FAMILIES.exec(String(model["provider"]))?.[1];
  if (usage["raw"] && typeof usage["raw"] === "object") return running.tell({ ...beside, usage: usage["raw"] }, family ? { provider: family } : {});
  if (anthropic) return running.tell({ ...beside, usage: anthropic }, { provider: "anthropic" });
  if (typeof usage["inputTokens"] !== "object") return hasFigures(usage) ? running.tell({ ...beside, usage }, { provider: "ai-sdk" }) : undefined;
  /* The figures that models of ai 6 and 7 give, as the SDK itself hands them to apps. */
  const { inputTokens: input, outputTokens: output } = usage as { inputTokens: Json; outputTokens: Json };
  if (!input["total"] && !output?.["total"]) return;
  running.tell({
    ...beside,
    usage: {
      inputTokens: input["total"], inputTokenDetails: { noCacheTokens: input["noCache"], cacheReadTokens: input["cacheRead"], cacheWriteTokens: input["cacheWrite"] },
      outputTokens: output["total"], outputTokenDetails: { textTokens: output["text"], reasoningTokens: output["reasoning"] },
    },
  }, { provider: "ai-sdk" });
}

function hasFigures(usage: Json): boolean {
  return Object.keys(only(usage, "inputTokens", "outputTokens", "totalTokens")).length > 0;
}
