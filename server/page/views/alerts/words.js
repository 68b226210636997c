/* Alerts, as people say them: kinds, severities, whom and what a rule is about, states of channels and deliveries. */
import { dateTime, duration, int, money } from "../../lib/format.js";
import { badge, link, userLink } from "../../lib/parts.js";
import { DIMENSIONS, amount, bare, kind, plural } from "../../lib/words.js";

/* What a rule of the kind has besides its name: `of` its accounts, `limits`, `percents`, one `percent`, `minimum`, `after`. */
export const KINDS = {
	threshold: { name: "Use of a limit", fires: "a quota or budget is used up to a threshold", of: true, limits: true, thresholds: true },
	projected: { name: "Limit will be reached", fires: "the use, at its present rate, will reach the limit before the window ends", of: true, limits: true, percent: 100, unit: "of the limit" },
	anomaly: { name: "Unusual spend", fires: "today's cost is far above the average of the 14 days before", of: true, percent: 300, unit: "of the average", minimum: true },
	denial: { name: "First denial", fires: "an account is denied for the first time on a day (UTC)", of: true },
	suspended: { name: "Suspension", fires: "an account is suspended, or its suspension is lifted", of: true },
	tier: { name: "Change of tier", fires: "an account moves to another tier", of: true },
	starving: { name: "Pool starves", fires: "somebody waits too long in a pool's queue", after: "Seconds beyond the pool's starvation time" },
	ledger_lag: { name: "Ledger is late", fires: "the ledger is behind", after: "Seconds behind", system: true },
	drift: { name: "Drift", fires: "counters and ledger differ", system: true },
	prices_old: { name: "Prices are old", fires: "the newest source of a price is old", after: "Age in seconds", system: true },
	unpriced: { name: "No price", fires: "requests are charged without a price of their own" },
	key_ends: { name: "Key expires", fires: "a key will expire soon", after: "Seconds before" },
	test: { name: "Test", fires: "a channel is tested" },
};

export const kindOf = (of) => bare(of.kind, "alert_kind");

export function kindName(value) {
	const name = bare(value, "alert_kind");
	return KINDS[name]?.name ?? name;
}

const TONES = { info: "", warning: "warn", critical: "bad" };

/* `missing`: what it means that none is set. */
export const severityOf = (value, missing) => (/unspecified|^$/.test(bare(value, "alert_severity")) ? missing : bare(value, "alert_severity"));

export function severityBadge(value) {
	const name = severityOf(value, "info");
	return badge(name, TONES[name]);
}

export const SEVERITIES = [["info", "Info"], ["warning", "Warning"], ["critical", "Critical"]];

export const CHANNELS = { webhook: "Webhook", email: "E-mail", slack: "Slack", discord: "Discord", teams: "Teams", telegram: "Telegram", command: "Command" };

export const channelKind = (channel) => bare(channel.kind, "alert_channel_kind");

/* Whose event it is: a link for a user. */
export function whose(event) {
	const of = bare(event.account_kind, "account_kind");

	if (!event.account)
		return event.tenant ? "" : "the installation";
	return of === "user" ? userLink(event.account) : link(`#/alerts?account=${encodeURIComponent(event.account)}`, `${of} ${event.account}`);
}

const ACCOUNTS = { user: "users", team: "teams", org: "organisations", model: "models", tenant: "the tenant" };

/* "users of tier pro in team red" */
export function subjects(rule) {
	if (!KINDS[kindOf(rule)]?.of)
		return "";
	const kinds = (rule.account_kinds ?? []).map((one) => ACCOUNTS[kind(one)] ?? kind(one));

	return [kinds.length ? kinds.join(", ") : "all accounts", rule.account && `with the id ${rule.account}`, rule.tier && `on the tier ${rule.tier}`, rule.team && `in the team ${rule.team}`]
		.filter(Boolean).join(" ");
}

const given = (value, prefix) => (/unspecified|^$/.test(bare(value, prefix)) ? "" : bare(value, prefix));

/* "cost per month" */
export function limits(rule) {
	if (!KINDS[kindOf(rule)]?.limits)
		return "";
	const what = given(rule.dimension, "dimension"), window = given(rule.window, "calendar_window");
	const counted = `${what ? (DIMENSIONS[what] ?? what).toLowerCase() : "anything"}${window ? ` per ${window}` : ""}`;

	return rule.limit ? `${rule.limit}${what || window ? `, ${counted}` : ""}` : what || window ? counted : "all quotas and budgets";
}

/* "at 50%, 80% and 100%" */
export function trigger(rule) {
	const { thresholds, percent, unit, minimum, after } = KINDS[kindOf(rule)] ?? {};

	if (thresholds)
		return [...(rule.percents ?? []).map((one) => `${one}%`), ...(rule.amounts ?? []).map((one) => amount(rule, one))].join(", ");
	if (percent)
		return `${int(rule.percent) || percent}% ${unit}${minimum && int(rule.minimum_nano_usd) ? `, from ${money(rule.minimum_nano_usd)} on` : ""}`;
	return after ? (int(rule.after_s) ? duration(int(rule.after_s) * 1e6) : "as shipped") : "";
}

export function destinations(rule) {
	if (rule.channels?.length)
		return rule.channels.join(", ");
	return rule.no_channels ? "none: only listed, and streamed to bots" : "all channels";
}

/* Minutes of a day as 07:30. */
export const clockOf = (value) => `${String(Math.floor(int(value) / 60)).padStart(2, "0")}:${String(int(value) % 60).padStart(2, "0")}`;

export function quietHours(channel) {
	const from = int(channel.quiet_from_minute), to = int(channel.quiet_to_minute);
	return from === to ? "" : `${clockOf(from)} to ${clockOf(to)}, ${channel.quiet_zone || "UTC"}`;
}

const STATES = { waiting: ["waiting", "warn"], delivered: ["delivered", "good"], dead: ["dead", "bad"], cancelled: ["cancelled", ""] };

export const deliveryState = (delivery) => bare(delivery.state, "alert_delivery_state");

export function deliveryBadge(delivery) {
	return badge(...(STATES[deliveryState(delivery)] ?? [deliveryState(delivery)]));
}

/* What the last attempt, or one of them, came to. */
export function outcome({ status, error }) {
	return [int(status) ? String(status) : "", error].filter(Boolean).join(": ") || "delivered";
}

export function circuit(channel) {
	const until = int(channel.open_until_us);
	return until > Date.now() * 1000 ? `no attempt until ${dateTime(until)}` : "";
}

export function failuresOf(channel) {
	return int(channel.failures) ? `${plural(channel.failures, "failure")} in a row` : "";
}
