/**
 * One connection for each address, used in turn. One that fails is left out and probed with fresh connections until a server
 * answers again: grpc-js's own back-off, which grows to half a minute, is never waited for.
 */
import { readFileSync } from "node:fs";
import { Client, credentials, Metadata, type ChannelCredentials, type ServiceError } from "@grpc/grpc-js";
import { BursarError, cancelled, fromStatus, isTransient } from "./errors.js";
import type { Settings, TlsOptions } from "./options.js";

const CHANNEL_OPTIONS = {
  /* We make our own attempts, and a proxy from the environment cannot reach a server on loopback. */
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.max_receive_message_length": 64 << 20,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  /* The holder of a lease must notice a silent server well before the lease ends. */
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
};
const PROBE_MS = 1_000;
const PROBE_PAUSES_MS = [0, 50, 100, 200, 400];
const HEALTH = "/grpc.health.v1.Health/Check";

/** Before the next look for a server that was not there so often. */
export function probePauseMs(failures: number, random = Math.random): number {
  return (PROBE_PAUSES_MS[Math.min(failures, PROBE_PAUSES_MS.length - 1)] as number) * (0.75 + random() / 2);
}

const same = (bytes: Buffer): Buffer => bytes;

function makeCredentials(tls: TlsOptions | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  try {
    return credentials.createSsl(
      tls.ca === "system" ? null : readFileSync(tls.ca),
      tls.key ? readFileSync(tls.key) : null,
      tls.cert ? readFileSync(tls.cert) : null,
    );
  } catch (error) {
    throw new BursarError("INVALID_ARGUMENT", `tls: ${(error as Error).message}`, { field: "tls", cause: error });
  }
}

export interface Attempt {
  /** Of this attempt, in milliseconds since 1970. */
  deadline: number;
  signal?: AbortSignal | undefined;
  metadata?: Record<string, string> | undefined;
}

export interface StreamCall {
  pause(): void;
  resume(): void;
  /** Ends it; nothing is told afterwards. */
  cancel(): void;
}

export class Link {
  readonly address: string;
  up = true;
  private client: Client | undefined;
  private readonly owner: Channels;
  private timer: NodeJS.Timeout | undefined;
  private readonly streams = new Set<() => void>();

  constructor(address: string, owner: Channels) {
    this.address = address;
    this.owner = owner;
  }

  private make(): Client {
    return new Client(this.address, this.owner.credentials, CHANNEL_OPTIONS);
  }

  private current(): Client {
    return (this.client ??= this.make());
  }

  /** One attempt of a call. */
  unary(path: string, bytes: Buffer, attempt: Attempt): Promise<Buffer> {
    const client = this.current();

    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(path, same, same, bytes, this.owner.metadata(attempt), { deadline: attempt.deadline },
        (error: ServiceError | null, answer?: Buffer) => {
          attempt.signal?.removeEventListener("abort", stop);
          if (!error && answer) return resolve(answer);
          const failure = attempt.signal?.aborted ? cancelled(attempt.signal) : fromStatus(error ?? { details: "no answer" });
          this.judge(failure, client);
          reject(failure);
        });
      const stop = () => call.cancel();
      attempt.signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** A stream without a deadline. Its end is told once: with the error, or without one after the server's OK or `cancel`. */
  stream(path: string, bytes: Buffer, metadata: Record<string, string> | undefined,
    onMessage: (bytes: Buffer) => void, onEnd: (error?: BursarError) => void): StreamCall {
    const client = this.current();
    const call = client.makeServerStreamRequest(path, same, same, bytes, this.owner.metadata({ metadata }), {});
    let ended = false;
    const abort = () => call.cancel();
    const end = (error?: BursarError) => {
      this.streams.delete(abort);
      if (ended) return;
      ended = true;
      if (error) this.judge(error, client);
      onEnd(error);
    };

    this.streams.add(abort);
    call.on("data", onMessage);
    call.on("error", (error: ServiceError) => end(fromStatus(error)));
    call.on("end", () => end());
    return {
      pause: () => call.pause(),
      resume: () => call.resume(),
      cancel: () => {
        ended = true;
        call.cancel();
      },
    };
  }

  /* Does this failure say that the connection or its server is of no use? */
  private judge(error: BursarError, client: Client): void {
    if (client !== this.client || this.owner.closed || !isTransient(error)) return;
    if (error.fromServer && error.reason !== "DRAINING") return;
    this.owner.lastError = error;
    this.client = undefined;
    this.up = false;
    client.close();
    this.probe(0);
  }

  private probe(failures: number): void {
    this.timer = setTimeout(() => {
      const client = this.make();
      client.makeUnaryRequest(HEALTH, same, same, Buffer.alloc(0), this.owner.metadata({}), { deadline: Date.now() + PROBE_MS },
        (error: ServiceError | null) => this.probed(client, failures, error));
    }, probePauseMs(failures));
    this.timer.unref();
  }

  private probed(client: Client, failures: number, error: ServiceError | null): void {
    const failure = error ? fromStatus(error) : undefined;

    if (this.owner.closed) return client.close();
    /* Any answer of a server will do: also that it is not ready, because it may decide by a tier's own policy. */
    if (failure && isTransient(failure) && (!failure.fromServer || failure.reason === "DRAINING")) {
      this.owner.lastError = failure;
      client.close();
      return this.probe(failures + 1);
    }
    this.client = client;
    this.up = true;
    this.owner.cameUp();
  }

  close(): void {
    clearTimeout(this.timer);
    for (const abort of [...this.streams]) abort();
    this.client?.close();
    this.client = undefined;
  }
}

export class Channels {
  readonly links: Link[];
  readonly credentials: ChannelCredentials;
  closed = false;
  lastError: BursarError | undefined;
  private readonly key: string;
  private turn: number;
  private waiting = new Set<() => void>();
  private listeners: (() => void)[] = [];

