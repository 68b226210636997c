/* What is being decided right now, by every bursard: the live stream of /v1/watch. */
import { follow } from "../lib/api.js";
import { ranking } from "../lib/bars.js";
import { timeChart } from "../lib/chart.js";
import { h, put } from "../lib/dom.js";
import { count, decimal, duration, int, money, percent, short, time } from "../lib/format.js";
import { latency } from "../lib/latency.js";
import { announce, badge, button, card, empty, failed, tile, userLink } from "../lib/parts.js";
import { limitText } from "../lib/limits.js";
import { bare, quality, reason } from "../lib/words.js";

const SECONDS = 300, RECENT = 10, FEED = 12, AT_FIRST = 60, HOT = 8;

/* The last five minutes, a point for each answer of the stream. */
class Window {
	constructor() {
		this.points = [];
	}

	add(message) {
		const seconds = Math.max((int(message.to_us) - int(message.from_us)) / 1e6, 0.1), totals = message.totals ?? {};

		this.points.push({
			at: int(message.to_us), seconds, allowed: int(totals.allowed), denied: int(totals.denied), cost: int(totals.cost_nano),
			by: (totals.denied_by ?? []).map((one) => [one.reason, int(one.count)]), events: message.events ?? [],
		});
		while (this.points[0].at < this.points.at(-1).at - SECONDS * 1e6)
			this.points.shift();
	}

	/* Sums of the last points. */
	sums(points = this.points) {
		const total = { seconds: 0, allowed: 0, denied: 0, cost: 0 };

		for (const point of points)
			for (const name of Object.keys(total))
				total[name] += point[name];
		return total;
	}

	reasons() {
		const found = new Map();

		for (const [name, number] of this.points.flatMap((point) => point.by))
			found.set(name, (found.get(name) ?? 0) + number);
		return [...found].sort((a, b) => b[1] - a[1]);
	}

	/* Events are a sample: each stands for some like it. */
	checks() {
		return this.points.flatMap((point) => point.events).filter((event) => bare(event.kind, "watch_kind") === "check");
	}

	users() {
		const found = new Map();

		for (const event of this.checks()) {
			const user = found.get(event.user) ?? { user: event.user, checks: 0, denied: 0 }, weight = int(event.stands_for_milli) / 1000 || 1;
			user.checks += weight;
			user.denied += event.allowed ? 0 : weight;
			found.set(event.user, user);
		}
		return [...found.values()].sort((a, b) => b.checks - a.checks).slice(0, HOT);
	}

	exact() {
		let all = 0, exact = 0;
		const others = new Set();

		for (const event of this.checks()) {
			const weight = int(event.stands_for_milli) || 1000;
			all += weight;
			if (["exact", "remembered"].includes(bare(event.quality, "quality")))
				exact += weight;
			else
				others.add(quality(event.quality));
		}
		return { ratio: all ? exact / all : null, others: [...others] };
	}
}

function tiles() {
	const made = { rate: tile("Decisions a second"), denied: tile("Denied"), latency: tile("Time of a check"), quality: tile("Exact answers"), cost: tile("Cost recorded") };
	const element = h("div.tiles", Object.values(made).map((one) => one.element));

	function update(window) {
		const { seconds, allowed, denied } = window.sums(window.points.slice(-RECENT)), all = window.sums();
		const { ratio, others } = window.exact();
		made.rate.set(decimal(seconds ? (allowed + denied) / seconds : 0), "over the last 10 s");
		made.denied.set(allowed + denied ? percent(denied / (allowed + denied)) : "–", `${count(all.denied)} in 5 min`);
		made.quality.set(ratio === null ? "–" : percent(ratio, 1), others.length ? `others: ${others.join(", ")}` : "decided by the store", ratio !== null && ratio < 1 ? "warn" : "");
		made.cost.set(money(all.cost), "in 5 min");
	}
	return {
		element, update,
		latency: (found) => found
			? made.latency.set(duration(found.p50), `p99 ${duration(found.p99)}, at this server`)
			: made.latency.set("–", "no checks in the last minute"),
	};
}

