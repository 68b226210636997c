/* Bars that lie: limits, shares, and lists of what is most. */
import { h, renew, uid } from "./dom.js";
import { count, dateTime, int, percent, relative } from "./format.js";
import { ENDLESS, amount, bare, limitKind, limitName } from "./words.js";
import { badge } from "./parts.js";

/* A bar that a screen reader reads as "<label>: <words>". */
export function meter(label, ratio, words, tone = "", held = 0) {
	const part = (value) => `${Math.min(Math.max(value, 0), 1) * 100}%`;

	return h(`div.meter${tone ? `.${tone}` : ""}`, {
		role: "meter", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100",
		"aria-valuenow": Math.round(Math.min(Math.max(ratio, 0), 1) * 100), "aria-valuetext": words,
		style: { "--value": part(ratio), "--held": part(held) },
	});
}

function tone(status, ratio) {
	if (status.limit?.shadow)
		return "shadow";
	if (ratio >= 1)
		return "full";
	return status.warning || ratio >= 0.8 ? "near" : "";
}

function when(status) {
	const reset = int(status.resets_at_us);
	const words = limitKind(status.limit) === "calendar" ? "Resets" : "Full again";

	if (limitKind(status.limit) === "level" || !reset)
		return "";
	if (limitKind(status.limit) === "bucket" && int(status.used) <= 0)
		return "Full";
	return [`${words} `, h("time", { datetime: new Date(reset / 1000).toISOString(), title: dateTime(reset) }, relative(reset)), `, ${dateTime(reset)}`];
}

/* One limit of an account, from GetStatus. `override`: the account's own limit, not its tier's. */
export function limitBar(status, override) {
	const { limit } = status;
	const of = int(status.effective_amount), used = int(status.used), ratio = of > 0 ? used / of : 1, id = uid("limit");
	const words = of >= ENDLESS ? `${amount(limit, used)} used, no limit` : `${amount(limit, used)} of ${amount(limit, of)}`;

	return h("li.limit", { "data-limit": limit.name },
		h("div.limit-head", h("h3", { id }, limitName(limit)), override && badge("override"), limit.shadow && badge("shadow"),
			of !== int(limit.amount) && limitKind(limit) === "calendar" && badge("grace")),
		meter(limitName(limit), of >= ENDLESS ? 0 : ratio, `${words} used`, tone(status, ratio), of > 0 ? int(status.held) / of : 0),
		h("p.limit-figures", h("b", words), of < ENDLESS && ` · ${percent(ratio)}`,
			int(status.held) > 0 && ` · ${amount(limit, status.held)} held by open requests`),
		h("p.limit-when", when(status), int(limit.until_us) > 0 && ` · Override ends ${dateTime(limit.until_us)}`));
}

/* All limits of one account. */
export function limitList(account, overrides = []) {
	const own = new Set(overrides.map((limit) => limit.name));
	const limits = account.limits ?? [];

	return limits.length
		? h("ul.limits", limits.map((status) => limitBar(status, own.has(status.limit.name))))
		: h("p.muted", `This ${bare(account.kind, "account_kind") || "account"} has no limits of its own.`);
}

/* What is most: rows [{ name, value, note, href, tone }], with the longest bar for the largest. */
export function ranking(place, caption, rows, format = count) {
	const most = Math.max(...rows.map((row) => row.value), 0);
	const id = uid("ranking");

	renew(place, h("p.sr-only", { id }, caption), h("ol.ranking", { "aria-labelledby": id }, rows.map((row) => h("li",
		h("span.ranking-name", row.href ? h("a", { href: row.href }, row.name) : row.name),
		h("span.ranking-value", format(row.value), row.note && h("small", row.note)),
		h(`span.ranking-bar${row.tone !== undefined ? `.series-${row.tone}` : ""}`, {
			"aria-hidden": "true", style: { "--value": most > 0 ? `${(row.value / most) * 100}%` : "0%" },
		})))));
}
