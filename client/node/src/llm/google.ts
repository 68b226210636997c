/** Google's client (@google/genai) under limits. */
import type { Job } from "../core/job.js";
import { Guard, watched, type Call, type Client, type GuardOptions } from "./guard.js";
import { only } from "./stainless.js";

export { Denied, deniedOf, type GuardOptions } from "./guard.js";

type Json = Record<string, any>;

export interface GoogleOptions extends GuardOptions {
  /** Parts of the client that cost something and are called without checks: "live", "batches", "caches", "models.generateVideos", ... Others throw. */
  unlimited?: readonly string[];
}

/** What costs nothing by itself, or is limited. */
const PARTS = new Set(["models", "chats", "files", "operations", "authTokens", "webhooks", "apiClient", "vertexai", "httpOptions", "apiKey", "apiVersion", "project", "location"]);
const COSTLY = ["live", "batches", "tunings", "caches", "interactions", "agents", "triggers", "environments", "credentials", "voices", "decisions", "fileSearchStores"];
/** Methods of `models` by which it sends what costs. */
const OTHERS = ["generateImagesInternal", "editImageInternal", "upscaleImageInternal", "recontextImage", "segmentImage", "generateVideosInternal"];

/**
 * The same client, whose `models` and `chats` are checked before a call leaves and recorded when it has ended, streams included.
 * Each request of automatic function calling is one call. A denied call throws Denied, and nothing is sent.
 */
export function withBursar<T extends object>(google: T, bursar: Client, options: GoogleOptions): T;
export function withBursar<T extends object>(google: T, job: Job, options?: Partial<GoogleOptions>): T;
export function withBursar<T extends object>(google: T, target: Client | Job, options: Partial<GoogleOptions> = {}): T {
  const original = google as Json;
  const before = original["models"] as Json | undefined;
  if (typeof before?.["generateContentInternal"] !== "function" || typeof before["generateContentStreamInternal"] !== "function")
    throw new TypeError("bursar: this is not a client of @google/genai, or a version whose insides differ");
  const models = limitedModels(before, original, new Guard(target, options as GoogleOptions), options.unlimited ?? []);
  const copy = Object.create(google) as Json;
  const own = (name: string, descriptor: PropertyDescriptor): void => void Object.defineProperty(copy, name, { enumerable: true, configurable: true, ...descriptor });
  own("models", { value: models });
  own("chats", { value: new original["chats"].constructor(models, original["apiClient"]) });
  for (const name of COSTLY)
    if (!PARTS.has(name) && !options.unlimited?.includes(name))
      own(name, { get: () => { throw new TypeError(`bursar: ${name} is not limited by this wrapper: use the client as it was, or list it in \`unlimited\``); } });
  return copy as T;
}

/** A second `models`, whose methods that send are its own: those that apps call reach them by `this`. */
function limitedModels(before: Json, google: Json, guard: Guard, unlimited: readonly string[]): Json {
  const models = new before["constructor"](google["apiClient"]) as Json;
  const send = (name: string): ((params: Json) => Promise<any>) => (models[name] as (params: Json) => Promise<any>).bind(models);
  const [generate, stream, embed] = [send("generateContentInternal"), send("generateContentStreamInternal"), models["embedContentInternal"] && send("embedContentInternal")];
  models["generateContentInternal"] = (params: Json) => once(guard, params, generate);
  models["generateContentStreamInternal"] = async (params: Json) => {
    const running = await guard.begin(plan(params));
    const { stop, abortSignal } = stoppable(params["config"]?.abortSignal);
    const answers = await stream({ ...params, config: { ...params["config"], abortSignal } }).catch((error) => failed(running, error));
    return stopping(watched(answers as AsyncIterable<Json>, running, (answer) => tell(answer, running)), stop);
  };
  if (embed) models["embedContentInternal"] = (params: Json) => once(guard, params, embed, 1);
  for (const name of OTHERS) {
    const outer = name.replace(/Internal$/, "");
    if (typeof models[name] !== "function" || unlimited.includes(`models.${outer}`)) continue;
    models[name] = () => Promise.reject(new TypeError(`bursar: models.${outer} is not limited by this wrapper: use the client as it was, or list it in \`unlimited\``));
  }
  return models;
}

/* The SDK leaves the connection open when its reader leaves the loop, and the model goes on writing: so it is closed here. */
function stoppable(given: AbortSignal | undefined): { stop: () => void; abortSignal: AbortSignal } {
  const controller = new AbortController();
  const stop = (): void => controller.abort(given?.reason);
  if (given?.aborted) stop();
  given?.addEventListener("abort", stop, { once: true });
  return { stop, abortSignal: controller.signal };
}

async function* stopping<T>(items: AsyncIterable<T>, stop: () => void): AsyncGenerator<T, void, undefined> {
  let finished = false;
  try {
    yield* items;
    finished = true;
  } finally {
    if (!finished) stop();
  }
}

function plan(params: Json, most?: number): { body: unknown; model: string; maxOutputTokens: number | undefined } {
  return { body: { contents: params["contents"] ?? params["content"], config: params["config"] }, model: String(params["model"]).replace(/^.*\//, ""), maxOutputTokens: most ?? params["config"]?.maxOutputTokens };
}

async function once(guard: Guard, params: Json, send: (params: Json) => Promise<Json>, most?: number): Promise<Json> {
  const running = await guard.begin(plan(params, most));
  const answer = await send(params).catch((error) => failed(running, error));
  tell(answer as Json, running);
  await running.end();
  return answer as Json;
}

async function failed(running: Call, error: unknown): Promise<never> {
  await running.fail(error);
  throw error;
}

function tell(answer: Json, running: Call): boolean {
  if (answer["usageMetadata"]) running.tell(only(answer, "modelVersion", "usageMetadata"), { provider: "google" });
  return true;
}
