import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

test("the adapters fit the types of the real packages", () => {
  const done = spawnSync("node", [here("../../node_modules/typescript/bin/tsc"), "-p", here(".")], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stdout + done.stderr);
});
