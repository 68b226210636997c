/** The files of a spool: one a record, in the JSON form of RecordRequest, the same in every language. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { RecordRequestMessage, type RecordRequest } from "../gen/bursar.js";
import { fromJson, toJson } from "../wire/json.js";
import type { Init } from "../wire/message.js";

const NAME = /^\d+-.+-\d+\.json$/;
const ABANDONED_MS = 60_000;

/** `<microseconds>-<request id>-<attempt>.json`; what file systems dislike in an id is percent-encoded, and a long one is hashed. */
export function fileName(us: number, requestId: string, attempt: number): string {
  let id = "";

  for (const byte of Buffer.from(requestId, "utf8")) {
    const character = String.fromCharCode(byte);
    id += /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  if (id.length > 128) id = createHash("sha256").update(requestId).digest("hex");
  return `${String(us).padStart(16, "0")}-${id || "0"}-${attempt}.json`;
}

export function toText(request: Init<RecordRequest>): string {
  return `${JSON.stringify(toJson(RecordRequestMessage, request))}\n`;
}

/** Throws when the text is not a record. */
export function fromText(text: string): Init<RecordRequest> {
  return fromJson(RecordRequestMessage, JSON.parse(text));
}

function syncFolder(directory: string): void {
  const folder = openSync(directory, "r");

  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Once it has returned, the file survives the end of the process and of the machine. */
export function writeFile(directory: string, name: string, text: string): void {
  const temporary = join(directory, `.${name}.${process.pid}.tmp`);
  const file = openSync(temporary, "w", 0o600);

  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(directory, name));
  syncFolder(directory);
}

/** Names and sizes, oldest first. Makes the folder, and removes what writers that died have left half written. */
export function listFiles(directory: string): { name: string; bytes: number }[] {
  const found: { name: string; bytes: number }[] = [];

  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(directory).sort()) {
    try {
      const { size, mtimeMs } = statSync(join(directory, name));
      if (NAME.test(name)) found.push({ name, bytes: size });
      else if (name.endsWith(".tmp") && name.startsWith(".") && Date.now() - mtimeMs > ABANDONED_MS) unlinkSync(join(directory, name));
    } catch {
      /* another process was faster */
    }
  }
  return found;
}

/** Nothing when another process has delivered it meanwhile. */
export function readFile(directory: string, name: string): string | undefined {
  try {
    return readFileSync(join(directory, name), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export function removeFile(directory: string, name: string): void {
  try {
    unlinkSync(join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Sets a file aside: `*.refused` or `*.bad`. */
export function setAside(directory: string, name: string, why: "refused" | "bad"): void {
  try {
    renameSync(join(directory, name), join(directory, `${name}.${why}`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
