/**
 * What every bot does with a message, whatever its framework: asks whether it may run, waits in the queue without holding up the
 * framework, tells the user once what they have to know, runs the bot's own work, records its use, and gives everything back.
 */
import { setMaxListeners } from "node:events";
import type { Bursar } from "../core/bursar.js";
import type { Check, CheckInput } from "../core/check.js";
import { BursarError, Denied } from "../core/errors.js";
import type { LimitStatus } from "../gen/bursar.js";
import { BotJob, type Job } from "./job.js";
import { realClock, Recent, type Clock } from "./memory.js";
import { Notices } from "./notices.js";
import { checkOptions, valueFor, type BotOptions } from "./options.js";
import type { Button, Incoming } from "./place.js";
import { Speaker, type Texts } from "./texts.js";

/** The bot's own work, and what it is given. */
export type Work<Context> = (context: Context, job: Job) => unknown;

/** Makes a handler of a framework. */
export interface Limited<Context> {
  <Narrowed extends Context>(work: Work<Narrowed>): (context: Narrowed) => Promise<void>;
  /**
   * Takes no more, waits until the work that is under way has ended, and calls off what has not after `graceMs` (10,000). Before
   * `bursar.close()`.
   */
  close(graceMs?: number): Promise<void>;
}

const REMEMBERED = 10_000;
const GRACE_MS = 10_000;
/** How long work may take to notice that it has been called off. */
const LAST_MS = 2_000;
const NOTICE_MS = 1_000;
const COOLDOWN_MIN_MS = 1_000;
/** Shorter times the server does not keep. */
const TELL_AGAIN_MIN_MS = 1_000;
const TELL_AGAIN_MAX_MS = 86_400_000;
const COOLDOWN_MAX_MS = 3_600_000;
/** For how long it is not said again that nobody could be asked, or that too many wait. */
const TROUBLE_MS = 30_000;
/** Nothing that could be bought would change these. */
const NOT_FOR_SALE = new Set(["suspended", "deleted", "unknown_user", "request_closed"]);
/** The languages of the server's own sentences. */
const SERVER_SPEAKS = /^(en|de|ru|es)\b/i;

/** One update on its way. */
interface Visit<Context> extends Incoming {
  context: Context;
  /** What to tell when the work has ended. */
  warnings: string[];
}

/** The check of who pays, and that of the group, if it counts as well. */
interface Admission {
  check: Check;
  request: CheckInput;
  group: Check | undefined;
}

/** If the server knows. After a call that was sent again, the answer that said "now" may be the one that was lost. */
function toldBefore({ tell, retried }: Check): boolean | undefined {
  return tell === "now" ? false : tell === "not_again" && !retried ? true : undefined;
}

export class Engine<Context> {
  readonly #speaker: Speaker;
  readonly #notices: Notices;
  /** Updates that have come. */
  readonly #seen = new Recent<true>(REMEMBERED);
  /** Until when somebody need not be told something again. 0: they were to be told, and could not be. */
  readonly #told = new Recent<number>(REMEMBERED);
  readonly #jobs = new Set<Promise<void>>();
  /** Aborted when work has to end. */
  readonly #ending = new AbortController();
  #closing = false;

