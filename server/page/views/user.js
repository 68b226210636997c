/* One user: their limits and when they recover, what they used, what is running, and what can be done. */
import { ApiError, call, follow, get, messages, path } from "../lib/api.js";
import { limitList } from "../lib/bars.js";
import { timeChart } from "../lib/chart.js";
import { confirm } from "../lib/dialog.js";
import { h, put, renew } from "../lib/dom.js";
import { count, dateTime, day, duration, int, money, relative, shortMoney, time, utcDay } from "../lib/format.js";
import { limitText } from "../lib/limits.js";
import { badge, button, card, empty, loaded, table, ticking } from "../lib/parts.js";
import { bare, kind, plural, reason, wait } from "../lib/words.js";
import { latestEvents } from "./alerts/events.js";
import { actions } from "./user_actions.js";
import { stateBadges } from "./users.js";

const DAYS = 30, FEED = 10, OPEN = 10, ROWS = 20, SETTLE_MS = 700, EVERY_MS = 10000;
const OF = { user: "Limits", team: "Limits of the team", org: "Limits of the organisation", model: "Limits of the model", tenant: "Limits of the tenant" };

function about(account, status, mayAct) {
	const until = int(account.grace_until_us);

	return [
		h("p.badges", badge(account.tier || `${status.accounts[0].tier} (default)`), stateBadges(account), !account.known && badge("never put")),
		account.suspended && h("p.notice.bad", "Suspended: every check is denied.", account.suspended_reason && ` Reason: ${account.suspended_reason}`),
		until > Date.now() * 1000 && h("p.notice", `Grace: quotas and budgets are ${account.grace_percent ?? 100}% higher until ${dateTime(until)}.`),
		h("dl.facts",
			h("div", h("dt", "Team"), h("dd", account.team || "none")),
			account.org && h("div", h("dt", "Organisation"), h("dd", account.org)),
			h("div", h("dt", "Time zone"), h("dd", account.time_zone || "UTC")),
			h("div", h("dt", "Open requests"), h("dd", count(status.accounts[0].open_reservations))),
			h("div", h("dt", "Changed"), h("dd", int(account.updated_at_us) ? dateTime(account.updated_at_us) : "never",
				mayAct && account.known && [", ", h("a", { href: `#/audit?target=${encodeURIComponent(`user/${account.ref.id}`)}` }, "see how")]))),
	];
}

function limitCards(account, status) {
	return status.accounts.filter((one, i) => i === 0 || one.limits?.length).map((one, i) =>
		card(OF[kind(one.kind)] + (i > 0 && one.id ? `: ${one.id}` : ""), limitList(one, i === 0 ? account.overrides : [])));
}

/* Cost by day, from the ledger's roll-ups. */
async function history(user, tenant, signal) {
	const to = new Date(), from = new Date(to.getTime() - (DAYS - 1) * 86400e3), found = new Map();

	for await (const part of messages("/v1/reports/lines", { tenant, kind: "user", id: user, from_day: utcDay(from), to_day: utcDay(to), by: "day" }, signal))
		for (const line of part.lines ?? [])
			found.set(line.day, line);
	return Array.from({ length: DAYS }, (_, i) => utcDay(new Date(from.getTime() + i * 86400e3))).map((name) => found.get(name) ?? { day: name });
}

function historyChart(lines) {
	const chart = timeChart({ title: "Cost by day", unit: "Day (UTC)", format: money, axis: shortMoney, asBars: true });
	const cost = lines.map((line) => int(line.cost_nano_usd)), sum = cost.reduce((a, b) => a + b, 0);
	const requests = lines.reduce((total, line) => total + int(line.requests), 0);

	chart.update({
		labels: lines.map((line) => day(line.day)), longLabels: lines.map((line) => day(line.day, true)), series: [{ name: "Cost", values: cost }],
		summary: `${money(sum)} for ${plural(requests, "request")} in ${DAYS} days.`,
	});
	return chart.element;
}

function cancelButton(one, user, context, again) {
	return context.mayAct && button("Cancel", async () => {
		const answer = await confirm({
			title: "Cancel this request?", verb: "Cancel the request", danger: true, done: "Cancelled",
			intro: `It gives back what it holds: ${count(int(one.held_input_tokens) + int(one.held_output_tokens))} tokens and ${money(one.held_cost_nano_usd)}. A record that arrives later is charged in full.`,
			act: (why) => call("POST", path`/v1/requests/${user}/${one.request_id}/cancel`, { query: { tenant: context.tenant }, body: { reason: why } }),
		});
		if (answer)
			again();
	}, "quiet.small");
}

function openRequests(answer, user, context, again) {
	const found = answer.reservations ?? [];

	return found.length === 0 ? empty("No request is open.") : [table("Open requests", [
		{ name: "Request", cell: (one) => h("code", one.request_id) },
		{ name: "From", cell: (one) => [one.interface, one.model].filter(Boolean).join(", ") },
		{ name: "Holds", number: true, cell: (one) => `${count(int(one.held_input_tokens) + int(one.held_output_tokens))} tokens, ${money(one.held_cost_nano_usd)}` },
		{ name: "Began", cell: (one) => relative(one.started_at_us, int(answer.now_us)) },
		{ name: "Expires", cell: (one) => relative(one.expires_at_us, int(answer.now_us)) },
		...(context.mayAct ? [{ name: "Actions", hidden: true, cell: (one) => cancelButton(one, user, context, again) }] : []),
	], found, { quiet: true }), answer.next_page_token && h("p.muted", `The ${count(found.length)} that expire first are shown.`)];
}

