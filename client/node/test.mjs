/** Runs the compiled tests: all, or those whose path contains one of the arguments. Node 18 to 24 read the arguments of --test differently, files they all take. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const out = join(dirname(fileURLToPath(import.meta.url)), "out");

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(folder, entry.name)) : entry.name.endsWith(".test.js") ? [join(folder, entry.name)] : []);
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const files = filesUnder(out).filter((file) => wanted.length === 0 || wanted.some((part) => file.slice(out.length).includes(part)));
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(", ")}`);
  process.exit(2);
}
const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
/* A test that hangs fails, and what it leaves open does not keep the runner. */
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 20 || (major === 20 && minor >= 14)) options.push("--test-timeout=300000", "--test-force-exit");
process.exit(spawnSync(process.execPath, ["--test", ...options, ...files], { stdio: "inherit" }).status ?? 1);
