/** What a bot's work is given. */
import type { Check } from "../core/check.js";
import { RunningJob, type Job as CoreJob, type Recorder } from "../core/job.js";

export interface Job extends CoreJob {
  /** Aborted when the slot is lost, which somebody else may hold then, and when the bot stops. */
  readonly signal: AbortSignal;
}

export class BotJob extends RunningJob implements Job {
  readonly signal: AbortSignal;

  constructor(check: Check, recorder: Recorder, signal: AbortSignal) {
    super(check, recorder);
    this.signal = signal;
  }
}
