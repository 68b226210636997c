import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { estimateRequest, estimateTokens } from "bursar";

interface Text { name: string; text: string; tokens: number | null; estimate: number }
const vectors = JSON.parse(readFileSync(new URL("../../../estimate/vectors.json", import.meta.url), "utf8")) as {
  texts: Text[]; requests: { name: string; body: object; estimate: number }[];
};
/* The languages for which the rule is made. Others are read by it, too. */
const LANGUAGES = ["ar", "de", "en", "es", "fr", "hi", "ja", "ko", "ru", "th", "tr", "zh"];

test("estimates are those of the vectors, to the token", () => {
  assert.ok(vectors.texts.length > 90);
  for (const { name, text, estimate } of vectors.texts) assert.equal(estimateTokens(text), estimate, name);
  for (const { name, body, estimate } of vectors.requests) assert.equal(estimateRequest(body), estimate, name);
});

test("prose, code and JSON are within 25% of o200k in twelve languages", () => {
  const real = vectors.texts.filter(({ tokens }) => tokens !== null);
  const asked = real.filter(({ name }) => name.startsWith("code ") || LANGUAGES.includes(name.split(" ")[1]!) || name.startsWith("json "));
  assert.ok(asked.length > 60);
  for (const { name, tokens, estimate } of asked) assert.ok(Math.abs(estimate / tokens! - 1) <= 0.25, `${name}: ${estimate} of ${tokens}`);
});

test("a tokenizer that is given counts in place of the rule", () => {
  assert.equal(estimateRequest({ messages: [{ role: "user", content: "a b c" }] }, (text) => text.split(" ").length), 3 + 4 + 3);
});

test("a long text is read in one pass, also when it nearly consists of runs", () => {
  assert.ok(estimateTokens("a-".repeat(300_000)) > 300_000);
  assert.ok(estimateTokens("aB3".repeat(200_000)) > 100_000);
});
