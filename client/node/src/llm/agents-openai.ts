/** OpenAI's agents (@openai/agents) under limits: the models that a runner gets from its provider. */
import type { Job } from "../core/job.js";
import { Guard, watched, type Call, type Client, type GuardOptions, type Plan } from "./guard.js";

type Json = Record<string, any>;

/**
 * `new Runner({ modelProvider: bursarModels(new OpenAIProvider(), bursar, { user }) })`. Every request of a run is checked before it
 * leaves, and recorded by its own figures. A denial ends the run: Denied, also as the cause of what the runner throws.
 */
export function bursarModels<T extends object>(provider: T, bursar: Client, options: GuardOptions): T;
export function bursarModels<T extends object>(provider: T, job: Job, options?: Partial<GuardOptions>): T;
export function bursarModels<T extends object>(provider: T, target: Client | Job, options: Partial<GuardOptions> = {}): T {
  const inner = provider as Json;
  if (typeof inner["getModel"] !== "function") throw new TypeError("bursar: this is not a ModelProvider of @openai/agents");
  const guard = new Guard(target, options as GuardOptions);
  return around(provider, { getModel: async (name?: string) => limitedModel(await inner["getModel"](name), guard, name) });
}

function limitedModel<T extends object>(model: T, guard: Guard, name: string | undefined): T {
  const inner = model as Json;
  return around(model, {
    getResponse: async (request: Json) => {
      const running = await guard.begin(plan(request, name));
      const response = (await inner["getResponse"](request).catch((error: unknown) => failed(running, error))) as Json;
      tell(running, response);
      await running.end();
      return response;
    },
    async *getStreamedResponse(request: Json) {
      const running = await guard.begin(plan(request, name));
      yield* watched(inner["getStreamedResponse"](request) as AsyncIterable<Json>, running, (event) => {
        if (event["type"] === "response_done") tell(running, event["response"] as Json);
        return true;
      });
    },
  });
}

/** The same object with some methods of its own. */
function around<T extends object>(target: T, own: Json): T {
  return new Proxy(target, {
    get(_, name) {
      if (typeof name === "string" && own[name]) return own[name];
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

function plan(request: Json, name: string | undefined): Plan {
  return {
    body: { instructions: request["systemInstructions"], input: request["input"], tools: request["tools"] },
    model: name, maxOutputTokens: request["modelSettings"]?.maxTokens,
  };
}

function tell(running: Call, response: Json): void {
  const usage = response["usage"] as Json | undefined;
  if (usage && (usage["totalTokens"] || usage["inputTokens"] || usage["outputTokens"])) running.tell({ usage }, { provider: "openai-agents" });
}

async function failed(running: Call, error: unknown): Promise<never> {
  await running.fail(error);
  throw error;
}
