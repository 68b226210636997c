/**
 * Reservations of requests that run. They are held for a short time, and extended while this process lives: those of a process that died
 * are free again soon, and not after the quarter of an hour that a request may take.
 */
import { LimiterMethods } from "../gen/bursar.js";
import type { Caller } from "./call.js";
import { isTransient } from "./errors.js";

/** How long a reservation is extended at most, unless its check says otherwise: as long as a server holds it by default. */
export const LONGEST_MS = 15 * 60_000;
/** The API knows no shorter time: one that lasts until so much before its end is as long as it may be. */
const SHORTEST_MS = 1_000;
/** Further reservations are extended once, as far as they may be: a program that never records must not cost more and more. */
const KEPT_MAX = 10_000;
const CONCURRENT = 32;

interface Kept {
  handle: string;
  began: number;
  longestMs: number;
  /** How far it was extended the last time, and until when that lasts. */
  ttlMs: number;
  until: number;
}

/** For how long a check asks to hold its reservation. */
export function firstTtlMs(orphanMs: number, longestMs: number | undefined): number | undefined {
  return orphanMs > 0 ? Math.min(orphanMs, longestMs ?? LONGEST_MS) : longestMs;
}

export class Keeper {
  private readonly kept = new Map<string, Kept>();
  private timer: NodeJS.Timeout | undefined;
  private readonly caller: Caller;
  private readonly orphanMs: number;

  constructor(caller: Caller) {
    this.caller = caller;
    this.orphanMs = caller.settings.orphanMs;
  }

  /** Of a check that was allowed just now. */
  keep(handle: string, longestMs = LONGEST_MS): void {
    const now = performance.now();

    if (this.orphanMs <= 0 || longestMs <= this.orphanMs) return;
    const kept = { handle, began: now, longestMs, ttlMs: this.orphanMs, until: now + this.orphanMs };
    if (this.kept.size >= KEPT_MAX) return void this.renew(kept, longestMs).catch(() => {});
    this.kept.set(handle, kept);
    this.timer ??= setTimeout(() => void this.look(), this.orphanMs / 4).unref();
  }

  /** It was recorded, or given back. */
  drop(handle: string): void {
    this.kept.delete(handle);
  }

  private async look(): Promise<void> {
    const now = performance.now();
    /* When half of the time has passed. The longer a request runs, the less often: half as long again each time. */
    await this.each((kept) => (kept.until - now > kept.ttlMs / 2 ? 0 : Math.min(Math.max(this.orphanMs, now - kept.began), kept.began + kept.longestMs - now)));
    this.timer = this.kept.size > 0 ? setTimeout(() => void this.look(), this.orphanMs / 4).unref() : undefined;
  }

  /** Extends those for which `ttl` is not 0. */
  private async each(ttl: (kept: Kept) => number): Promise<void> {
    if (!this.caller.channels.anyUp) return;
    const due = [...this.kept.values()].map((kept) => ({ kept, ttlMs: ttl(kept) })).filter((one) => one.ttlMs !== 0);
    const lane = async () => {
      for (let one = due.pop(); one; one = due.pop()) await this.extend(one.kept, one.ttlMs);
    };

    await Promise.all(Array.from({ length: CONCURRENT }, lane));
  }

  private async extend(kept: Kept, ttlMs: number): Promise<void> {
    const now = performance.now();

    if (!this.kept.has(kept.handle)) return;
    try {
      await this.renew(kept, ttlMs);
      kept.ttlMs = ttlMs;
      kept.until = now + ttlMs;
      if (kept.until >= kept.began + kept.longestMs - SHORTEST_MS) this.drop(kept.handle);
    } catch (error) {
      /* It has ended, as another client has recorded it. While no server answers, it is tried again. */
      if (!isTransient(error) || performance.now() > kept.until) this.drop(kept.handle);
    }
  }

  private renew(kept: Kept, ttlMs: number): Promise<unknown> {
    const request = { reservation: { handle: kept.handle }, reservationTtlUs: Math.round(ttlMs * 1000) };
    return this.caller.unary(LimiterMethods.renew, request, { timeoutMs: this.caller.settings.attemptMs });
  }

  /** The client ends, and its process need not: what is open may be recorded by another one. */
  async close(): Promise<void> {
    const now = performance.now();

    clearTimeout(this.timer);
    await this.each((kept) => kept.began + kept.longestMs - now);
    clearTimeout(this.timer);
    this.kept.clear();
  }
}
