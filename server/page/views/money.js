/* What it costs: over time, by what, by whom, where the month is going, and what has no price. */
import { get, messages } from "../lib/api.js";
import { meter, ranking } from "../lib/bars.js";
import { timeChart } from "../lib/chart.js";
import { h } from "../lib/dom.js";
import { choice } from "../lib/fields.js";
import { count, day, int, money, percent, shortMoney, short, utcDay } from "../lib/format.js";
import { card, empty, link, loaded, table, tile, userLink } from "../lib/parts.js";
import { remember } from "../lib/route.js";
import { plural } from "../lib/words.js";

const DAY_MS = 86400e3, SHOWN = 5, OTHERS = 5;
const PERIODS = [["month", "This month"], ["last", "Last month"], ["30", "Last 30 days"], ["90", "Last 90 days"]];
const KEYS = [["model", "Model"], ["interface", "Interface"], ["team", "Team"], ["tier", "Tier"]];
const NO_TIER = "not known";

/* [first, last] day of a period, as Dates at midnight UTC. */
function period(name) {
	const now = new Date(), month = (offset, date) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset, date));
	const today = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));

	if (name === "month")
		return [month(0, 1), today];
	if (name === "last")
		return [month(-1, 1), month(0, 0)];
	return [new Date(today.getTime() - (Number(name) - 1) * DAY_MS), today];
}

function daysOf([from, to]) {
	return Array.from({ length: Math.round((to - from) / DAY_MS) + 1 }, (_, i) => utcDay(new Date(from.getTime() + i * DAY_MS)));
}

/* All lines of a report. */
async function report(query, signal) {
	const lines = [];

	for await (const part of messages("/v1/reports/lines", query, signal))
		lines.push(...(part.lines ?? []));
	return lines;
}

/* Map of name -> { cost by day, total }, from lines that `name(line)` names. */
function byName(lines, name) {
	const found = new Map();

	for (const line of lines) {
		const one = found.get(name(line)) ?? { days: new Map(), total: 0 };
		one.days.set(line.day, (one.days.get(line.day) ?? 0) + int(line.cost_nano_usd));
		one.total += int(line.cost_nano_usd);
		found.set(name(line), one);
	}
	return found;
}

/* Teams have reports of their own; what nobody's team used is what is left of the whole. */
async function byTeam(stats, span, tenant, signal) {
	const teams = (stats.by_team ?? []).slice(0, SHOWN).map((team) => team.name);
	const reports = await Promise.all(teams.map((id) => report({ tenant, kind: "team", id, by: "day", ...span }, signal)));
	const found = new Map(teams.map((id, i) => [id, byName(reports[i], () => id).get(id) ?? { days: new Map(), total: 0 }]));
	const rest = { days: new Map((stats.days ?? []).map((one) => [one.day, int(one.cost_nano_usd)])), total: int(stats.total?.cost_nano_usd) };

	for (const team of found.values()) {
		rest.total -= team.total;
		for (const [name, cost] of team.days)
			rest.days.set(name, (rest.days.get(name) ?? 0) - cost);
	}
	return found.set("No team, and others", rest);
}

/* The most expensive ones as series, and all others as one. */
function series(found, days) {
	const sorted = [...found].sort((a, b) => b[1].total - a[1].total).filter(([, one]) => one.total !== 0);
	const values = (one) => days.map((name) => Math.max(one.days.get(name) ?? 0, 0));
	const shown = sorted.slice(0, SHOWN).map(([name, one], tone) => ({ name: name || "none", values: values(one), tone }));
	const others = sorted.slice(SHOWN).map(([, one]) => values(one));

	if (others.length)
		shown.push({ name: `${others.length} others`, values: days.map((_, i) => others.reduce((sum, one) => sum + one[i], 0)), tone: OTHERS });
	return shown;
}

function summary(stats, days) {
	const cost = int(stats.total?.cost_nano_usd);
	return `${money(cost)} for ${plural(stats.total?.requests, "request")} in ${plural(days.length, "day")}, ${money(cost / days.length)} a day.`;
}

function forecastCard(forecast) {
	const budget = int(forecast.budget_nano_usd), spent = int(forecast.cost_nano_usd), projected = int(forecast.projected_cost_nano_usd);
	const words = `${money(spent)} of ${money(budget)}`;

	return [
		h("p.tile-value", money(projected)),
		h("p", `expected by the end of the month, if it goes on like the last ${plural(forecast.basis_days, "day")}. So far ${money(spent)}.`),
		budget > 0 && [h("p", `Budget: ${words} (${percent(spent / budget)}).`), meter("Budget of the month", spent / budget, words, spent / budget >= 1 ? "full" : projected > budget ? "near" : "")],
		forecast.runs_out_on ? h("p.notice.warn", `At this pace the budget runs out on ${day(forecast.runs_out_on, true)}.`)
			: budget > 0 && h("p.muted", "The budget lasts until the end of the month."),
	];
}

