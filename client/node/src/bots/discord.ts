/** discord.js: `client.on("messageCreate", limited(async (message, job) => { ... }))`, and the same for interactions. */
import type { Message, RepliableInteraction } from "discord.js";
import type { Bursar } from "../core/bursar.js";
import { Engine, type Limited } from "./engine.js";
import type { Handle } from "./notices.js";
import type { BotOptions } from "./options.js";
import type { Button, Incoming, Place } from "./place.js";

export type { Limited, Work } from "./engine.js";
export type { Job } from "./job.js";
export type { BotOptions } from "./options.js";

export interface DiscordOptions<Event> extends BotOptions<Event> {
  /** True: only the user who gave the command sees the answer. */
  ephemeral?: boolean;
  /** False: messages of other bots are answered, too. */
  ignoreBots?: boolean;
}

/** What a listener may get; only messages, and interactions that can be replied to, are handled. */
type Any = Message | RepliableInteraction;

/** A command counts as failed after 3 s without an answer. */
const DEFER_AFTER_MS = 1_500;
const EVERY_MS = 2_000;
const EPHEMERAL = 64;
const LINK = 5;

function content(text: string, button?: Button): { content: string; components?: never[] } {
  // The plain objects of the REST API, because importing discord.js would load it for everybody.
  const row = button && { type: 1, components: [{ type: 2, style: LINK, label: button.text, url: button.url }] };
  return { content: text, ...(row ? { components: [row as never] } : {}) };
}

/** discord.js waits out what Discord asks for, and repeats the call. */
function retryAfterMs(): undefined {
  return undefined;
}

class MessagePlace implements Place {
  readonly key: string;
  readonly once: string;
  readonly everyMs = EVERY_MS;
  readonly retryAfterMs = retryAfterMs;

  constructor(private readonly message: Message) {
    this.key = this.once = message.channelId;
  }

  say(text: string, button?: Button): Promise<Message> {
    // In a channel it has to be visible whom the bot means; nobody else is called.
    return this.message.reply({ ...content(text, button), allowedMentions: { parse: [], repliedUser: true }, failIfNotExists: false });
  }

  async deny(text: string, button: Button | undefined, again: boolean): Promise<unknown> {
    return again ? undefined : this.say(text, button);
  }

  show(text: string): Promise<Handle> {
    return this.say(text);
  }

  edit(sent: Handle, text: string): Promise<unknown> {
    return (sent as Message).edit(text);
  }

  remove(sent: Handle): Promise<unknown> {
    return (sent as Message).delete();
  }
}

/** The answer to an interaction: deferred in time, then edited until the work's own answer takes its place. */
class InteractionPlace implements Place {
  readonly key: string;
  readonly everyMs = EVERY_MS;
  readonly retryAfterMs = retryAfterMs;
  #deferring: Promise<unknown> | undefined;

  constructor(private readonly interaction: RepliableInteraction, private readonly ephemeral: boolean) {
    this.key = `${interaction.channelId}:${interaction.id}`;
  }

  /** Tells Discord that an answer will come; again and again is once. */
  defer(): Promise<unknown> {
    const { interaction } = this;
    if (interaction.deferred || interaction.replied) return Promise.resolve();
    return (this.#deferring ??= interaction.deferReply(this.ephemeral ? { flags: EPHEMERAL } : {}));
  }

  async say(text: string, button?: Button): Promise<unknown> {
    await this.#deferring;
    const { interaction } = this;
    const said = { ...content(text, button), flags: EPHEMERAL } as const;
    return interaction.deferred || interaction.replied ? interaction.followUp(said) : interaction.reply(said);
  }

  /** Every command wants an answer; this one only its user sees, unless Discord has been told otherwise by now. */
  async deny(text: string, button: Button | undefined): Promise<unknown> {
    await this.#deferring;
    const { interaction } = this;
    return interaction.deferred ? interaction.editReply(content(text, button)) : this.say(text, button);
  }

  async show(text: string): Promise<Handle> {
    await this.defer();
    return this.interaction.editReply(text);
  }

  edit(_: Handle, text: string): Promise<unknown> {
    return this.interaction.editReply(text);
  }
}

function read(event: Any, place: Place): Incoming {
  const { client, guildId } = event;
  const isMessage = "author" in event;
  return {
    requestId: `dc-${client.user.id}-${event.id}`,
    user: `discord:${isMessage ? event.author.id : event.user.id}`,
    chat: guildId ? `discord-chat:${event.channelId}` : undefined,
    language: isMessage ? event.guild?.preferredLocale : event.locale,
    text: isMessage ? event.content : undefined,
    place,
  };
}

/**
 * Makes listeners for messages and interactions. The work runs when its user's limits, and a slot of the pool, allow it. An interaction is
 * deferred before its time is over, so the work answers it with `editReply` or `followUp`.
 */
export function bursarBot<E extends Any = Any>(bursar: Bursar, options: DiscordOptions<E> = {}): Limited<E> {
  const engine = new Engine<E>(bursar, options, "discord");
  return engine.limited((event) => {
    if ("author" in event) return event.author.bot && options.ignoreBots !== false ? undefined : read(event, new MessagePlace(event));
    if (!event.isRepliable()) return undefined;
    const place = new InteractionPlace(event, options.ephemeral ?? false);
    return { ...read(event, place), promptly: { afterMs: DEFER_AFTER_MS, answer: () => place.defer() } };
  });
}
