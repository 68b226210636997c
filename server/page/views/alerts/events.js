/* What happened, the newest first. */
import { get } from "../../lib/api.js";
import { h } from "../../lib/dom.js";
import { choice, text, tick } from "../../lib/fields.js";
import { dateTime } from "../../lib/format.js";
import { Pages } from "../../lib/pages.js";
import { announce, button, card, debounced, empty, link, loaded, table, ticking } from "../../lib/parts.js";
import { remember } from "../../lib/route.js";
import { KINDS, kindName, severityBadge, whose } from "./words.js";

const PAGE = 50, TYPING_MS = 250, EVERY_MS = 5000, LATEST = 5;

/* The page is in English. */
const ask = (query, signal) => get("/v1/alerts/events", { language: "en", ...query }, signal);

function rows(events, caption, of = true) {
	return table(caption, [
		{ name: "When", cell: (one) => dateTime(one.at_us) },
		{ name: "Severity", cell: (one) => severityBadge(one.severity) },
		{ name: "What", wide: true, cell: (one) => [one.text || kindName(one.kind), h("small", kindName(one.kind), one.rule && `, rule ${one.rule}`)] },
		...(of ? [{ name: "Whose", cell: whose }] : []),
	], events, { quiet: true });
}

function filters({ query, who }) {
	const form = {
		kind: choice("Kind", [["", "Any"], ...Object.entries(KINDS).map(([name, one]) => [name, one.name])], { value: query.get("kind") ?? "" }),
		least: choice("Severity", [["", "Any"], ["warning", "Warning or critical"], ["critical", "Critical"]], { value: query.get("least") ?? "" }),
		account: text("Of the account", { type: "search", value: query.get("account") ?? "", placeholder: "alice" }),
		rule: text("Of the rule", { value: query.get("rule") ?? "", placeholder: "limits" }),
	};
	const system = who.role === "operator" && tick("Of the whole installation", { checked: query.get("system") === "true" });
	const read = () => ({ ...Object.fromEntries(Object.entries(form).map(([name, one]) => [name, one.control.value.trim()])), system: system && system.control.checked ? "true" : "" });

	return { element: (changed) => h("form.row", { role: "search", oninput: changed, onsubmit: (event) => event.preventDefault() }, Object.values(form).map((one) => one.element), system && system.element), read };
}

export function eventsSection(root, context) {
	const { tenant, signal } = context, form = filters(context), place = h("div");
	const pages = new Pages("Pages of events", "Newer", "Older");
	let paused = false;

	const load = () => ask({ tenant, ...form.read(), page_size: PAGE, page_token: pages.token }, signal);
	const again = loaded(place, signal, load, (answer) => (answer.events?.length ? [rows(answer.events, "Events"), pages.pager(answer.next_page_token, again)]
			: empty("No event matches.", h("p", "What becomes an event is decided by the ", link("#/alerts/rules", "rules"), "."))));
	const search = debounced(() => {
		pages.begin();
		remember(form.read());
		again();
	}, TYPING_MS);
	const stop = button("Pause", () => {
		paused = !paused;
		stop.textContent = paused ? "Continue" : "Pause";
		announce(paused ? "Paused" : "Continues");
	}, "quiet");

	ticking(signal, EVERY_MS, () => !paused && pages.isFirst && again(true));
	root.prepend(h("div.view-head", root.querySelector("h1"), stop));
	root.append(form.element(search), card("Events", place));
}

/* The latest events of one user, for the user's page. */
export function latestEvents(user, { tenant, signal }) {
	const place = h("div");

	loaded(place, signal, () => ask({ tenant, account_kind: "user", account: user, page_size: LATEST }, signal), (answer) => (answer.events?.length
		? [rows(answer.events, `Latest alerts of ${user}`, false), h("p", link(`#/alerts?account=${encodeURIComponent(user)}`, "All of them"))]
		: empty("There was no alert.")));
	return place;
}