  constructor(settings: Settings) {
    this.credentials = makeCredentials(settings.tls);
    this.key = settings.key;
    this.links = settings.addresses.map((address) => new Link(address, this));
    /* Processes of a fleet that start together do not all begin with the first server. */
    this.turn = Math.floor(Math.random() * this.links.length);
  }

  metadata(attempt: { metadata?: Record<string, string> | undefined }): Metadata {
    const metadata = new Metadata();

    if (this.key) metadata.set("authorization", `Bearer ${this.key}`);
    for (const name in attempt.metadata) metadata.set(name, attempt.metadata[name] as string);
    return metadata;
  }

  /** The next one that is up, or nothing. */
  pick(): Link | undefined {
    if (this.closed) return undefined;
    for (let i = 0; i < this.links.length; i++) {
      const link = this.links[this.turn++ % this.links.length] as Link;
      if (link.up) return link;
    }
    return undefined;
  }

  /** The first one in the order of the addresses that is up. */
  first(): Link | undefined {
    return this.closed ? undefined : this.links.find((link) => link.up);
  }

  get anyUp(): boolean {
    return this.links.some((link) => link.up);
  }

  noServer(last = this.lastError): BursarError {
    if (this.closed) return new BursarError("CANCELLED", "the client was closed", { reason: "ABORTED_BY_CALLER" });
    if (last?.reason === "NO_SERVER") return last;
    const where = this.links.map((link) => link.address).join(", ");
    return new BursarError("UNAVAILABLE", `no server answers at ${where}${last ? `: ${last.message}` : ""}`, { reason: "NO_SERVER", cause: last });
  }

  /** Waits until a server answers; rejects at the deadline. */
  whenUp(deadline: number, signal?: AbortSignal): Promise<void> {
    if (this.anyUp && !this.closed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (error?: BursarError) => {
        clearTimeout(timer);
        this.waiting.delete(up);
        signal?.removeEventListener("abort", stop);
        if (error) reject(error);
        else resolve();
      };
      const up = () => (this.closed ? settle(this.noServer()) : settle());
      const stop = () => settle(cancelled(signal as AbortSignal));
      const timer = setTimeout(() => settle(this.noServer()), Math.max(0, deadline - Date.now()));

      this.waiting.add(up);
      signal?.addEventListener("abort", stop, { once: true });
      if (this.closed) settle(this.noServer());
      else if (signal?.aborted) stop();
    });
  }

  /** Calls back each time that a server is back. */
  onUp(listener: () => void): void {
    this.listeners.push(listener);
  }

  cameUp(): void {
    for (const resolve of [...this.waiting]) resolve();
    for (const listener of this.listeners) listener();
  }

  close(): void {
    this.closed = true;
    for (const resolve of [...this.waiting]) resolve();
    for (const link of this.links) link.close();
  }
}
