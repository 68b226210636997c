/**
 * The files of a spool, the same in every language: one a record that waits, in the JSON form of RecordRequest; and while a call is on
 * its way, one with its bytes, a RecordBatchRequest.
 */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { RecordBatchRequestMessage, RecordRequestMessage, type RecordRequest } from "../gen/bursar.js";
import { fromJson, toJson } from "../wire/json.js";
import type { Init } from "../wire/message.js";

const NAME = /^\d+-.+-\d+\.json$/;
const BATCH_NAME = /^(\d{16})-(.+)\.batch$/;
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

/* The file is whole or not there. */
function write(directory: string, name: string, bytes: Buffer, synced: boolean): void {
  const temporary = join(directory, `.${name}.${process.pid}.tmp`);
  const file = openSync(temporary, "w", 0o600);

  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    if (synced) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, join(directory, name));
}

/** Once it has returned, the file survives the end of the process and of the machine. */
export function writeFile(directory: string, name: string, text: string): void {
  write(directory, name, Buffer.from(text), true);
  syncFolder(directory);
}

/** `<microseconds>-<writer>-<number>.batch`; the writer is a random one, as process ids are the same in every container. */
export function batchName(us: number, writer: string, number: number): string {
  return `${String(us).padStart(16, "0")}-${writer}-${number}.batch`;
}

/** Once it has returned, the file survives the end of the process; that of the machine after `syncFile`. */
export function writeBatch(directory: string, name: string, bytes: Buffer): void {
  write(directory, name, bytes, false);
}

/** Nothing when it is gone. */
export async function syncFile(directory: string, name: string): Promise<void> {
  for (const path of [join(directory, name), directory]) {
    const file = await open(path, "r").catch(ignoreGone);
    await file?.sync().finally(() => file.close());
  }
}

function ignoreGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

/**
 * Makes records that wait of those whose process died in the middle of a call. Such a process may be alive, if several share the folder:
 * then its records arrive twice, and are charged once. Returns what is wrong with those that are no records, which are set aside, and with
 * those that the disk does not let be taken up, which stay for the next start.
 */
export function takeUpBatches(directory: string): { error: Error; stays: boolean }[] {
  const wrong: { error: Error; stays: boolean }[] = [];

  for (const name of readdirSync(directory).sort()) {
    const [, us, writer] = BATCH_NAME.exec(name) ?? [];
    if (!us || !writer) continue;
    try {
      takeUp(directory, name, Number(us), writer);
    } catch (error) {
      const stays = (error as NodeJS.ErrnoException).syscall !== undefined;
      wrong.push({ error: new Error(`${name}: ${(error as Error).message}`, { cause: error }), stays });
      if (!stays) setAside(directory, name, "bad");
    }
  }
  return wrong;
}

/* The names are the same whoever does it. */
function takeUp(directory: string, name: string, us: number, writer: string): void {
  const bytes = readBytes(directory, name);

  if (!bytes) return;
  const { items } = RecordBatchRequestMessage.decode(bytes);
  if (items.length === 0) throw new Error("has no records");
  items.forEach((record, i) => writeFile(directory, fileName(us, `${writer}.${i}`, record.attempt), toText(record)));
  removeFile(directory, name);
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
  return readBytes(directory, name)?.toString("utf8");
}

function readBytes(directory: string, name: string): Buffer | undefined {
  try {
    return readFileSync(join(directory, name));
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
