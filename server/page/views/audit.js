/* Who changed what. */
import { get } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { microseconds, text } from "../lib/fields.js";
import { dateTime } from "../lib/format.js";
import { Pages } from "../lib/pages.js";
import { card, debounced, empty, loaded, table } from "../lib/parts.js";
import { remember } from "../lib/route.js";
import { actor } from "../lib/words.js";

const PAGE = 30, TYPING_MS = 300;

/* The state before or after a change: JSON, as text or already read. */
function parsed(value) {
	if (typeof value !== "string")
		return value ?? null;
	try {
		return JSON.parse(value);
	} catch {
		return value;
	}
}

const shown = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/* The members that differ, "a.b" deep. */
export function changes(before, after, place = "") {
	const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

	if (!isObject(before) && !isObject(after))
		return JSON.stringify(before) === JSON.stringify(after) ? [] : [[place, before, after]];
	const names = new Set([...Object.keys(isObject(before) ? before : {}), ...Object.keys(isObject(after) ? after : {})]);
	return [...names].flatMap((name) => changes(before?.[name], after?.[name], place ? `${place}.${name}` : name));
}

function details(entry) {
	const place = h("div"), before = parsed(entry.before), after = parsed(entry.details);

	function draw(event) {
		const rows = changes(before, after).filter(([, was, is]) => was !== undefined || (is !== null && is !== "" && JSON.stringify(is) !== "[]"));
		put(place, event.target.open && h("dl.diff", rows.map(([name, was, is]) => h("div", h("dt", name || "value"),
			h("dd", was !== undefined && was !== null && [h("del", shown(was)), " → "], is === undefined || is === null ? h("span.muted", "nothing") : h("ins", shown(is)))))));
	}
	return h("details", { ontoggle: draw }, h("summary", before === null ? "Created" : "Changes"), place);
}

function rows(entries) {
	return table("Audit log", [
		{ name: "When", cell: (one) => dateTime(one.at_us) },
		{ name: "Who", cell: (one) => [actor(one.actor).who, h("small", actor(one.actor).from)] },
		{ name: "What", cell: (one) => h("code", one.action) }, { name: "On", cell: (one) => one.target },
		{ name: "Reason", cell: (one) => one.reason ?? "" }, { name: "Changes", wide: true, cell: details },
	], entries, { quiet: true });
}

function fields(query) {
	return {
		actor: text("Who begins with", { value: query.get("actor") ?? "", placeholder: "key 7" }), action: text("What begins with", { value: query.get("action") ?? "", placeholder: "account." }),
		target: text("On begins with", { value: query.get("target") ?? "", placeholder: "user/alice" }), reason: text("Reason contains", { value: query.get("reason") ?? "" }),
		from: text("From", { type: "datetime-local" }), to: text("To", { type: "datetime-local" }),
	};
}

export const auditView = {
	title: () => "Audit",
	show(root, context) {
		const { tenant, signal } = context, form = fields(context.query), place = h("div");
		const words = () => Object.fromEntries(["actor", "action", "target", "reason"].map((name) => [name, form[name].control.value.trim()]));
		const pages = new Pages("Pages of the audit log", "Newer", "Older");

		const load = () => get("/v1/audit", { tenant, ...words(), from_us: microseconds(form.from.control) || "", to_us: microseconds(form.to.control) || "", page_size: PAGE, page_token: pages.token }, signal);
		const again = loaded(place, signal, load, (answer) => (answer.entries?.length ? [rows(answer.entries), pages.pager(answer.next_page_token, again)] : empty("No entry matches.")));
		const search = debounced(() => {
			pages.begin();
			remember(words());
			again();
		}, TYPING_MS);

		root.append(h("form.row", { role: "search", oninput: search, onsubmit: (event) => event.preventDefault() }, Object.values(form).map((field) => field.element)), card("Changes", place));
	},
};
