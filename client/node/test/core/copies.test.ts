import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { BursarError, Denied, RecordError, type Check } from "bursar";

test("errors are recognized across copies of the package, such as ESM and CommonJS", () => {
  const other = createRequire(import.meta.url)("bursar") as typeof import("bursar");
  assert.notEqual(other.Denied, Denied);
  const denied = new other.Denied({ message: "no", reason: "quota", quality: "exact" } as Check);
  const failed = new other.BursarError("UNAVAILABLE", "nobody answers");
  assert.ok(denied instanceof Denied && denied instanceof BursarError);
  assert.ok(failed instanceof BursarError && !(failed instanceof Denied) && !(failed instanceof RecordError));
  const others: unknown[] = [new Error("x"), null, "text"];
  assert.ok(others.every((one) => !(one instanceof BursarError)));
});
