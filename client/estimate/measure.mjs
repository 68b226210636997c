/**
 * Compares the rule for token estimates with a real tokenizer (o200k_base, of the npm package gpt-tokenizer), and prints the table of
 * docs/clients-llm.md.
 *
 *     cd client/node && npm ci && npm run build && npm install --no-save gpt-tokenizer@4.0.0
 *     node ../estimate/measure.mjs            # the table
 *     node ../estimate/measure.mjs --write    # also writes what it found into vectors.json, after a change of the rule or of a text
 *     node ../estimate/measure.mjs --fit      # searches for better numbers on the texts that are `fitted`, and prints the rule
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { Estimator } = await import(here("../node/dist/esm/estimate/estimate.js"));
const { estimateRequest } = await import(here("../node/dist/esm/estimate/request.js"));
const { encode } = createRequire(here("../node/package.json"))("gpt-tokenizer/encoding/o200k_base");
const rule = JSON.parse(readFileSync(here("rule.json"), "utf8"));
const vectors = JSON.parse(readFileSync(here("vectors.json"), "utf8"));

for (const each of vectors.texts) {
  if (each.tokens !== null) each.tokens = encode(each.text).length;
  each.estimate = new Estimator(rule).tokens(each.text);
}
for (const each of vectors.requests) each.estimate = estimateRequest(each.body);
const real = vectors.texts.filter((each) => each.tokens !== null);

/** The squared relative errors; those above 12% weigh more. */
function badness() {
  const estimator = new Estimator(rule);
  return real.filter((each) => each.fitted).reduce((sum, { text, tokens }) => {
    const off = Math.abs(estimator.tokens(text) / tokens - 1);
    return sum + off * off * (1 + 20 * Math.max(0, off - 0.12));
  }, 0);
}

/** Turns each knob as long as it helps, until none does. */
function fit() {
  const { other, ...words } = rule.words;
  const { khmer, ...characters } = rule.characters;
  const knobs = [...Object.values(words).flatMap((word) => [[word, "covers", 1, 1], [word, "more", 10, 0]]),
    ...Object.values(characters).map((each) => [each, "each", 10, 0]),
    [rule.marks, "first", 50, 0], [rule.marks, "more", 50, 0], [rule.marks, "before_letter", 50, 0], [rule.runs, "each", 10, 0]];
  let best = badness();
  for (let better = true; better;) {
    better = false;
    for (const [holder, name, size, least] of knobs)
      for (const step of [size, -size, 5 * size, -5 * size])
        for (;;) {
          const before = holder[name];
          holder[name] = before + step;
          const now = holder[name] < least ? Infinity : badness();
          if (now > best - 1e-6) { holder[name] = before; break; }
          [best, better] = [now, true];
        }
  }
  console.log(JSON.stringify(rule, null, 1));
}

function table() {
  const ratio = (name) => {
    const found = real.find((each) => each.name === name);
    return found ? (found.estimate / found.tokens).toFixed(2) + (found.fitted ? "" : "*") : "";
  };
  const of = (kind) => [...new Set(real.filter((each) => each.name.startsWith(kind + " ")).map((each) => each.name.split(" ")[1]))];
  const both = (kind, name) => ["a", "b", "c"].map((set) => ratio(`${kind} ${name} ${set}`)).filter(Boolean).join(", ");
  console.log("| language | prose | JSON |\n|---|---|---|");
  for (const name of of("prose")) console.log(`| ${name} | ${both("prose", name)} | ${both("json", name)} |`);
  console.log("\n| text | estimate / tokens |\n|---|---|");
  for (const kind of ["code", "json", "chat", "runs"])
    for (const name of of(kind)) if (!of("prose").includes(name)) console.log(`| ${kind}: ${name} | ${both(kind, name)} |`);
  const off = real.map((each) => Math.abs(each.estimate / each.tokens - 1));
  console.log(`\n${real.length} texts; off by ${(100 * off.reduce((a, b) => a + b) / off.length).toFixed(1)}% on average, ${(100 * Math.max(...off)).toFixed(0)}% at most`);
  const four = real.map((each) => Math.abs(each.text.length / 4 / each.tokens - 1));
  console.log(`four characters a token: ${(100 * four.reduce((a, b) => a + b) / four.length).toFixed(1)}% on average, ${(100 * Math.max(...four)).toFixed(0)}% at most`);
}

if (process.argv.includes("--fit")) fit();
else table();
if (process.argv.includes("--write")) writeFileSync(here("vectors.json"), JSON.stringify(vectors, null, 1) + "\n");
