/* The pool, live: slots, queues by tier, waits, and shares beside what each level is entitled to. */
import { call, follow, get, path } from "../lib/api.js";
import { meter } from "../lib/bars.js";
import { timeChart } from "../lib/chart.js";
import { confirm } from "../lib/dialog.js";
import { h, put, renew } from "../lib/dom.js";
import { choice, text } from "../lib/fields.js";
import { count, decimal, duration, int, percent, relative, short, time } from "../lib/format.js";
import { badge, button, card, empty, failed, loaded, table, tile, userLink } from "../lib/parts.js";
import { remember } from "../lib/route.js";
import { wait } from "../lib/words.js";

const ROWS = 20, SPAN = 300, AT_FIRST = 60, TABLES_EVERY = 3;

function tiles() {
	const made = { slots: tile("Slots taken"), waiting: tile("Waiting"), oldest: tile("Longest wait"), hold: tile("Mean time held"), fair: tile("Fairness") };

	return {
		element: h("div.tiles", Object.values(made).map((one) => one.element)),
		update(stats) {
			made.slots.set(`${count(stats.running)} of ${count(stats.slots)}`, int(stats.draining) ? `${count(stats.draining)} to end` : `${count(stats.leases)} leases`);
			made.waiting.set(count(stats.waiting), int(stats.parked) ? `${count(stats.parked)} parked` : "");
			made.oldest.set(int(stats.oldest_wait_us) ? duration(stats.oldest_wait_us) : "–", int(stats.starving) ? `${count(stats.starving)} starving` : "nobody starves", int(stats.starving) ? "bad" : "");
			made.hold.set(int(stats.mean_hold_us) ? duration(stats.mean_hold_us) : "–");
			made.fair.set(decimal(stats.jain_index ?? 1, 2), "1 = as entitled (Jain's index)");
		},
	};
}

function shareCell(level) {
	const share = level.share ?? 0, entitled = level.entitled_share ?? 0;

	return h("div.shares", meter(`Share of priority ${level.priority}`, share, percent(share, 1)), meter(`Entitled share of priority ${level.priority}`, entitled, percent(entitled, 1), "shadow"));
}

function levels(stats, tiers) {
	const names = (priority) => tiers.filter((tier) => int(tier.pool_priority) === int(priority)).map((tier) => tier.name).join(", ") || "none";

	return stats.levels?.length ? table("Queues by tier", [
		{ name: "Tier", cell: (one) => names(one.priority) },
		{ name: "Priority", number: true, cell: (one) => count(one.priority) }, { name: "Waiting", number: true, cell: (one) => count(one.waiting) },
		{ name: "Running", number: true, cell: (one) => count(one.running) }, { name: "Longest wait", number: true, cell: (one) => (int(one.oldest_wait_us) ? duration(one.oldest_wait_us) : "–") },
		{ name: "Granted", number: true, cell: (one) => short(one.granted) },
		{ name: "Share", number: true, cell: (one) => percent(one.share ?? 0, 1) }, { name: "Entitled", number: true, cell: (one) => percent(one.entitled_share ?? 0, 1) },
		{ name: "Share (above) and entitled share (below)", wide: true, cell: shareCell },
	], stats.levels, { quiet: true }) : empty("Nobody has used this pool yet.");
}

function waiters(stats) {
	return stats.waiters?.length ? table("The longest waits", [
		{ name: "User", cell: (one) => userLink(one.user) }, { name: "Priority", number: true, cell: (one) => count(one.priority) },
		{ name: "Waits", number: true, cell: (one) => duration(one.waited_us) }, { name: "Why", cell: (one) => wait(one.reason) },
	], stats.waiters, { quiet: true }) : empty("Nobody waits.");
}

function leases(stats) {
	return stats.leases_held?.length ? table("Slots that are held", [
		{ name: "User", cell: (one) => userLink(one.user) }, { name: "Priority", number: true, cell: (one) => count(one.priority) },
		{ name: "Slots", number: true, cell: (one) => count(one.seats) }, { name: "Held", number: true, cell: (one) => duration(one.held_us) },
		{ name: "Lease ends", cell: (one) => (int(one.finish_by_us) ? [badge("asked to finish", "warn"), ` ${relative(one.finish_by_us, int(stats.now_us))}`] : relative(one.expires_at_us, int(stats.now_us))) },
	], stats.leases_held, { quiet: true }) : empty("No slot is held.");
}

function notices(stats) {
	return [
		stats.paused && h("p.notice.warn", "The pool is paused: nothing is granted."),
		int(stats.learning_us) > 0 && h("p.notice.warn", `The store was replaced: nothing is granted for ${duration(stats.learning_us)}, until every earlier lease is known or over.`),
	];
}

/* What has been granted at once, after waiting, and refused, since the pool's state was created. */
function totals(stats) {
	const shed = ["shed_pool_queue", "shed_level_queue", "shed_user_queue", "shed_predicted", "shed_levels"].reduce((sum, name) => sum + int(stats[name]), 0);
	const facts = [["Granted at once", stats.granted_at_once], ["Granted after waiting", stats.granted_waited], ["Of those by age", stats.granted_aged], ["Released", stats.released],
		["Expired", stats.expired], ["Cancelled", stats.cancelled], ["Timed out", stats.timed_out], ["Refused: queue full", shed]];

	return h("dl.facts", facts.map(([name, value]) => h("div", h("dt", name), h("dd", count(value)))));
}

