/**
 * Builds the package. `node build.mjs` makes the stubs from ../../proto, then dist/esm and dist/cjs;
 * `node build.mjs stubs` makes the stubs only; `node build.mjs test` also compiles test/ into out/test.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeStubs } from "./stubs.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, "../..");
const version = JSON.parse(readFileSync(join(here, "package.json"), "utf8")).version;

function tsc(...args) {
  try {
    execFileSync(process.execPath, [join(here, "node_modules/typescript/bin/tsc"), ...args], { cwd: here, stdio: "inherit" });
  } catch {
    process.exit(1);
  }
}

function stubs() {
  mkdirSync(join(here, "src/gen"), { recursive: true });
  for (const [name, text] of makeStubs(join(repository, "proto")))
    writeFileSync(join(here, "src/gen", name), text);
  const rule = readFileSync(join(repository, "client/estimate/rule.json"), "utf8").trim();
  writeFileSync(join(here, "src/gen/rule.ts"), `/** The numbers of client/estimate/rule.json. */\nexport const RULE = ${rule} as const;\n`);
  writeFileSync(join(here, "src/gen/version.ts"), `/** The version of the package. */\nexport const VERSION: string = ${JSON.stringify(version)};\n`);
}

function packageFormats() {
  rmSync(join(here, "dist"), { recursive: true, force: true });
  tsc("-p", "tsconfig.json");
  tsc("-p", "tsconfig.cjs.json");
  writeFileSync(join(here, "dist/esm/package.json"), '{"type": "module"}\n');
  writeFileSync(join(here, "dist/cjs/package.json"), '{"type": "commonjs"}\n');
  if (existsSync(join(repository, "LICENSE"))) cpSync(join(repository, "LICENSE"), join(here, "LICENSE"));
}

const what = process.argv[2];
stubs();
if (what !== "stubs") packageFormats();
if (what === "test") {
  rmSync(join(here, "out"), { recursive: true, force: true });
  tsc("-p", "tsconfig.test.json");
}
