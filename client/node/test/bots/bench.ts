/** What the tests of bots run against besides a real Bursar: imitations of messengers, and work whose end the test decides. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

type Json = any;

export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const PYTHON = "/usr/bin/python3";

/** A program that says in its first line where it is, and then answers lines of JSON. */
export class Program {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;
  #last: Promise<unknown> = Promise.resolve();
  ready: Json;

  constructor(command: string, args: string[], env: Record<string, string> = {}) {
    this.process = spawn(command, args, { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...env } });
    this.#reader = createInterface(this.process.stdout!);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  static async start(command: string, args: string[], env?: Record<string, string>): Promise<Program> {
    const program = new Program(command, args, env);
    program.ready = await program.#answer();
    return program;
  }

  async #answer(): Promise<Json> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.process.spawnargs.join(" ")} ended`);
    return JSON.parse(value);
  }

  /** One order after another. */
  order(what: object): Promise<Json> {
    const answer = this.#last.then(async () => {
      this.process.stdin!.write(JSON.stringify(what) + "\n");
      const got = await this.#answer();
      if (got.error) throw new Error(got.error);
      return got;
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async end(): Promise<void> {
    this.process.stdin!.end();
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
    this.#reader.close();
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
    this.#reader.close();
  }
}

async function request(url: string, body?: object): Promise<Json> {
  const answer = await fetch(url, body ? { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {});
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

export interface TelegramCall {
  n: number;
  bot: number;
  method: string;
  params: Json;
  came: number;
  ended: number | null;
  answer: Json;
}

/** The imitation of Telegram. */
export class Telegram {
  private constructor(private readonly program: Program) {}

  static async start(): Promise<Telegram> {
    return new Telegram(await Program.start(PYTHON, ["tests/clients/imitations/telegram.py"]));
  }

  get url(): string {
    return this.program.ready.url;
  }

  control(verb: string, asked: object): Promise<Json> {
    return request(`${this.url}/control/${verb}`, asked);
  }

  message(bot: number, user: number | object, text: string, chat?: number | object): Promise<{ update_id: number; message_id: number }> {
    return this.control("message", { bot, user, text, ...(chat ? { chat } : {}) });
  }

  async calls(method: string, options: { chat?: number; since?: number; wait?: number } = {}): Promise<TelegramCall[]> {
    return (await this.control("calls", { method, timeout_s: 60, ...options })).calls;
  }

  /** The texts sent to a chat; waits until there are so many. */
  async said(chat: number, wait = 0): Promise<string[]> {
    return (await this.calls("sendMessage", { chat, wait })).map((call) => call.params.text);
  }

  end(): Promise<void> {
    return this.program.end();
  }
}

const AIOHTTP = "aiohttp==3.13.2";

const FOLDER = join(ROOT, "build/clients", AIOHTTP.replace("==", "-"));

/** The imitation of Discord needs aiohttp, which is installed once per clone. Why that cannot be done, or false. */
export function discordMissing(): string | false {
  if (existsSync(FOLDER)) return false;
  const fresh = `${FOLDER}.${process.pid}`; // test files run side by side
  mkdirSync(fresh, { recursive: true });
  const pip = spawnSync(PYTHON, ["-m", "pip", "install", "--quiet", "--no-compile", "--target", fresh, AIOHTTP], { encoding: "utf8" });
  if (pip.status === 0 && !existsSync(FOLDER)) {
    try {
      renameSync(fresh, FOLDER);
    } catch {
      // another one was first
    }
  }
  rmSync(fresh, { recursive: true, force: true });
  return existsSync(FOLDER) ? false : `aiohttp could not be installed: ${String(pip.stderr ?? pip.error).trim().slice(-200)}`;
}

/** The imitation of Discord. */
export class Discord {
  private constructor(private readonly program: Program) {}

  static async start(): Promise<Discord> {
    return new Discord(await Program.start(PYTHON, ["tests/clients/imitations/discord.py"], { PYTHONPATH: FOLDER }));
  }

  get api(): string {
    return this.program.ready.api;
  }

  control(verb: string, asked: object): Promise<Json> {
    return request(`${this.program.ready.control}/${verb}`, asked);
  }

  look(what: string, query: Record<string, string> = {}): Promise<Json> {
    return request(`${this.program.ready.control}/${what}?${new URLSearchParams(query)}`);
  }

  end(): Promise<void> {
    return this.program.end();
  }
}

const WORK_MS = 150_000;

/** Work that ends when the test says so. A bot fetches `url` with the text that it is to answer. */
export class Gate {
  readonly #server: Server;
  readonly #held = new Map<string, ServerResponse>();
  readonly #wakes = new Set<() => void>();
  /** Texts in the order in which work on them began. */
  readonly begun: string[] = [];
  /** True: work ends at once. */
  open = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Gate> {
    const gate: Gate = new Gate(createServer((asked, answer) => gate.#came(new URL(asked.url!, "http://x").searchParams.get("text")!, answer)));
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  #came(text: string, answer: ServerResponse): void {
    answer.setHeader("connection", "close"); // one that idles may end just when the next request is sent
    this.begun.push(text);
    if (this.open) answer.end(`answer to ${text}`);
    else this.#held.set(text, answer);
    for (const wake of this.#wakes) wake();
    this.#wakes.clear();
  }

  /** Waits until work on so many texts has begun. */
  async work(count: number): Promise<string[]> {
    const late = setTimeout(() => this.#wakes.forEach((wake) => wake()), WORK_MS);
    const before = Date.now();
    while (this.begun.length < count) {
      await new Promise<void>((resolve) => this.#wakes.add(resolve));
      if (Date.now() - before >= WORK_MS) throw new Error(`work on ${this.begun.length} texts has begun, not on ${count}`);
    }
    clearTimeout(late);
    return this.begun;
  }

  /** Ends the work on a text. */
  release(text: string): void {
    this.#held.get(text)?.end(`answer to ${text}`);
    this.#held.delete(text);
  }

  releaseAll(): void {
    this.open = true;
    for (const text of [...this.#held.keys()]) this.release(text);
  }

  end(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
