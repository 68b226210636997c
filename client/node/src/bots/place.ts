/** What an adapter makes of its framework's updates. */
import type { Board } from "./notices.js";

/** A message, a press of a button or a command. */
export interface Incoming {
  /** The request's id; the same for every copy of the same update, in every process. */
  requestId: string;
  /** Who writes, e.g. "telegram:42"; undefined when nobody is known. */
  user: string | undefined;
  /** The group in which they write; undefined when they are alone with the bot. */
  chat: string | undefined;
  language: string | undefined;
  text: string | undefined;
  /** Where the user reads what the bot says. */
  place: Place;
  /** An answer that the service wants after `afterMs` at the latest, and before the work begins. */
  promptly?: { afterMs: number; answer: () => Promise<unknown> };
}

/** Under a message; leads to a page. */
export interface Button {
  text: string;
  url: string;
}

export interface Place extends Board {
  /** Where a denial is told once; absent where each is answered. */
  once?: string;
  /** Says something once. */
  say(text: string, button?: Button): Promise<unknown>;
  /** Says why a request may not run. `again`: the user has been told lately, so only what has to be answered is answered. */
  deny(text: string, button: Button | undefined, again: boolean): Promise<unknown>;
}
