/** What a bot's author chooses. */
import { BursarError } from "../core/errors.js";
import type { OwnTexts } from "./texts.js";

/** A value, or what it is for this message. */
export type For<Context, Value> = Value | ((context: Context) => Value | undefined);

export interface BotOptions<Context> {
  /** Whose price counts. */
  model?: For<Context, string>;
  /** The pool whose slots the work takes. With it, a request that finds no free slot waits in the pool's queue. */
  pool?: string;
  /** Whose limits count in a group: those of the user who writes, of the group, or of both. Of both, the user pays, and the group's limits of requests count too. */
  per?: "user" | "chat" | "both";
  /** The user's id, in place of "telegram:17" or "discord:17". */
  user?: (context: Context) => string | undefined;
  language?: (context: Context) => string | undefined;
  /** An estimate of what the request sends to the model. */
  inputTokens?: For<Context, number>;
  /** The most that the model may answer; default: the tier's. */
  maxOutputTokens?: For<Context, number>;
  /** Replaces the plugin's own sentences: { "en": { queued: "Place {position}." } }. */
  texts?: OwnTexts;
  /** Where people get more: a button under denials and warnings leads there. */
  upgradeUrl?: For<Context, string>;
  /** How long a denial is not told again; default: until the request could pass, but a minute to an hour. Below 1,000, each process remembers alone. */
  cooldownMs?: number;
  /** How long a request waits before its user is told its position; default 1,000. */
  noticeMs?: number;
  /** The longest wait in the queue; default: the pool's. */
  maxWaitMs?: number;
  /** How many requests may wait or run in this process at a time; default 10,000. */
  jobsMax?: number;
  /** False: the framework's handler ends when the work has ended, for sessions that are saved after it. Only for frameworks that run handlers side by side. */
  detach?: boolean;
  /** What went wrong: in the bot's own work, in the messenger, or because no server of Bursar answered. Default: console.error. */
  onError?: (error: unknown, context: Context | undefined) => void;
}

export function checkOptions<Context>(options: BotOptions<Context>): void {
  if (!["user", "chat", "both", undefined].includes(options.per))
    throw new BursarError("INVALID_ARGUMENT", `per: must be "user", "chat" or "both", not ${JSON.stringify(options.per)}`, { field: "per" });
  if (options.jobsMax !== undefined && !(options.jobsMax >= 1)) throw new BursarError("INVALID_ARGUMENT", "jobsMax: must be at least 1", { field: "jobsMax" });
}

export function valueFor<Context, Value extends string | number>(value: For<Context, Value> | undefined, context: Context): Value | undefined {
  return typeof value === "function" ? value(context) : value;
}
