import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInTexts, durationText, Speaker, type Texts } from "../../dist/esm/bots/texts.js";

test("every language has every text, with the same places for values", () => {
  const english = builtInTexts["en"]!;
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();
  for (const [language, texts] of Object.entries(builtInTexts)) {
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(english).sort(), language);
    for (const name of Object.keys(english) as (keyof Texts)[]) assert.deepEqual(places(texts[name]), places(english[name]), `${language}.${name}`);
  }
  assert.deepEqual(Object.keys(builtInTexts).sort(), ["ar", "de", "en", "es", "fr", "hi", "ja", "ko", "pt", "ru", "tr", "zh"]);
});

test("the user's language is found by its tag, and English speaks where it is not known", () => {
  const speaker = new Speaker();
  assert.equal(speaker.say("queued", "de", { position: 3 }), "⏳ Du bist Nummer 3 in der Warteschlange.");
  assert.equal(speaker.say("queued", "pt-BR", { position: 3 }), "⏳ Você é o número 3 na fila.");
  assert.equal(speaker.say("next", "zh_hans"), "⏳ 下一个就轮到您。");
  for (const unknown of ["xx", "", undefined, "not a tag"]) assert.equal(speaker.say("next", unknown), "⏳ You are next.");
});

test("own texts replace built-in ones, for a language or for all", () => {
  const speaker = new Speaker({ "pt-BR": { next: "É a sua vez." }, "*": { upgrade: "Pro" }, de: { failed: "" } });
  assert.equal(speaker.say("next", "pt-br"), "É a sua vez.");
  assert.equal(speaker.say("next", "pt"), "⏳ Você é o próximo.");
  assert.equal(speaker.say("upgrade", "ja"), "Pro");
  assert.equal(speaker.say("upgrade", "xx"), "Pro");
  assert.equal(speaker.say("failed", "de-AT"), "");
});

test("a duration is said in one unit, rounded up", () => {
  const said = [1, 999, 1_001, 59_000, 90_000, 91_000, 3_600_000, 5_400_000, 200_000_000].map((ms) => durationText(ms, "en"));
  assert.deepEqual(said, ["1 second", "1 second", "2 seconds", "59 seconds", "2 minutes", "2 minutes", "60 minutes", "2 hours", "3 days"]);
  assert.equal(durationText(60_000, "ru"), "60 секунд");
  assert.equal(durationText(60_000, "not a tag"), "60 seconds");
});
