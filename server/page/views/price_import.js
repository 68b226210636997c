/* Imports a list of prices: first a dry run that shows what would change, then exactly that. */
import { call, get } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { h, put } from "../lib/dom.js";
import { area, choice } from "../lib/fields.js";
import { count, int } from "../lib/format.js";
import { badge, card, failed, table, waiting } from "../lib/parts.js";
import { bare, plural } from "../lib/words.js";

const FIELDS = [["input", "input"], ["cached_input", "cached"], ["cache_write", "cache write"], ["output", "output"], ["reasoning", "reasoning"],
	["audio_input", "audio in"], ["audio_output", "audio out"], ["rates", "other meters"], ["mode_rates", "modes"], ["regions", "regions"], ["hours", "hours"],
	["allowances", "allowances"]];
const SHOWN = 200, COMPARED = 40;

/* A first price of one's own is compared with the general one that has counted so far. */
async function compared(changes, { tenant, signal }) {
	const first = changes.filter((one) => !one.before).slice(0, COMPARED);
	const lists = await Promise.all(first.map(({ after }) => get("/v1/prices", { tenant, provider: after.provider, model_prefix: after.model, page_size: 10 }, signal)));

	first.forEach((one, i) => (one.general = lists[i].prices?.find((price) => price.model === one.after.model)));
	return changes;
}

/* "input 2.5 → 3" for each rate that changes. */
function moves(change) {
	const { after } = change, before = change.before ?? change.general;
	const rows = FIELDS.filter(([name]) => (before?.[name] ?? "") !== (after?.[name] ?? ""));

	return h("ul.moves", rows.map(([name, words]) => h("li", h("span.muted", `${words} `), before?.[name] && [h("del", before[name]), " → "], h("ins", after?.[name] || "none"))));
}

function word(change) {
	return change.general ? "own price" : bare(change.kind, "change_kind");
}

function changeTable(changes) {
	return [table("What would change, USD per million tokens", [
		{ name: "Model", cell: (one) => h("span", h("span.muted", `${one.after.provider}/`), one.after.model) },
		{ name: "Change", cell: (one) => [badge(word(one), one.kind === "CHANGE_KIND_ADDED" && !one.general ? "good" : ""), one.big_move && badge("more than tenfold", "bad")] },
		{ name: "Rates", wide: true, cell: moves },
	], changes.slice(0, SHOWN)), changes.length > SHOWN && h("p.muted", `${count(changes.length - SHOWN)} more are not shown.`)];
}

function skippedTable(answer) {
	return int(answer.skipped_count) > 0 && h("details", h("summary", `${plural(answer.skipped_count, "entry is", "entries are")} not imported`), table("What a price cannot say", [
		{ name: "Model", cell: (one) => [one.provider, one.model].filter(Boolean).join("/") }, { name: "Field", cell: (one) => one.field || "all of it" },
		{ name: "Why", cell: (one) => one.why },
	], (answer.skipped ?? []).slice(0, SHOWN), { quiet: true }));
}

/* What is pasted or chosen: a csv with a header, or a public list as it is. */
function source({ who, tenant }) {
	const whose = who.role === "operator" && choice("For", [[tenant, `the tenant ${tenant}`], ["", "every tenant"]], { value: tenant });
	const file = h("input", { type: "file", id: "price-file", accept: ".csv,.json,text/csv,application/json" });
	const list = area("Or paste it", { rows: "8", hint: "A header, then a line for each price: provider,model,input_usd_per_1m,output_usd_per_1m. Or the JSON of litellm or genai-prices." });
	const format = choice("Format", [["auto", "As it looks"], ["csv", "CSV"], ["json", "JSON"]], { value: "auto" });

	file.addEventListener("change", async () => {
		list.control.value = await file.files[0].text();
	});
	return {
		elements: [h("div.field", h("label", { for: "price-file" }, "File"), file), list.element, format.element, whose && whose.element],
		read() {
			const words = list.control.value, looks = /^\s*[{[]/.test(words) ? "json" : "csv";
			return { tenant: whose ? whose.control.value : tenant, [format.control.value === "auto" ? looks : format.control.value]: words };
		},
	};
}

async function send(answer, changes, what) {
	const big = changes.filter((one) => one.big_move).length;

	return confirm({
		title: "Import these prices?", verb: "Import", danger: big > 0, done: "The prices are imported",
		change: () => [
			h("p", `${plural(changes.length, "price")} will change. They apply to requests from now on; what is recorded keeps its cost.`),
			big > 0 && h("p.notice.bad", `${plural(big, "price moves", "prices move")} by more than a factor of ten. Is the unit right?`),
		],
		act: (reason) => call("POST", "/v1/prices", { body: { ...what, expected: answer.fingerprint, yes: big > 0, reason } }),
	});
}

function result(answer, what, done) {
	const changes = (answer.changes ?? []).filter((one) => one.kind !== "CHANGE_KIND_SAME");
	const same = Math.max(int(answer.same_count), (answer.changes ?? []).length - changes.length), by = (name) => changes.filter((one) => one.kind === `CHANGE_KIND_${name}`).length;

	return [
		h("p", { role: "status" }, `${count(by("ADDED"))} added, ${count(by("CHANGED"))} changed, ${count(same)} the same.`),
		changes.length > 0 && changeTable(changes), skippedTable(answer),
		changes.length > 0 && h("div.buttons", h("button.primary", {
			type: "button",
			onclick: async () => {
				const imported = await send(answer, changes, what);
				if (imported)
					done(imported);
			},
		}, "Import these changes")),
	];
}

export const importView = {
	title: () => "Import prices",
	show(root, context) {
		const from = source(context), place = h("div"), go = h("button.primary", { type: "submit" }, "Show what would change");

		async function look(event) {
			event.preventDefault();
			const what = from.read();
			put(place, waiting("Comparing"));
			go.disabled = true;
			try {
				/* `yes` lets the dry run show big moves instead of refusing them; the import asks about them. */
				const answer = await call("POST", "/v1/prices", { body: { ...what, dry_run: true, yes: true }, signal: context.signal });
				await compared((answer.changes ?? []).filter((one) => one.kind === "CHANGE_KIND_ADDED"), { tenant: what.tenant, signal: context.signal });
				put(place, card("What would change", result(answer, what, (done) =>
					put(place, h("p.notice", { role: "status" }, `${plural((done.changes ?? []).filter((one) => one.kind !== "CHANGE_KIND_SAME").length, "price is", "prices are")} imported. `, h("a", { href: "#/prices" }, "See them"))))));
			} catch (error) {
				if (!context.signal.aborted)
					put(place, failed(error));
			}
			go.disabled = false;
		}
		root.prepend(h("nav.crumbs", { "aria-label": "Where you are" }, h("a", { href: "#/prices" }, "Prices")));
		root.append(card("List", h("form", { onsubmit: look }, from.elements, h("div.buttons", go))), place);
	},
};
