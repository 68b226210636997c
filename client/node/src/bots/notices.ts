/**
 * Messages about places in a queue: one for each job, edited as the place changes. Chats have rate limits of their own, so in each
 * chat at most one call is under way, and edits keep a distance.
 */
import type { Clock } from "./memory.js";

/** A message that a bot has sent; what it is made of is the adapter's affair. */
export type Handle = unknown;

/** Where a notice appears. */
export interface Board {
  /** The chat; its notices take turns. */
  key: string;
  /** The least time between two calls in the chat. */
  everyMs: number;
  show(text: string): Promise<Handle>;
  edit(handle: Handle, text: string, signal: AbortSignal): Promise<unknown>;
  /** Takes the message away; absent where the answer takes its place. */
  remove?(handle: Handle): Promise<unknown>;
  /** How long the service wants no calls, if that is what the error says. */
  retryAfterMs(error: unknown): number | undefined;
}

/** After this many failures a message is given up: it may have been deleted, or the bot blocked. */
const FAILURES_MAX = 3;

/** One chat. */
interface Lane {
  waiting: Notice[];
  call: Promise<void> | undefined;
  /** When the next text may be shown. */
  nextAt: number;
  /** Until when the service wants no calls at all. */
  closedUntil: number;
  wake: (() => void) | undefined;
}

export class Notice {
  text = "";
  shown = "";
  handle: Handle = undefined;
  over = false;
  failures = 0;
  readonly aborter = new AbortController();
  readonly #queue: (notice: Notice) => void;

  constructor(readonly board: Board, queue: (notice: Notice) => void) {
    this.#queue = queue;
  }

  /** Shows a text, as soon as the chat's turn comes; what it replaces meanwhile is never shown. */
  update(text: string): void {
    if (this.over || this.failures >= FAILURES_MAX) return;
    this.text = text;
    this.#queue(this);
  }

  /** The wait is over: takes the message away. */
  end(): void {
    this.over = true;
    this.failures = 0;
    this.aborter.abort(); // an edit that a transformer of the app repeats for minutes
    this.#queue(this);
  }

  get done(): boolean {
    if (this.failures >= FAILURES_MAX) return true;
    return this.over ? this.handle === undefined || !this.board.remove : this.text === this.shown;
  }
}

export class Notices {
  readonly #lanes = new Map<string, Lane>();

  constructor(private readonly clock: Clock, private readonly report: (error: unknown) => void) {}

  open(board: Board): Notice {
    return new Notice(board, (notice) => {
      const lane = this.#lane(board.key);
      if (!lane.waiting.includes(notice)) lane.waiting.push(notice);
      this.#pump(board.key, lane);
    });
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    for (;;) {
      const calls = [...this.#lanes.values()].flatMap((lane) => lane.call ?? []);
      if (!calls.length) return;
      await Promise.all(calls);
    }
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (!lane) {
      lane = { waiting: [], call: undefined, nextAt: 0, closedUntil: 0, wake: undefined };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  /** Makes the chat's next call, if one is due. */
  #pump(key: string, lane: Lane): void {
    if (lane.call) return;
    lane.waiting = lane.waiting.filter((notice) => !notice.done);
    // Messages that are out of date go first, and need not keep the distance.
    const notice = lane.waiting.find((one) => one.over) ?? lane.waiting[0];
    const now = this.clock.now();
    const dueAt = notice?.over ? lane.closedUntil : Math.max(lane.nextAt, lane.closedUntil);
    lane.wake?.();
    lane.wake = undefined;
    if (dueAt > now) {
      lane.wake = this.clock.after(dueAt - now, () => this.#pump(key, lane));
    } else if (notice) {
      lane.waiting = lane.waiting.filter((one) => one !== notice);
      lane.call = this.#call(notice, lane).then(() => {
        lane.call = undefined;
        if (!notice.done && !lane.waiting.includes(notice)) lane.waiting.push(notice);
        this.#pump(key, lane);
      });
    } else {
      this.#lanes.delete(key); // and with it the distance, which has been kept
    }
  }

  async #call(notice: Notice, lane: Lane): Promise<void> {
    const { board, text } = notice;
    try {
      if (notice.over) {
        await board.remove!(notice.handle);
        notice.handle = undefined;
        return;
      }
      if (notice.handle === undefined) notice.handle = await board.show(text);
      else await board.edit(notice.handle, text, notice.aborter.signal);
      notice.shown = text;
      notice.failures = 0;
    } catch (error) {
      const pauseMs = board.retryAfterMs(error);
      if (pauseMs !== undefined) lane.closedUntil = this.clock.now() + Math.max(pauseMs, board.everyMs);
      this.#failed(notice, text, error, pauseMs !== undefined);
    } finally {
      lane.nextAt = this.clock.now() + board.everyMs;
    }
  }

  /** After a pause the newest text is shown. What failed otherwise is not repeated: the next change tries again. */
  #failed(notice: Notice, text: string, error: unknown, paused: boolean): void {
    if (!notice.over && paused) return;
    notice.failures += 1;
    notice.shown = text;
    if (notice.failures === FAILURES_MAX) this.report(error);
  }
}
