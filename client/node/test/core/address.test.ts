import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { readAddresses } from "../../dist/esm/core/address.js";

const table = JSON.parse(readFileSync(new URL("../../../addresses.json", import.meta.url), "utf8")) as {
  accepted: { given: string; servers: string[] }[];
  refused: string[];
};

function setVariable(t: TestContext, value: string): void {
  const before = process.env["BURSAR_ADDR"];
  process.env["BURSAR_ADDR"] = value;
  t.after(() => (before === undefined ? delete process.env["BURSAR_ADDR"] : (process.env["BURSAR_ADDR"] = before)));
}

test("what the table accepts is connected to as it says, given or in BURSAR_ADDR", (t) => {
  assert.ok(table.accepted.length > 10);
  for (const { given, servers } of table.accepted) {
    assert.deepEqual(readAddresses(given), servers);
    assert.deepEqual(readAddresses(given.split(",")), servers);
    setVariable(t, given);
    assert.deepEqual(readAddresses(undefined), servers);
  }
});

test("what the table refuses is refused", () => {
  assert.ok(table.refused.length > 20);
  for (const given of table.refused) {
    assert.throws(() => readAddresses(given), { code: "INVALID_ARGUMENT", field: "address" }, `'${given}' was taken`);
  }
});

test("a variable that is empty is as good as none; the same address twice is one", (t) => {
  setVariable(t, "");
  assert.deepEqual(readAddresses(undefined), ["127.0.0.1:7420"]);
  assert.deepEqual(readAddresses(["a", "b", "a:7420"]), ["a:7420", "b:7420"]);
});

test("the message says how to write it", () => {
  assert.throws(() => readAddresses("a,http://b:7420"), { message: /^address: 'http:\/\/b:7420' is not an address: write it without http:\/\/;/ });
});
