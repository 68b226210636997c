/** Time, as the engine needs it; tests bring their own. */
export interface Clock {
  now(): number;
  /** Calls `then` after a while; the answer calls it off. */
  after(ms: number, then: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, then) {
    // A timer beyond 2^31 ms would fire at once.
    const timer = setTimeout(then, Math.min(ms, 0x7fff_ffff));
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};

/** The newest `size` keys, each with a value. A Map keeps the order in which keys were added. */
export class Recent<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.#size) this.#entries.delete(this.#entries.keys().next().value!);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
