/** LangChain and LangGraph under limits, by callbacks: they reach every model of a chain or graph, copies with tools included. */
import type { Job } from "../core/job.js";
import type { Check } from "../core/check.js";
import { Denied } from "../core/errors.js";
import { Guard, type Call, type Client, type GuardOptions, type Plan } from "./guard.js";

type Json = Record<string, any>;

/**
 * A denial, in a form that LangChain does not repeat: `withRetry` goes on after every error but a TypeError, and LangGraph's retry
 * policy after every one without such a status. The cause is Denied.
 */
export class LangChainDenied extends TypeError {
  readonly status = 403;
  readonly check: Check;

  constructor(denied: Denied) {
    super(denied.message, { cause: denied });
    this.name = "Denied";
    this.check = denied.check;
  }
}

/** What LangChain takes in `callbacks`. */
export interface LangChainCallbacks {
  awaitHandlers: true;
  raiseError: true;
  handleChatModelStart: (...args: any[]) => Promise<void>;
  handleLLMStart: (...args: any[]) => Promise<void>;
  handleLLMEnd: (...args: any[]) => Promise<void>;
  handleLLMError: (...args: any[]) => Promise<void>;
}

/**
 * `model.invoke(input, { callbacks: [bursarCallbacks(bursar, { user })] })`, or in the options of a model. A model's call is
 * checked before its own retries begin, and recorded when it has ended.
 */
export function bursarCallbacks(bursar: Client, options: GuardOptions): LangChainCallbacks;
export function bursarCallbacks(job: Job, options?: Partial<GuardOptions>): LangChainCallbacks;
export function bursarCallbacks(target: Client | Job, options: Partial<GuardOptions> = {}): LangChainCallbacks {
  const guard = new Guard(target, options as GuardOptions);
  const calls = new Map<string, Call>();
  const start = async (body: unknown, runId: string, extra: Json | undefined): Promise<void> => {
    const invocation = (extra?.["invocation_params"] ?? {}) as Json;
    const most = invocation["max_completion_tokens"] ?? invocation["max_tokens"] ?? invocation["max_output_tokens"] ?? invocation["maxOutputTokens"];
    const full = { ...(body as Json), tools: invocation["tools"] };
    calls.set(runId, await begin(guard, { body: full, model: invocation["model"] ?? invocation["model_name"], maxOutputTokens: typeof most === "number" && most > 0 ? most : undefined }));
  };
  const take = (runId: string): Call | undefined => {
    const running = calls.get(runId);
    calls.delete(runId);
    return running;
  };
  return {
    awaitHandlers: true, raiseError: true,
    handleChatModelStart: (_model, messages: Json[][], runId: string, _parent, extra) => start({ messages: messages.flat().map(plainMessage) }, runId, extra),
    handleLLMStart: (_model, prompts: string[], runId: string, _parent, extra) => start({ prompt: prompts }, runId, extra),
    handleLLMEnd: async (output: Json, runId: string, _parent, _tags, extra) => {
      const running = take(runId);
      if (!running) return;
      /* An answer from LangChain's own cache cost nothing. */
      if (extra?.["cached"]) return running.fail(undefined);
      tell(running, output);
      await running.end();
    },
    handleLLMError: async (error: unknown, runId: string) => take(runId)?.fail(error),
  };
}

async function begin(guard: Guard, plan: Plan): Promise<Call> {
  try {
    return await guard.begin(plan);
  } catch (error) {
    throw error instanceof Denied ? new LangChainDenied(error) : error;
  }
}

function plainMessage(message: Json): Json {
  return { role: "message", content: message["content"], tools: message["tool_calls"]?.map((call: Json) => call["args"]) };
}

/** One message a prompt, each with its own figures. */
function tell(running: Call, output: Json): void {
  const messages = ((output["generations"] ?? []) as Json[][]).map((generations) => generations[0]?.["message"] as Json | undefined);
  const told = messages.filter((message) => message?.["usage_metadata"]).map((message) => ({ usage_metadata: message!["usage_metadata"], ...model(message!) }));
  if (told.length > 0) running.tell(told.length === 1 ? told[0]! : told, { provider: "langchain" });
}

function model(message: Json): Json {
  const name = message["response_metadata"]?.model_name ?? message["response_metadata"]?.model;
  return typeof name === "string" ? { model: name } : {};
}