  constructor(private readonly bursar: Bursar, private readonly options: BotOptions<Context>, private readonly interfaceName: string,
    private readonly clock: Clock = realClock) {
    checkOptions(options);
    this.#speaker = new Speaker(options.texts);
    this.#notices = new Notices(clock, (error) => this.#report(error));
    setMaxListeners(0, this.#ending.signal); // one for each request that waits
  }

  /** `read` makes an Incoming of what the framework hands over, or undefined of what is not for the bot. */
  limited(read: (context: Context) => Incoming | undefined): Limited<Context> {
    const limited = <Narrowed extends Context>(work: Work<Narrowed>) => (context: Narrowed) => {
      const job = this.take(context, read, work as Work<Context>);
      return this.options.detach === false ? job : Promise.resolve();
    };
    return Object.assign(limited, { close: (graceMs?: number) => this.close(graceMs) });
  }

  /** Handles one update. What it returns resolves when all is done, and never rejects. */
  take(context: Context, read: (context: Context) => Incoming | undefined, work: Work<Context>): Promise<void> {
    if (this.#closing) return Promise.resolve();
    const job = this.#take(context, read, work).catch((error) => this.#report(error, context));
    this.#jobs.add(job);
    return job.finally(() => this.#jobs.delete(job));
  }

  async close(graceMs = GRACE_MS): Promise<void> {
    this.#closing = true;
    await this.#within(graceMs, () => Promise.all(this.#jobs));
    this.#ending.abort();
    await this.#within(LAST_MS, () => Promise.all(this.#jobs).then(() => this.#notices.idle()));
  }

  async #within(ms: number, what: () => Promise<unknown>): Promise<void> {
    let stop: () => void = () => {};
    await Promise.race([what(), new Promise<void>((resolve) => (stop = this.clock.after(ms, resolve)))]);
    stop();
  }

  async #take(context: Context, read: (context: Context) => Incoming | undefined, work: Work<Context>): Promise<void> {
    const incoming = read(context);
    if (!incoming || this.#seen.get(incoming.requestId)) return;
    this.#seen.set(incoming.requestId, true);
    const visit = { ...incoming, language: this.options.language?.(context) ?? incoming.language, context, warnings: [] };
    const { promptly } = incoming;
    const stop = promptly && this.clock.after(promptly.afterMs, () => void promptly.answer().catch((error) => this.#report(error, context)));
    try {
      if (this.#jobs.size >= (this.options.jobsMax ?? REMEMBERED)) return await this.#refuse(visit, "busy", TROUBLE_MS);
      const admission = await this.#admit(visit);
      if (!admission) return;
      await promptly?.answer();
      await this.#run(visit, admission, work);
    } finally {
      stop?.();
    }
  }

  // --- may it run? ---

  /** Asks for all accounts that count. Undefined: it may not run, and the user knows why; or it runs elsewhere. */
  async #admit(visit: Visit<Context>): Promise<Admission | undefined> {
    const { per = "user" } = this.options;
    const own = this.options.user?.(visit.context) ?? visit.user;
    const payer = visit.chat && per === "chat" ? visit.chat : own;
    if (!payer) throw new BursarError("INVALID_ARGUMENT", "user: nobody is known who sent this; set the option `user`", { field: "user" });
    const request = this.#request(visit, payer);
    let group: Check | undefined;
    try {
      if (visit.chat && per === "both") {
        group = await this.#check(visit, { ...this.#identity(visit, visit.chat), requestId: `${visit.requestId}-chat`, maxOutputTokens: 1 });
        if (!group) return undefined;
      }
      const check = await this.#check(visit, request);
      if (check) return { check, request, group };
    } catch (error) {
      this.#report(error, visit.context);
      await this.#refuse(visit, "unavailable", TROUBLE_MS);
    }
    if (group) await this.#giveBack(group);
    return undefined;
  }

  #identity(visit: Visit<Context>, user: string): CheckInput {
    const { cooldownMs } = this.options;
    const { once } = visit.place;
    const ask = once && (cooldownMs === undefined || cooldownMs >= TELL_AGAIN_MIN_MS);
    return {
      user, requestId: visit.requestId, interface: this.interfaceName, language: visit.language?.slice(0, 16),
      tellPlace: ask ? `${this.interfaceName}:${once}` : undefined,
      tellAgainMs: ask && cooldownMs ? Math.min(cooldownMs, TELL_AGAIN_MAX_MS) : undefined,
    };
  }

  #request(visit: Visit<Context>, user: string): CheckInput {
    const { model, inputTokens, maxOutputTokens } = this.options;
    return {
      ...this.#identity(visit, user),
      model: valueFor(model, visit.context),
      inputTokens: valueFor(inputTokens, visit.context),
      maxOutputTokens: valueFor(maxOutputTokens, visit.context),
    };
  }

  async #check(visit: Visit<Context>, request: CheckInput): Promise<Check | undefined> {
    const sentAt = this.clock.now();
    const check = await this.bursar.check(request);
    // The same update came before: to another process, or to this one before it was restarted.
    if (check.repeat && !(check.retried && (await this.#isOwn(check, sentAt)))) return undefined;
    if (check.allowed) return check;
    await this.#deny(visit, check);
    return undefined;
  }

  /** A check that had to be sent again may find itself. Then it was decided after it was sent; an older one is of another process. */
  async #isOwn(check: Check, sentAt: number): Promise<boolean> {
    const { nowUs } = await this.bursar.status({ user: check.user });
    return nowUs - check.startedAtUs <= (this.clock.now() - sentAt) * 1000;
  }

  async #giveBack(check: Check): Promise<void> {
    if (check.reservation) await this.bursar.cancel(check).catch((error) => this.#report(error));
  }

  // --- the work ---

  async #run(visit: Visit<Context>, admission: Admission, work: Work<Context>): Promise<void> {
    const { check, group } = admission;
    let done = false;
    this.#noteWarnings(visit, check.notify, check.message);
    try {
      done = await (this.options.pool ? this.#queue(visit, admission, work) : this.#work(visit, check, work));
    } finally {
      if (group) await (done ? this.bursar.record(group, { usage: {} }) : this.#giveBack(group));
    }
    for (const text of visit.warnings) await visit.place.say(text, this.#button(visit));
  }

  /** Waits for a slot of the pool; the user sees their place, if it takes longer than a moment. */
  async #queue(visit: Visit<Context>, { check, request }: Admission, work: Work<Context>): Promise<boolean> {
    const notice = this.#notices.open(visit.place);
    const showFrom = this.clock.now() + (this.options.noticeMs ?? NOTICE_MS);
    const { maxWaitMs } = this.options;
    let text = "";
    const stop = this.clock.after(showFrom - this.clock.now(), () => text && notice.update(text));
    let finish: (() => Promise<boolean>) | undefined;
    try {
      for await (const event of this.bursar.pool(this.options.pool).acquire(request, { maxWaitMs, signal: this.#ending.signal })) {
        if (event.type === "queued") {
          text = this.#placeText(visit, event.position, event.etaMs);
          if (this.clock.now() >= showFrom) notice.update(text);
        } else if (event.type === "granted") {
          stop();
          notice.end();
          finish = await this.#start(visit, check, work, event.slot.signal);
          break; // which gives the slot back
        }
      }
    } catch (error) {
      await this.#giveBack(check);
      await this.#notGranted(visit, error);
      return false;
    } finally {
      stop();
      notice.end();
    }
    return finish ? finish() : false;
  }

  async #notGranted(visit: Visit<Context>, error: unknown): Promise<void> {
    if (error instanceof Denied) return this.#deny(visit, error.check);
    if (!(error instanceof BursarError)) throw error;
    if (error.reason === "TAKEN_OVER") return; // the same request runs elsewhere
    if (error.code === "RESOURCE_EXHAUSTED") return this.#refuse(visit, "busy", error.retryAfterMs || TROUBLE_MS);
    if (error.code !== "CANCELLED") this.#report(error, visit.context);
    await this.#refuse(visit, "unavailable", TROUBLE_MS);
  }

  async #work(visit: Visit<Context>, check: Check, work: Work<Context>): Promise<boolean> {
    return (await this.#start(visit, check, work))();
  }

  /** Does the work. What it returns settles the bill. */
  async #start(visit: Visit<Context>, check: Check, work: Work<Context>, signal?: AbortSignal): Promise<() => Promise<boolean>> {
    const job = new BotJob(check, {
      record: async (target, input) => {
        const result = await this.bursar.record(target, input);
        this.#noteWarnings(visit, result.notify);
        return result;
      },
      cancel: (target) => this.bursar.cancel(target),
      remember: (target, input) => this.bursar.remember(target, input),
      failed: (error) => this.#report(error, visit.context),
    }, signal ?? this.#ending.signal);
    try {
      await work(visit.context, job);
    } catch (error) {
      this.#report(error, visit.context);
      return async () => {
        await job.abandon();
        await this.#say(visit, "failed");
        return false;
      };
    }
    return async () => {
      await job.finish();
      return true;
    };
  }

  // --- what the user is told ---

  #placeText(visit: Visit<Context>, position: number, etaMs: number): string {
    const place = this.#speaker.say(position > 1 ? "queued" : "next", visit.language, { position });
    const eta = place && etaMs >= 1000 ? this.#speaker.say("eta", visit.language, { waitMs: etaMs }) : "";
    return [place, eta].filter(Boolean).join(" ");
  }

  #button(visit: Visit<Context>): Button | undefined {
    const url = valueFor(this.options.upgradeUrl, visit.context);
    return url ? { text: this.#speaker.say("upgrade", visit.language), url } : undefined;
  }

  /** The server's sentence if it speaks the user's language or nobody does; it has the amounts. */
  #noteWarnings(visit: Visit<Context>, limits: LimitStatus[], message = ""): void {
    const { language } = visit;
    const served = message && (!language || SERVER_SPEAKS.test(language) || !this.#speaker.speaks(language));
    if (!limits.length) return;
    if (served) visit.warnings.push(message);
    else visit.warnings.push(...limits.map((limit) => this.#warning(limit, language)).filter(Boolean));
  }

  #warning(limit: LimitStatus, language: string | undefined): string {
    const window = limit.limit?.window;
    const name: keyof Texts = window === "CALENDAR_WINDOW_DAY" ? "warningDay" : window === "CALENDAR_WINDOW_WEEK" ? "warningWeek"
      : window === "CALENDAR_WINDOW_MONTH" ? "warningMonth" : "warning";
    return this.#speaker.say(name, language, { percent: limit.usedPercent });
  }

  async #deny(visit: Visit<Context>, check: Check): Promise<void> {
    const cooldownMs = this.options.cooldownMs ?? Math.min(Math.max(check.retryAfterMs || COOLDOWN_MAX_MS, COOLDOWN_MIN_MS), COOLDOWN_MAX_MS);
    const button = NOT_FOR_SALE.has(check.reason) ? undefined : this.#button(visit);
    await this.#tellOnce(visit, `${check.user} limit`, check.message, button, cooldownMs, toldBefore(check));
  }

  #refuse(visit: Visit<Context>, name: "busy" | "unavailable", waitMs: number): Promise<void> {
    return this.#tellOnce(visit, `${visit.user} ${name}`, this.#speaker.say(name, visit.language, { waitMs }), undefined, Math.min(waitMs, TROUBLE_MS));
  }

  /** `before`: whether they were told it before, if the server knows; this process knows only what it told itself. */
  async #tellOnce(visit: Visit<Context>, what: string, text: string, button: Button | undefined, cooldownMs: number, before?: boolean): Promise<void> {
    const key = `${visit.place.key} ${what}`;
    const now = this.clock.now();
    const until = this.#told.get(key);
    const again = until !== 0 && (before ?? (until !== undefined && until > now));
    if (!again) this.#told.set(key, now + cooldownMs);
    if (!text) return;
    try {
      await visit.place.deny(text, button, again);
    } catch (error) {
      if (!again) this.#told.set(key, 0); // nobody has read it
      this.#report(error, visit.context);
    }
  }

  async #say(visit: Visit<Context>, name: keyof Texts): Promise<void> {
    const text = this.#speaker.say(name, visit.language);
    if (text) await visit.place.say(text);
  }

  #report(error: unknown, context?: Context): void {
    try {
      if (this.options.onError) this.options.onError(error, context);
      else console.error("bursar:", error);
    } catch (failure) {
      console.error("bursar: onError failed:", failure);
    }
  }
}
