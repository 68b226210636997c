/** What Express and Next.js have in common: options, the check, the answer to a denial. */
import type { Check, CheckInput } from "../core/check.js";
import { BursarError } from "../core/errors.js";
import { addressUser, clientAddress, TrustedProxies } from "./address.js";
import { checkHeaders, denialBody, unavailableHeaders, UNAVAILABLE_BODY, type HeaderChoice, type ResetForm } from "./headers.js";
import { Recorder, ResponseJob, type Client } from "./recorder.js";

type May<T> = T | Promise<T>;

export interface RateLimitOptions<Req> {
  /** Whose limits count: the id of who has logged in. Undefined, or without this option: the client's address, as `ip:...`. */
  user?: (req: Req) => May<string | undefined | null>;
  /** The model that the route will call, so that its cost is held. */
  model?: string | ((req: Req) => May<string | undefined>);
  /** Proxies whose X-Forwarded-For is believed: "loopback", "linklocal", "uniquelocal", addresses, CIDR blocks. Default: none. */
  trustedProxies?: readonly string[];
  /** Which headers tell of limits; default "both". */
  headers?: HeaderChoice;
  /** X-RateLimit-Reset in seconds from now, or as an epoch like express-rate-limit; default "seconds". */
  reset?: ResetForm;
  /** The body of a denial, as JSON; default: {"error": {"message", "type", "code"}}. `denialBody` makes those of other APIs. */
  deny?: (req: Req, check: Check) => May<unknown>;
  /** What the request will use: estimated tokens, mode, searches. */
  estimate?: (req: Req) => May<Pick<CheckInput, "inputTokens" | "maxOutputTokens" | "cachedInputTokens" | "mode" | "expected">>;
  /** True: the request is not limited. */
  skip?: (req: Req) => May<boolean>;
  /** For routes that call no LLM: counts the request at once, and records nothing afterwards. */
  settle?: boolean;
  /** An id under which the same request may come again without counting twice. Only for handlers that do the work once for an id. */
  requestId?: (req: Req) => May<string | undefined>;
  /** Default: the client's, or "web". */
  interface?: string;
  language?: (req: Req) => May<string | undefined>;
  tenant?: string;
  /** How long to wait for a handler to tell its use after its client has gone; default 5,000. */
  lingerMs?: number;
  /** Errors that nobody waits for, such as a record that was refused. */
  onError?: (error: Error) => void;
}

/** Either a job for the handler, or an answer in its place. */
export type Outcome = { headers: Record<string, string> } & ({ job: ResponseJob } | { status: number; body: unknown });

/** Where a request comes from. */
export interface Origin {
  socket: string | undefined;
  forwarded: string | undefined;
  signal?: AbortSignal | undefined;
}

export class Limiter<Req> {
  readonly options: RateLimitOptions<Req>;
  readonly #trusted: TrustedProxies;
  readonly #recorder: Recorder;

  constructor(client: Client, options: RateLimitOptions<Req>) {
    this.options = options;
    this.#trusted = new TrustedProxies(options.trustedProxies);
    this.#recorder = new Recorder(client, options.onError);
  }

  async #user(req: Req, origin: Origin): Promise<string> {
    const user = await this.options.user?.(req);
    if (user) return user;
    const address = clientAddress(origin.socket, origin.forwarded, this.#trusted);
    if (address) return addressUser(address);
    throw new TypeError("bursar: user(req) gave no user, and the client's address is not known: set `user`, or `trustedProxies` behind a proxy");
  }

  async #input(req: Req, origin: Origin): Promise<CheckInput> {
    const { options } = this;
    const input: CheckInput = { ...(await options.estimate?.(req)), user: await this.#user(req, origin) };
    input.model = typeof options.model === "function" ? await options.model(req) : options.model;
    input.interface = options.interface ?? "web";
    input.language = await options.language?.(req);
    input.requestId = await options.requestId?.(req);
    input.headers = (options.headers ?? "both") !== "none";
    if (options.tenant) input.tenant = options.tenant;
    if (options.settle) input.settle = true;
    return input;
  }

  /** Decides. Throws what is not an answer for the client: wrong arguments, a missing key. */
  async admit(req: Req, origin: Origin): Promise<Outcome> {
    const { headers: choice = "both", reset, lingerMs = 5_000, settle = false } = this.options;
    const input = await this.#input(req, origin);
    let check: Check;
    try {
      check = await this.#recorder.client.check(input, { signal: origin.signal });
    } catch (error) {
      if (!(error instanceof BursarError) || (error.code !== "UNAVAILABLE" && error.code !== "DEADLINE_EXCEEDED")) throw error;
      this.#recorder.failed(error);
      return { status: 503, headers: unavailableHeaders(error), body: UNAVAILABLE_BODY };
    }
    const headers = checkHeaders(check, choice, reset);
    if (check.allowed) return { job: new ResponseJob(check, this.#recorder, lingerMs, settle), headers };
    const body = this.options.deny ? await this.options.deny(req, check) : denialBody(check);
    return { status: 429, headers, body };
  }
}
