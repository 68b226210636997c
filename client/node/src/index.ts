/** Client of Bursar: rate limits, quotas, budgets and a fair queue for bots that call LLMs. */
export { Bursar, type RunOptions } from "./core/bursar.js";
export { BursarError, Denied, type Code, type ErrorParts } from "./core/errors.js";
export type { BursarOptions, FailPolicy, SpoolOptions, TlsOptions } from "./core/options.js";
export type { CallOptions } from "./core/call.js";
export type { Check, CheckInput, QualityName, ReasonName, TellName } from "./core/check.js";
export type { RecordResult, RecordTarget } from "./core/record.js";
export type { RecordInput } from "./core/usage.js";
export type { Job, UsageOptions } from "./core/job.js";
export {
  Pool, type AcquireOptions, type DrainingEvent, type GrantedEvent, type LostEvent, type PoolEvent, type PoolRunOptions, type QueuedEvent, type ReconnectingEvent,
  type Slot,
} from "./core/pool.js";
export type { AlertEvent, EventKind, EventsOptions, EventSeverity } from "./core/events.js";
export { RecordError } from "./core/spool.js";
export { estimateRequest, estimateTokens } from "./estimate/index.js";
export { VERSION } from "./gen/version.js";
export type { Init } from "./wire/message.js";
export type { LimitStatus, TokenUsage } from "./gen/bursar.js";
/** The messages of bursar.v1, as the server sends and takes them. */
export type * as api from "./gen/bursar.js";
