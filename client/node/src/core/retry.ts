/** Sends again what no server has answered, under the same id. A denial is an answer. */
import { cancelled, isTransient, type BursarError } from "./errors.js";
import type { Channels } from "./channels.js";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

export interface RetryPolicy {
  deadline: number;
  attempts: number;
  signal?: AbortSignal | undefined;
  /** Throws when no server is up, instead of waiting for one: the caller keeps the request and sends it later. */
  impatient?: boolean;
  /** Waits for a server, but sends nothing a second time. */
  once?: boolean | undefined;
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(cancelled(signal as AbortSignal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);

    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Full jitter: anything up to a bound that doubles, never before the server's own time. */
export function pauseMs(failures: number, retryAfterMs: number, random = Math.random): number {
  return Math.max(random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures), retryAfterMs);
}

/** A connection that broke or was never made says nothing about the call: it is not counted as an attempt. */
function counts(error: BursarError): boolean {
  return error.fromServer || error.code === "DEADLINE_EXCEEDED";
}

export async function retrying<T>(channels: Channels, policy: RetryPolicy, attempt: (failures: number) => Promise<T>): Promise<T> {
  let answered = 0;

  for (let failures = 0; ; failures++) {
    let sent = false;
    if (policy.signal?.aborted) throw cancelled(policy.signal);
    try {
      if (channels.closed || !channels.anyUp) {
        if (policy.impatient) throw channels.noServer();
        await channels.whenUp(policy.deadline, policy.signal);
      }
      sent = true;
      return await attempt(failures);
    } catch (error) {
      if (policy.once && sent) throw error;
      if (!isTransient(error) || channels.closed || policy.signal?.aborted) throw error;
      if (counts(error) && ++answered >= policy.attempts) throw error;
      if (policy.impatient && (counts(error) || !channels.anyUp)) throw error;
      const pause = pauseMs(failures, error.retryAfterMs);
      if (Date.now() + pause >= policy.deadline) throw error;
      await sleep(pause, policy.signal);
    }
  }
}
