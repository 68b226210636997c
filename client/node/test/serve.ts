/** A real Bursar for a test file: tests/clients/serve.py, spoken to in lines of JSON. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** For a client whose own time limits are not what a test is about: on a busy machine, any call may take long. */
export const PATIENT = { timeoutMs: 120_000, attemptMs: 60_000, failAfterMs: 120_000 };

const SERVE = fileURLToPath(new URL("../../../tests/clients/serve.py", import.meta.url));

export interface Order {
  do: string;
  [name: string]: unknown;
}

export class Served {
  readonly addresses: string[];
  readonly http: string[];
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, hello: { grpc: string[]; http: string[] }) {
    this.child = child;
    this.lines = lines;
    this.addresses = hello.grpc;
    this.http = hello.http;
  }

  /** Arguments as serve.py takes them: "--bursards", "2", "--clock", "ledger_batch=100". */
  static async start(...args: string[]): Promise<Served> {
    const child = spawn("/usr/bin/python3", [SERVE, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error("serve.py ended before its servers were ready");
    return new Served(child, lines, JSON.parse(first.value));
  }

  /** Rejects when the order fails. Orders are obeyed one after the other. */
  order(order: Order): Promise<any> {
    const answer = this.turn.then(async () => {
      this.child.stdin!.write(`${JSON.stringify(order)}\n`);
      const line = await this.lines.next();
      const read = JSON.parse(line.value ?? '{"error": "serve.py has ended"}');
      if (read.error) throw new Error(read.error);
      return read;
    });
    this.turn = answer.catch(() => {});
    return answer;
  }

  /** The command line, which must succeed. */
  async bursar(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.order({ do: "bursar", args });
    if (status !== 0) throw new Error(`bursar ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  /** Ends all servers; rejects when one of them ended badly. */
  async end(): Promise<void> {
    const ended = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    this.child.stdin!.end();
    const status = await ended;
    if (status !== 0) throw new Error(`serve.py ended with ${status}`);
  }
}

/** Waits until `ready` says so, and fails after a minute. */
export async function until<T>(ready: () => T | Promise<T>, what = "the condition"): Promise<NonNullable<T>> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await ready();
    if (value) return value as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`${what} did not come about in 60 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
