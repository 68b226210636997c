import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "bursar";

const HERE = fileURLToPath(new URL("../..", import.meta.url));
const NPM = process.env["npm_execpath"];

function pack(folder: string): string {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const out = NPM ? execFileSync(process.execPath, [NPM, ...args], { cwd: HERE }) : execFileSync("npm", args, { cwd: HERE });
  return join(folder, JSON.parse(String(out))[0].filename);
}

/* An application with the packed package, beside the dependencies that npm would install. */
function application(t: TestContext): { folder: string; tarball: string } {
  const folder = mkdtempSync(join(tmpdir(), "bursar-package-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const tarball = pack(folder);
  mkdirSync(join(folder, "node_modules/bursar"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "--strip-components=1", "-C", join(folder, "node_modules/bursar")]);
  const grpc = join(folder, "node_modules/@grpc");
  mkdirSync(grpc);
  symlinkSync(join(HERE, "node_modules/@grpc/grpc-js"), join(grpc, "grpc-js"));
  return { folder, tarball };
}

test("the packed package loads as a module and from require, and both are the same client", async (t) => {
  const { folder } = application(t);
  const use = 'const made = new Bursar({ address: "127.0.0.1:1" }); console.log(VERSION, typeof made.admin.setTier, typeof made.pool().run); await made.close();';
  writeFileSync(join(folder, "a.mjs"), `import { Bursar, Denied, VERSION } from "bursar"; ${use}`);
  writeFileSync(join(folder, "b.cjs"), `const { Bursar, Denied, VERSION } = require("bursar"); (async () => { ${use} })();`);
  for (const file of ["a.mjs", "b.cjs"]) assert.equal(String(execFileSync(process.execPath, [join(folder, file)])).trim(), `${VERSION} function function`);
});

test("loading it loads no framework, and nothing but its one dependency", async (t) => {
  const { folder } = application(t);
  writeFileSync(join(folder, "c.cjs"), 'require("bursar"); console.log(JSON.stringify(Object.keys(require.cache)));');
  const loaded: string[] = JSON.parse(String(execFileSync(process.execPath, [join(folder, "c.cjs")])));
  const packages = new Set(loaded.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1]));
  for (const framework of ["grammy", "telegraf", "discord.js", "express", "next", "openai", "ai", "@anthropic-ai/sdk", "@opentelemetry/api"]) assert.ok(!packages.has(framework), framework);
  assert.ok(packages.has("bursar") && packages.has("@grpc/grpc-js"));
});

test("packing twice gives the same bytes, without sources or tests", async (t) => {
  const { folder, tarball } = application(t);
  const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const first = digest(tarball);
  assert.equal(digest(pack(folder)), first);
  const names = String(execFileSync("tar", ["-tzf", tarball])).trim().split("\n");
  assert.deepEqual(names.filter((name) => !/^package\/(dist\/|README\.md$|LICENSE$|package\.json$)/.test(name)), []);
  assert.ok(names.includes("package/dist/esm/index.d.ts") && names.includes("package/LICENSE"));
});

test("the version is the project's", () => {
  const cmake = readFileSync(join(HERE, "../../CMakeLists.txt"), "utf8");
  assert.equal(VERSION, /project\(bursar VERSION (\S+)/.exec(cmake)?.[1]);
});
