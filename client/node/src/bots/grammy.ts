/** grammY: `bot.on("message:text", limited(async (ctx, job) => { ... }))`. */
import type { Context } from "grammy";
import type { Bursar } from "../core/bursar.js";
import { Engine, type Limited } from "./engine.js";
import type { BotOptions } from "./options.js";
import { readUpdate, type TelegramCall } from "./telegram.js";

export type { Limited, Work } from "./engine.js";
export type { Job } from "./job.js";
export type { BotOptions } from "./options.js";

type RawCall = (payload: object, signal?: AbortSignal) => Promise<unknown>;

function caller(api: Context["api"]): TelegramCall {
  return (method, payload, signal) => (api.raw as unknown as Record<string, RawCall>)[method]!(payload, signal);
}

/**
 * The first call of a handler may be the answer to the webhook, if the app allows it. Work that goes on when that answer is out calls
 * the Bot API itself.
 */
function withoutWebhookReply(ctx: Context): void {
  const { api } = ctx;
  if (!api.options?.canUseWebhookReply) return;
  const Api = api.constructor as new (token: string, options: unknown) => Context["api"];
  const own = new Api(api.token, { ...api.options, canUseWebhookReply: () => false });
  api.config.use(async (_, method, payload, signal) => ({ ok: true, result: await caller(own)(method, payload, signal as AbortSignal) as never }));
}

/**
 * Makes handlers that answer grammY at once and run when their user's limits, and a slot of the pool, allow it.
 *
 * Work that is detached ends after grammY's middleware: what it writes into `ctx.session` is not saved, unless `detach` is false.
 */
export function bursarBot<C extends Context = Context>(bursar: Bursar, options: BotOptions<C> = {}): Limited<C> {
  const engine = new Engine<C>(bursar, options, "telegram");
  return engine.limited((ctx) => {
    withoutWebhookReply(ctx);
    return readUpdate(ctx.update, ctx.me.id, caller(ctx.api));
  });
}