/* What a dialog needs to show what somebody else has changed meanwhile. */
const ofState = (pool, { tenant }, again) => ({ before: pool, read: () => get(path`/v1/pools/${pool.ref.name}`, { tenant }), again });

function pauseOrResume(pool, context, again) {
	const { paused } = pool, address = path`/v1/pools/${pool.ref.name}`, query = { tenant: context.tenant }, { etag } = pool;

	return button(paused ? "Resume" : "Pause", async () => {
		const answer = await confirm({ ...ofState(pool, context, again), ...(paused
			? { title: `Resume ${pool.ref.name}?`, verb: "Resume the pool", intro: "You vouch that no lease from before a failover is still in use. Slots are granted again at once.", done: "The pool goes on",
				act: (reason) => call("POST", `${address}/resume`, { query, body: { reason }, etag }) }
			: { title: `Pause ${pool.ref.name}?`, verb: "Pause the pool", danger: true, intro: "Nothing is granted until it is resumed: everybody waits, and may time out. Those who hold a slot go on.", done: "The pool is paused",
				act: (reason) => call("PATCH", address, { query, body: { paused: true, reason }, etag }) }) });
		if (answer)
			again();
	}, paused ? "primary" : "");
}

function resize(pool, stats, context, again) {
	return button("Change slots", async () => {
		const slots = text("Slots", { type: "number", min: "0", max: "100000", required: true, value: String(pool.slots ?? 0) });
		const number = () => int(slots.control.value), old = int(pool.slots);
		const answer = await confirm({
			...ofState(pool, context, again), title: `Slots of ${pool.ref.name}`, fields: [slots], verb: "Change the slots", done: "The slots have changed",
			change: () => slots.control.value !== "" && number() !== old && h("p", number() > old
				? `${count(number() - old)} more slots are granted at once; ${count(stats()?.waiting)} requests wait.`
				: `${count(old - number())} fewer slots. ${count(Math.max(int(stats()?.running) - number(), 0))} of ${count(stats()?.running)} holders are asked to finish within ${duration(pool.drain_us)}; nobody is killed.`),
			act: (reason) => call("PATCH", path`/v1/pools/${pool.ref.name}`, { query: { tenant: context.tenant }, body: { slots: number(), reason }, etag: pool.etag }),
		});
		if (answer)
			again();
	});
}

function actionBar(pool, stats, context, again) {
	return context.mayAct && h("div.buttons", { role: "group", "aria-label": "Actions on the pool" }, h("b", pool.ref.name), pauseOrResume(pool, context, again),
		pool.slots_from_option ? h("span.muted", "The option max_concurrent_agents sets the slots.") : resize(pool, stats, context, again));
}

/* Follows one pool. */
function live(pool, tiers, context) {
	const top = tiles(), chart = timeChart({ title: "Slots and queue", unit: "Time", format: count, axis: short, span: AT_FIRST, whole: true });
	const places = { notices: h("div"), levels: h("div"), waiters: h("div"), leases: h("div"), totals: h("div"), problem: h("div") }, points = [];
	let last = null;

	function each(stats) {
		last = stats;
		points.push(stats);
		if (points.length > SPAN)
			points.shift();
		top.update(stats);
		chart.update({
			labels: points.map((one) => time(one.now_us)), summary: `${count(stats.running)} of ${count(stats.slots)} slots taken, ${count(stats.waiting)} requests wait.`,
			series: [{ name: "Running", values: points.map((one) => int(one.running)), tone: "good" }, { name: "Waiting", values: points.map((one) => int(one.waiting)), tone: 2 }],
		});
		put(places.notices, notices(stats));
		if (points.length % TABLES_EVERY !== 1)
			return; /* tables that change every second cannot be read */
		renew(places.levels, levels(stats, tiers));
		renew(places.waiters, waiters(stats));
		renew(places.leases, leases(stats));
		put(places.totals, totals(stats));
	}
	follow(path`/v1/pools/${pool.ref.name}/watch`, { tenant: context.tenant, rows: ROWS }, context.signal, each,
		(state, error) => put(places.problem, state === "failed" ? failed(error) : state === "away" && h("p.notice.warn", { role: "status" }, "Connecting")));
	return h("div.view", actionBar(pool, () => last, context, context.again), places.problem, places.notices, top.element, card("Slots and queue", chart.element), card("Queues by tier", places.levels),
		h("div.columns", card("The longest waits", places.waiters), card("Slots that are held", places.leases)), card("Since the pool was created", places.totals));
}

export const poolView = {
	title: () => "Pool",
	show(root, context) {
		const { tenant, signal, query } = context, place = h("div");

		root.append(place);
		loaded(place, signal, async () => ({ pools: (await get("/v1/pools", { tenant }, signal)).pools ?? [], tiers: (await get("/v1/tiers", { tenant }, signal)).tiers ?? [] }), ({ pools, tiers }) => {
			const pool = pools.find((one) => one.ref.name === query.get("pool")) ?? pools[0];
			if (!pool)
				return empty("There is no pool yet. The first Acquire makes one.");
			const which = choice("Pool", pools.map((one) => [one.ref.name, one.ref.name]), { value: pool.ref.name });
			which.control.addEventListener("change", () => {
				remember({ pool: which.control.value });
				context.again();
			});
			return h("div.view", pools.length > 1 && h("div.row", which.element), live(pool, tiers, context));
		});
	},
};