/* Requests without a price of their own, by model. */
function flagged(lines) {
	const found = new Map();

	for (const line of lines.filter((one) => int(one.unpriced_requests) > 0)) {
		const one = found.get(line.model) ?? { model: line.model, provider: line.provider, requests: 0, last: "" };
		one.requests += int(line.unpriced_requests);
		one.last = one.last > line.day ? one.last : line.day;
		found.set(line.model, one);
	}
	if (found.size === 0)
		return empty("Every request has a price of its own.");
	return [
		table("Requests without a price of their own", [
			{ name: "Model", cell: (one) => link(`#/prices?q=${encodeURIComponent(one.model)}`, [one.provider, one.model].filter(Boolean).join("/")) },
			{ name: "Requests", number: true, cell: (one) => count(one.requests) },
			{ name: "Last on", cell: (one) => day(one.last) },
		], [...found.values()].sort((a, b) => b.requests - a.requests), { quiet: true }),
		h("p.muted", "Import the price, then ", h("code", "bursar ledger rerate"), " corrects the rows."),
	];
}

function topUsers(stats) {
	return stats.top_users?.length ? table("Users by cost", [
		{ name: "User", cell: (one) => userLink(one.user) },
		{ name: "Requests", number: true, cell: (one) => count(one.requests) },
		{ name: "Tokens", number: true, cell: (one) => short(one.tokens) },
		{ name: "Cost", number: true, cell: (one) => money(one.cost_nano_usd) },
	], stats.top_users, { quiet: true }) : empty("Nobody used anything in this time.");
}

function rankingIn(title, rows) {
	const place = h("div");

	ranking(place, title, (rows ?? []).slice(0, 8).map((one) => ({ name: one.name || "none", value: int(one.cost_nano_usd), note: plural(one.requests, "request") })), money);
	return rows?.length ? place : empty("Nothing in this time.");
}

const rankingOf = (title, rows) => card(title, rankingIn(title, rows));

/* What its users were on at the time; earlier versions did not keep that. */
function tierCard(rows = []) {
	return card("By tier", rankingIn("By tier", rows.map((one) => ({ ...one, name: one.name || NO_TIER }))),
		rows.some((one) => !one.name) && h("p.muted", "Of requests from before an upgrade the tier is not known."));
}

const LINE_NAMES = { model: (line) => line.model, interface: (line) => line.interface, tier: (line) => line.tier || NO_TIER };

async function load(choices, { tenant, signal }) {
	const range = period(choices.period), days = daysOf(range), span = { from_day: days[0], to_day: days.at(-1) };
	const whole = { tenant, kind: "tenant", by: ["day", "model"], ...span };
	const [stats, lines, other] = await Promise.all([
		get("/v1/stats", { tenant, from_us: range[0].getTime() * 1000, to_us: range[1].getTime() * 1000, top: 10, by_tier: "true" }, signal),
		report(whole, signal), ["interface", "tier"].includes(choices.by) ? report({ ...whole, by: ["day", choices.by] }, signal) : null,
	]);
	const found = choices.by === "team" ? await byTeam(stats, span, tenant, signal) : byName(other ?? lines, LINE_NAMES[choices.by] ?? LINE_NAMES.model);

	return { days, stats, lines, found };
}

function drawn({ days, stats, lines, found }, forecast) {
	const chart = timeChart({ title: "Cost by day", unit: "Day (UTC)", format: money, axis: shortMoney, asBars: true });
	const tiles = [["Cost", money(stats.total?.cost_nano_usd)], ["Requests", short(stats.total?.requests)],
		["Tokens", short(int(stats.total?.input_tokens) + int(stats.total?.output_tokens))],
		["Cost of a request", int(stats.total?.requests) ? money(int(stats.total.cost_nano_usd) / int(stats.total.requests)) : "–"]];

	chart.update({ labels: days.map((name) => day(name)), longLabels: days.map((name) => day(name, true)), series: series(found, days), summary: summary(stats, days) });
	return h("div.view",
		h("div.tiles", tiles.map(([label, value]) => {
			const made = tile(label);
			made.set(value);
			return made.element;
		})),
		card("Cost by day", chart.element),
		h("div.columns.three", rankingOf("By model", stats.by_model), rankingOf("By interface", stats.by_interface), rankingOf("By team", stats.by_team), tierCard(stats.by_tier)),
		h("div.columns", card("Top users", topUsers(stats)), h("div.stack", card("Forecast of this month", forecast), card("Without a price", flagged(lines)))));
}

export const moneyView = {
	title: () => "Money",
	show(root, context) {
		const { tenant, signal, query } = context;
		const when = choice("Period", PERIODS, { value: query.get("period") ?? "month" }), by = choice("Cost by", KEYS, { value: query.get("by") ?? "model" });
		const place = h("div"), forecast = h("div");
		const choices = () => ({ period: when.control.value, by: by.control.value });
		const again = loaded(place, signal, () => load(choices(), context), (state) => drawn(state, forecast));
		const form = h("form.row", { onchange: () => (remember(choices()), again()), onsubmit: (event) => event.preventDefault() }, when.element, by.element);

		loaded(forecast, signal, () => get("/v1/reports/forecast", { tenant, kind: "tenant" }, signal), forecastCard);
		root.append(form, place);
	},
};
