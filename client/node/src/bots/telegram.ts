/** What grammY and Telegraf share: Telegram's updates, and the calls with which a bot speaks. */
import type { Button, Incoming, Place } from "./place.js";
import type { Handle } from "./notices.js";

/** A method of the Bot API, called by either framework. */
export type TelegramCall = (method: string, payload: object, signal?: AbortSignal) => Promise<unknown>;

interface User {
  id: number;
  language_code?: string;
}

interface Chat {
  id: number;
  type: string;
}

/** What kinds of updates have in common, as far as it matters here. */
interface Body {
  id?: string;
  from?: User;
  user?: User;
  chat?: Chat;
  sender_chat?: Chat;
  message?: Body;
  message_id?: number;
  message_thread_id?: number;
  is_topic_message?: boolean;
  business_connection_id?: string;
  text?: string;
  caption?: string;
  data?: string;
  query?: string;
}

/** Who writes in the name of a group or channel is this user to the Bot API, whoever they are. */
const ANONYMOUS = new Set([1087968824, 136817688]);
/** A group takes 20 messages and edits a minute from a bot. */
const GROUP_EVERY_MS = 4_000;
const PRIVATE_EVERY_MS = 2_000;
const ALERT_MAX = 200;

function bodyOf(update: object): [kind: string, body: Body] {
  const found = Object.entries(update).find(([name, value]) => name !== "update_id" && typeof value === "object");
  return (found ?? ["", {}]) as [string, Body];
}

function userOf(body: Body): string | undefined {
  const from = body.from ?? body.user;
  if (body.sender_chat && (!from || ANONYMOUS.has(from.id))) return `telegram-chat:${body.sender_chat.id}`;
  return from && `telegram:${from.id}`;
}

/** How long Telegram wants no calls: both frameworks' errors carry its answer, in different places. */
function retryAfterMs(error: unknown): number | undefined {
  const { parameters, response } = error as { parameters?: { retry_after?: number }; response?: { parameters?: { retry_after?: number } } };
  const seconds = parameters?.retry_after ?? response?.parameters?.retry_after;
  return typeof seconds === "number" ? seconds * 1000 : undefined;
}

function keyboard(button: Button | undefined): object {
  return button ? { reply_markup: { inline_keyboard: [[button]] } } : {};
}

class TelegramPlace implements Place {
  readonly key: string;
  readonly once: string;
  readonly everyMs: number;
  readonly retryAfterMs = retryAfterMs;
  readonly #target: object;
  readonly #reply: object;

  constructor(botId: number, private readonly chat: Chat, message: Body, private readonly pressed: string | undefined, private readonly call: TelegramCall) {
    const alone = chat.type === "private";
    this.key = this.once = `${botId}:${chat.id}`;
    this.everyMs = alone ? PRIVATE_EVERY_MS : GROUP_EVERY_MS;
    this.#target = {
      chat_id: chat.id,
      ...(message.is_topic_message ? { message_thread_id: message.message_thread_id } : {}),
      ...(message.business_connection_id ? { business_connection_id: message.business_connection_id } : {}),
    };
    // Among others, it has to be visible whom the bot means.
    this.#reply = alone || !message.message_id ? {} : { reply_parameters: { message_id: message.message_id, allow_sending_without_reply: true } };
  }

  say(text: string, button?: Button): Promise<unknown> {
    return this.call("sendMessage", { ...this.#target, ...this.#reply, text, ...keyboard(button) });
  }

  async deny(text: string, button: Button | undefined, again: boolean): Promise<unknown> {
    // A button that was pressed shows a clock until it is answered.
    const answer = again ? { text: text.slice(0, ALERT_MAX), show_alert: true } : {};
    if (this.pressed) await this.call("answerCallbackQuery", { callback_query_id: this.pressed, ...answer });
    return again ? undefined : this.say(text, button);
  }

  async show(text: string): Promise<Handle> {
    const { message_id } = (await this.say(text)) as { message_id: number };
    return message_id;
  }

  edit(message: Handle, text: string, signal: AbortSignal): Promise<unknown> {
    return this.call("editMessageText", { chat_id: this.chat.id, message_id: message, text }, signal);
  }

  remove(message: Handle): Promise<unknown> {
    return this.call("deleteMessage", { chat_id: this.chat.id, message_id: message });
  }
}

/** Where nobody can be told anything: an inline query, a reaction. */
const NOWHERE: Place = {
  key: "",
  everyMs: PRIVATE_EVERY_MS,
  retryAfterMs,
  say: async () => undefined,
  deny: async () => undefined,
  show: async () => undefined,
  edit: async () => undefined,
};

export function readUpdate(update: { update_id: number }, botId: number, call: TelegramCall): Incoming {
  const [kind, body] = bodyOf(update);
  const message = body.message ?? body;
  const chat = body.chat ?? message.chat;
  const group = chat && chat.type !== "private";
  return {
    requestId: `tg-${botId}-${update.update_id}`,
    user: userOf(body) ?? (chat && `telegram-chat:${chat.id}`),
    chat: group ? `telegram-chat:${chat.id}` : undefined,
    language: (body.from ?? body.user)?.language_code,
    text: body.text ?? body.caption ?? body.data ?? body.query,
    place: chat ? new TelegramPlace(botId, chat, message, kind === "callback_query" ? body.id : undefined, call) : NOWHERE,
  };
}