/* Places in the queues of all pools. */
async function places(user, tenant, signal) {
	const pools = (await get("/v1/pools", { tenant }, signal)).pools ?? [];
	const stats = await Promise.all(pools.map((pool) => get(path`/v1/pools/${pool.ref.name}/stats`, { tenant, user, rows: ROWS }, signal)));

	return stats.flatMap((one) => [
		...(one.waiters ?? []).map((row) => ({ pool: one.ref.name, what: `waits: ${wait(row.reason)}`, place: count(row.position), left: int(row.eta_us) ? `about ${duration(row.eta_us)}` : "–", since: row.waited_us, request: row.request_id })),
		...(one.leases_held ?? []).map((row) => ({ pool: one.ref.name, what: "runs", place: "–", left: "–", since: row.held_us, request: row.request_id })),
	]);
}

function placeTable(found) {
	return found.length === 0 ? empty("Neither waits for a slot nor holds one.") : table("Slots and places in queues", [
		{ name: "Pool", cell: (row) => row.pool }, { name: "State", cell: (row) => row.what },
		{ name: "Place", number: true, cell: (row) => row.place }, { name: "Left to wait", number: true, cell: (row) => row.left },
		{ name: "For", number: true, cell: (row) => duration(row.since) }, { name: "Request", cell: (row) => h("code", row.request) },
	], found, { quiet: true });
}

/* What is decided for this user, as it happens; `heard` after each of it. */
function liveFeed(user, context, heard) {
	const body = h("tbody"), none = empty("Nothing since this page was opened.");
	const frame = h("div.table-frame", { hidden: true, tabindex: "0", role: "group", "aria-label": "Live decisions" }, h("table",
		h("caption.sr-only", "Live decisions, newest first"),
		h("thead", h("tr", ["Time", "What", "From", "Model", "Cost"].map((name, i) => h(`th${i === 4 ? ".number" : ""}`, { scope: "col" }, name)))), body));
	const what = (event) => {
		const name = bare(event.kind, "watch_kind");
		if (name !== "check")
			return badge(name);
		return event.allowed ? badge("allowed", "good") : [badge(`denied: ${reason(event.reason)}`, "bad"), ` ${limitText(event)}`];
	};

	follow("/v1/watch", { tenant: context.tenant, user, max_events: 50 }, context.signal, (message) => {
		for (const event of message.events ?? [])
			body.prepend(h("tr.new", h("th", { scope: "row" }, time(event.at_us)), h("td", what(event)), h("td", event.interface ?? ""),
				h("td", event.model ?? ""), h("td.number", int(event.cost_nano) ? money(event.cost_nano) : "")));
		while (body.children.length > FEED)
			body.lastChild.remove();
		if (message.events?.length) {
			frame.hidden = !(none.hidden = true);
			heard();
		}
	});
	return h("div", none, frame);
}

export const userView = {
	title: ([user]) => user,
	show(root, context) {
		const [user] = context.params, { tenant, signal } = context;
		const head = h("div"), limits = h("div.stack"), shared = h("div.stack"), past = h("div"), running = h("div"), queue = h("div"), bar = h("div.actions");
		let timer = 0;

		async function load() {
			const ref = path`/v1/accounts/user/${user}`;
			const account = get(ref, { tenant }, signal).catch((error) => {
				if (error instanceof ApiError && error.code === 5)
					return { ref: { id: user } };
				throw error;
			});
			return { account: await account, status: await get("/v1/status", { tenant, user }, signal), tiers: (await get("/v1/tiers", { tenant }, signal)).tiers ?? [] };
		}
		const again = loaded(head, signal, load, (state) => {
			const [own, ...others] = limitCards(state.account, state.status);
			renew(limits, own);
			renew(shared, others);
			if (context.mayAct)
				renew(bar, actions(user, state, context, () => again(true)));
			return about(state.account, state.status, context.mayAct);
		});
		const openAgain = loaded(running, signal, () => get("/v1/reservations", { tenant, user, page_size: OPEN }, signal), (answer) => openRequests(answer, user, context, changed));
		function changed() {
			again(true);
			openAgain(true);
		}
		const soon = () => (clearTimeout(timer), timer = setTimeout(changed, SETTLE_MS));

		loaded(past, signal, () => history(user, tenant, signal), historyChart);
		const queueAgain = loaded(queue, signal, () => places(user, tenant, signal), placeTable);
		ticking(signal, EVERY_MS, () => (changed(), queueAgain(true)));
		signal.addEventListener("abort", () => clearTimeout(timer));
		root.prepend(h("nav.crumbs", { "aria-label": "Where you are" }, h("a", { href: "#/users" }, "Users")));
		root.append(head, bar, h("div.columns", limits, h("div.stack", shared, card(`Cost, last ${DAYS} days`, past), card("Pool", queue))),
			card("Alerts", latestEvents(user, context)), card("Live", liveFeed(user, context, soon)), card("Open requests", running));
	},
};
