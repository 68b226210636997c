import assert from "node:assert/strict";
import { test } from "node:test";
import { Bursar, VERSION } from "bursar";

test("the package exports the client", () => {
  assert.equal(typeof Bursar, "function");
  assert.match(VERSION, /^\d+\.\d+\.\d+$/);
});
