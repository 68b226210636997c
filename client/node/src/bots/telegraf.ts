/** Telegraf: `bot.on(message("text"), limited(async (ctx, job) => { ... }))`. */
import type { Context } from "telegraf";
import type { Bursar } from "../core/bursar.js";
import { Engine, type Limited } from "./engine.js";
import type { BotOptions } from "./options.js";
import { readUpdate, type TelegramCall } from "./telegram.js";

export type { Limited, Work } from "./engine.js";
export type { Job } from "./job.js";
export type { BotOptions } from "./options.js";

function caller(telegram: Context["telegram"]): TelegramCall {
  const call = telegram.callApi as unknown as (method: string, payload: object, options: { signal?: AbortSignal }) => Promise<unknown>;
  return (method, payload, signal) => call.call(telegram, method, payload, signal ? { signal } : {});
}

/**
 * Makes handlers that answer Telegraf at once (its own limit of 90 s ends the process) and run when their user's limits, and a slot of
 * the pool, allow it.
 *
 * Work that is detached ends after Telegraf's middleware: what it writes into `ctx.session` is not saved, unless `detach` is false.
 */
export function bursarBot<C extends Context = Context>(bursar: Bursar, options: BotOptions<C> = {}): Limited<C> {
  const engine = new Engine<C>(bursar, options, "telegram");
  return engine.limited((ctx) => {
    // By default the first call becomes the answer to the webhook, and has no result. Detached work calls the Bot API itself.
    ctx.telegram.webhookReply = false;
    return readUpdate(ctx.update, ctx.botInfo.id, caller(ctx.telegram));
  });
}
