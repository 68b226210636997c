/** Request ids. A call that is sent again has to carry the same id, so one that has none gets it before the first attempt. */
import { randomFillSync } from "node:crypto";

const pool = Buffer.alloc(4096);
let used = pool.length;

/** 32 hex digits from the system's generator, drawn for many ids at a time. */
export function newRequestId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return pool.toString("hex", used - 16, used);
}

let last = 0;

/** Microseconds since 1970, never the same twice in a process. */
export function nowUs(): number {
  last = Math.max(last + 1, Date.now() * 1000);
  return last;
}
