/* What a change of limits means: which become lower, higher, new or gone. */
import { h } from "./dom.js";
import { dateTime, int } from "./format.js";
import { badge, table } from "./parts.js";
import { amount, kind, limitKind, limitName } from "./words.js";

const FIELDS = ["dimension", "kind", "amount", "period_us", "burst", "window", "interface", "model", "shadow", "until_us"];

/* "requests_per_minute" of a denial, of whose account if it is not the user's own. */
export function limitText(event) {
	const of = kind(event.account_kind);
	return (event.limit ?? "").replaceAll("_", " ") + (event.limit && of !== "user" ? ` (${of})` : "");
}

export function figure(limit) {
	if (!limit)
		return "–";
	const burst = int(limit.burst);
	return amount(limit, limit.amount) + (limitKind(limit) === "bucket" && burst && burst !== int(limit.amount) ? `, burst ${amount(limit, burst)}` : "") +
		(limit.shadow ? ", shadow" : "");
}

/* What is left out is 0, false or "". */
const told = (value) => (value && value !== "0" && !String(value).endsWith("_UNSPECIFIED") ? bareName(value) : "");
const bareName = (value) => String(value).toLowerCase().replace(/^(dimension|limit_kind|calendar_window)_/, "");

function direction(before, after) {
	if (!before)
		return after.shadow ? ["new", ""] : ["new limit", "bad"];
	if (!after)
		return before.shadow ? ["removed", ""] : ["removed", "good"];
	if (Boolean(before.shadow) !== Boolean(after.shadow))
		return after.shadow ? ["no longer denies", "good"] : ["denies from now on", "bad"];
	const was = int(before.amount), is = int(after.amount);
	if (was !== is)
		return is > was ? ["higher", "good"] : ["lower", "bad"];
	return FIELDS.some((name) => told(before[name]) !== told(after[name])) ? ["changed", ""] : null;
}

/* [{ limit, before, after, word, tone }] of what differs; limits are matched by name. */
export function difference(before, after) {
	const older = new Map(before.map((limit) => [limit.name, limit])), newer = new Map(after.map((limit) => [limit.name, limit]));
	const names = new Set([...older.keys(), ...newer.keys()]);

	return [...names].flatMap((name) => {
		const found = direction(older.get(name), newer.get(name));
		return found ? [{ limit: newer.get(name) ?? older.get(name), before: older.get(name), after: newer.get(name), word: found[0], tone: found[1] }] : [];
	});
}

export function differenceTable(caption, rows) {
	return rows.length === 0 ? h("p.muted", "No limit changes.") : table(caption, [
		{ name: "Limit", cell: (row) => limitName(row.limit) },
		{ name: "Now", number: true, cell: (row) => figure(row.before) },
		{ name: "Then", number: true, cell: (row) => figure(row.after) },
		{ name: "Effect", cell: (row) => badge(row.word, row.tone) },
	], rows, { quiet: true });
}

/* A user's limits under a tier: the tier's, with the user's overrides in place of those of the same name. */
export function underTier(tier, overrides = []) {
	const own = new Map(overrides.map((limit) => [limit.name, limit]));
	return [...(tier?.limits ?? []).filter((limit) => !own.has(limit.name)), ...overrides];
}

export function limitsTable(caption, limits) {
	return table(caption, [
		{ name: "Limit", cell: limitName },
		{ name: "Amount", number: true, cell: figure },
		...(limits.some((limit) => int(limit.until_us)) ? [{ name: "Ends", cell: (limit) => (int(limit.until_us) ? dateTime(limit.until_us) : "never") }] : []),
	], limits, { quiet: true });
}
