/**
 * What is on its way to a server, on disk until it has arrived: a process that is killed in the middle of a call loses nothing.
 * The records of a call share a file, which has the bytes of the call itself.
 */
import { randomBytes } from "node:crypto";
import { nowUs } from "./ids.js";
import { batchName, removeFile, syncFile, writeBatch } from "./spoolfile.js";

/** Most calls are answered by then; a file that outlives the machine as well costs the disk a hundred times as much. */
const SYNC_AFTER_MS = 100;

/** One file. */
export class Flight {
  private left: number;
  private readonly end: () => void;

  constructor(records: number, end: () => void) {
    this.left = records;
    this.end = end;
  }

  /** One of its records has arrived, or is kept elsewhere. */
  leave(): void {
    if (--this.left === 0) this.end();
  }
}

export class Ahead {
  private readonly directory: string;
  private readonly onError: (error: Error) => void;
  private readonly writer = randomBytes(4).toString("hex");
  private count = 0;

  constructor(directory: string, onError: (error: Error) => void) {
    this.directory = directory;
    this.onError = onError;
  }

  /** Writes a RecordBatchRequest of so many records. When the disk refuses, `onError` is told, and the call goes on without. */
  begin(batch: Buffer, records: number): Flight {
    const name = batchName(nowUs(), this.writer, this.count++);

    try {
      writeBatch(this.directory, name, batch);
    } catch (error) {
      this.onError(error as Error);
      return new Flight(records, () => {});
    }
    const timer = setTimeout(() => void syncFile(this.directory, name).catch(this.onError), SYNC_AFTER_MS);
    timer.unref();
    return new Flight(records, () => this.finish(name, timer));
  }

  private finish(name: string, timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    try {
      removeFile(this.directory, name);
    } catch (error) {
      this.onError(error as Error);
    }
  }
}
