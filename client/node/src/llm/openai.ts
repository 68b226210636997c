/** OpenAI's client (openai 5 and later; also AzureOpenAI, and other providers' APIs by `baseURL`) under limits. */
import type { Job } from "../core/job.js";
import { Guard, type Call, type Client, type GuardOptions } from "./guard.js";
import { only, wrap, type Route, type Routing, type SdkOptions } from "./stainless.js";

export { Denied, deniedOf, type GuardOptions } from "./guard.js";

type Json = Record<string, any>;

export interface OpenAIOptions extends GuardOptions, SdkOptions {
  /** False: streams are not asked for their usage, for APIs that refuse `stream_options`. They are settled by the estimate then. */
  streamUsage?: boolean;
  /** The format of the usage, for an API that is not OpenAI's: "xai", "openrouter", ...; default "openai". */
  provider?: string;
}

/**
 * The same client, whose calls are checked before they leave and recorded when they have ended, streams included. A denied call
 * throws Denied, and nothing is sent. In place of the Bursar client, a job (such as `req.bursar`) takes what is used without
 * checks of its own.
 */
export function withBursar<T extends object>(openai: T, bursar: Client, options: OpenAIOptions): T;
export function withBursar<T extends object>(openai: T, job: Job, options?: Partial<OpenAIOptions>): T;
export function withBursar<T extends object>(openai: T, target: Client | Job, options: Partial<OpenAIOptions> = {}): T {
  return wrap(openai, new Guard(target, options as OpenAIOptions), routing(options), "openai");
}

const FREE = /^\/(moderations|files|uploads|vector_stores|conversations|responses\/input_tokens|chat\/completions\/[^/]+|.*\/cancel)(\/|$)/;
const IMAGES = /^\/images\/(generations|edits|variations)$/;

function routing(options: Partial<OpenAIOptions>): Routing {
  const provider = options.provider ?? "openai";
  return (path, body) => {
    if (path === "/chat/completions" || path === "/completions") return chat(body, provider, options.streamUsage !== false);
    if (path === "/responses" || path === "/responses/compact") return responses(body, provider);
    if (path === "/embeddings") return plain({ body, model: body["model"], maxOutputTokens: 1 }, provider);
    if (path === "/audio/speech") return speech(body, provider);
    if (path.startsWith("/audio/trans")) return plain({ body: {}, model: body["model"] }, provider);
    if (IMAGES.test(path)) return images(body);
    if (FREE.test(path) || options.unlimited?.includes(path)) return undefined;
    throw new TypeError(`bursar: POST ${path} is not limited by this wrapper: call it with the client as it was, or list it in \`unlimited\``);
  };
}

function telling(provider: string, names: string[]): (answer: Json, running: Call) => boolean {
  return (answer, running) => {
    if (answer["usage"]) running.tell(only(answer, ...names), { provider });
    return true;
  };
}

function plain(plan: Route["plan"], provider: string): Route {
  return { plan, see: telling(provider, ["model", "usage"]) };
}

/** The chunk that has the usage comes last, and has no choices: only an app that asked for it expects one. */
function chat(body: Json, provider: string, ask: boolean): Route {
  const asked = Boolean(body["stream_options"]?.include_usage);
  const most = body["max_completion_tokens"] ?? body["max_tokens"];
  const tell = telling(provider, ["model", "service_tier", "usage"]);
  const route: Route = {
    plan: { body, model: body["model"], maxOutputTokens: typeof most === "number" ? most * (body["n"] ?? 1) : undefined },
    see: (answer, running) => tell(answer, running) && (asked || !answer["usage"] || !Array.isArray(answer["choices"]) || answer["choices"].length > 0),
  };
  if (body["stream"] && ask && !asked) route.body = { ...body, stream_options: { ...body["stream_options"], include_usage: true } };
  return route;
}

/** Searches are not in the usage: their items are counted. */
const SEARCHES = new Set(["web_search_call", "file_search_call", "code_interpreter_call"]);

function responses(body: Json, provider: string): Route {
  return {
    plan: { body, model: body["model"], maxOutputTokens: body["max_output_tokens"] ?? undefined },
    see: (answer, running) => {
      const response = (answer["response"] ?? answer) as Json;
      if (!response["usage"]) return true;
      const output = Array.isArray(response["output"]) ? response["output"].filter((item: Json) => SEARCHES.has(item["type"])) : [];
      const searches = output.map((item: Json) => ({ type: item["type"], action: { type: item["action"]?.type } }));
      running.tell({ ...only(response, "model", "service_tier", "usage"), ...(searches.length ? { output: searches } : {}) }, { provider });
      return true;
    },
  };
}

function speech(body: Json, provider: string): Route {
  const characters = [...String(body["input"] ?? "")].length;
  return plain({ body: { input: body["input"] }, model: body["model"], maxOutputTokens: 1, expected: [{ dimension: "DIMENSION_CHARACTERS", amount: characters }] }, provider);
}

function images(body: Json): Route {
  const count = Number(body["n"] ?? 1) || 1;
  return { ...plain({ body: { prompt: body["prompt"] }, model: body["model"], expected: [{ dimension: "DIMENSION_OUTPUT_IMAGES", amount: count }] }, "openai-images") };
}