function updateChart(chart, window) {
	const rate = (name) => window.points.map((point) => point[name] / point.seconds);
	const labels = window.points.map((point) => time(point.at));
	const { seconds, allowed, denied } = window.sums();

	chart.update({
		labels, series: [{ name: "Allowed", values: rate("allowed"), tone: "good" }, { name: "Denied", values: rate("denied"), tone: "bad" }],
		summary: seconds ? `Over ${duration(seconds * 1e6)}: ${count(allowed)} allowed, ${count(denied)} denied.` : "Waiting for the first figures.",
	});
}

/* The latest denials, newest first. A key of an event keeps a row from being drawn twice. */
function feed() {
	const body = h("tbody"), none = empty("No denial since this page was opened.");
	const frame = h("div.table-frame", { hidden: true, tabindex: "0", role: "group", "aria-label": "Latest denials" }, h("table",
		h("caption.sr-only", "Latest denials, newest first"),
		h("thead", h("tr", ["User", "Reason", "Limit", "From", "Model", "Time"].map((name) => h("th", { scope: "col" }, name)))), body));

	function add(event) {
		body.prepend(h("tr.new", h("th", { scope: "row" }, userLink(event.user)), h("td", badge(reason(event.reason), "bad")),
			h("td", limitText(event) || "–"), h("td", event.interface ?? ""), h("td", event.model ?? ""), h("td", time(event.at_us))));
		while (body.children.length > FEED)
			body.lastChild.remove();
		frame.hidden = false;
		none.hidden = true;
	}
	return { element: h("div", none, frame), add };
}

function updateLists(window, reasons, hot) {
	const found = window.reasons(), users = window.users();

	if (found.length)
		ranking(reasons, "Denials by reason in the last five minutes", found.map(([name, value]) => ({ name: reason(name), value, tone: "bad" })));
	else
		put(reasons, empty("Nothing was denied in the last five minutes."));
	if (users.length)
		ranking(hot, "Users with the most checks in the last five minutes", users.map((one) => ({
			name: one.user, href: `#/users/${encodeURIComponent(one.user)}`, value: Math.round(one.checks),
			note: one.denied >= 1 ? `${percent(one.denied / one.checks)} denied` : "",
		})));
	else
		put(hot, empty("Nobody has asked in the last five minutes."));
}

const LIVE = { live: ["Live", "good"], away: ["Connecting", "warn"], failed: ["Not live", "bad"], paused: ["Paused", "warn"] };

export const nowView = {
	title: () => "Now",
	show(root, { tenant, signal }) {
		const window = new Window(), top = tiles(), denials = feed(), reasons = h("div"), hot = h("div"), problem = h("div");
		const chart = timeChart({ title: "Decisions a second", unit: "Time", format: (value) => decimal(value), axis: short, span: AT_FIRST });
		const light = h("p.light", { role: "status" });
		let paused = false, state = "";

		function tell(next, error) {
			if (next === state)
				return;
			state = next;
			put(light, badge(...LIVE[next]));
			put(problem, next === "failed" && failed(error));
		}
		function draw() {
			top.update(window);
			updateChart(chart, window);
			updateLists(window, reasons, hot);
		}
		function each(message) {
			window.add(message);
			if (paused)
				return;
			draw();
			for (const event of message.events ?? [])
				if (bare(event.kind, "watch_kind") === "check" && !event.allowed)
					denials.add(event);
		}
		const stop = button("Pause", () => {
			paused = !paused;
			stop.textContent = paused ? "Continue" : "Pause";
			announce(paused ? "Paused" : "Continues");
			tell(paused ? "paused" : "live");
			if (!paused)
				draw();
		}, "quiet");

		root.prepend(h("div.view-head", root.firstChild, light, stop));
		root.append(problem, top.element, card("Decisions", chart.element),
			h("div.columns", card("Denials by reason", reasons), card("Hottest users", hot)), card("Latest denials", denials.element));
		tell("away");
		draw();
		follow("/v1/watch", { tenant, kinds: "check", max_events: 200 }, signal, each, (next, error) => !paused && tell(next, error));
		latency(signal, top.latency);
	},
};
