/** Anthropic's client (@anthropic-ai/sdk; also those for Bedrock and Vertex) under limits. */
import type { Job } from "../core/job.js";
import { Guard, type Call, type Client, type GuardOptions } from "./guard.js";
import { only, wrap, type Route, type Routing, type SdkOptions } from "./stainless.js";

export { Denied, deniedOf, type GuardOptions } from "./guard.js";

type Json = Record<string, any>;

export interface AnthropicOptions extends GuardOptions, SdkOptions {}

/**
 * The same client, whose calls are checked before they leave and recorded when they have ended, streams included. A denied call
 * throws Denied, and nothing is sent. In place of the Bursar client, a job (such as `req.bursar`) takes what is used without
 * checks of its own.
 */
export function withBursar<T extends object>(anthropic: T, bursar: Client, options: AnthropicOptions): T;
export function withBursar<T extends object>(anthropic: T, job: Job, options?: Partial<AnthropicOptions>): T;
export function withBursar<T extends object>(anthropic: T, target: Client | Job, options: Partial<AnthropicOptions> = {}): T {
  return wrap(anthropic, new Guard(target, options as AnthropicOptions), routing(options), "@anthropic-ai/sdk");
}

const FREE = /^\/v1\/(messages\/count_tokens|files|skills|.*\/cancel)(\/|$)/;

function routing(options: Partial<AnthropicOptions>): Routing {
  return (path, body) => {
    if (path === "/v1/messages" || path === "/v1/complete") return messages(body);
    if (FREE.test(path) || options.unlimited?.includes(path)) return undefined;
    throw new TypeError(`bursar: POST ${path} is not limited by this wrapper: call it with the client as it was, or list it in \`unlimited\``);
  };
}

/** A stream tells its input when it starts, and its output as it goes on: the server takes the largest of each figure. */
function messages(body: Json): Route {
  const events: Json[] = [];
  const see = (answer: Json, running: Call): boolean => {
    const message = answer["type"] === "message_start" ? (answer["message"] as Json) : undefined;
    if (message?.["usage"]) events.push({ type: "message_start", message: only(message, "model", "usage") });
    else if (answer["usage"]) events.push(only(answer, "type", "model", "usage"));
    else return true;
    running.tell(events.length === 1 ? events[0]! : events.slice(), { provider: "anthropic" });
    return true;
  };
  return { plan: { body, model: body["model"], maxOutputTokens: body["max_tokens"] ?? body["max_tokens_to_sample"] }, see };
}
