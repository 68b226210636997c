/* Small parts that every view uses: states, badges, tiles, tables. */
import { codeName } from "./api.js";
import { h, put, renew, uid } from "./dom.js";

/* Tells a screen reader, and nobody else. */
export function announce(text) {
	document.getElementById("polite").textContent = text;
}

export function waiting(what = "Loading") {
	return h("p.wait", { role: "status" }, what);
}

export function empty(text, ...more) {
	return h("div.empty", h("p", text), more);
}

/* The server's message and code; `again` repeats what failed. */
export function failed(error, again) {
	const known = error?.name === "ApiError";

	return h("div.failed", { role: "alert" },
		h("p", known ? error.message : `The page has a bug: ${error?.message ?? error}`),
		known && h("p.code", codeName(error)),
		again && h("button.quiet", { type: "button", onclick: again }, "Try again"));
}

/*
 * Shows in `place` what `load()` answers, as `draw(answer)` draws it; meanwhile that it is loading, and what failed if
 * it fails. Answers a function that does it again.
 */
export function loaded(place, signal, load, draw) {
	let turn = 0;

	async function run(quietly = false) {
		const mine = ++turn;
		if (quietly !== true)
			put(place, waiting());
		place.setAttribute("aria-busy", "true");
		try {
			const answer = await load();
			if (mine === turn && !signal.aborted)
				renew(place, draw(answer));
		} catch (error) {
			if (mine === turn && !signal.aborted)
				put(place, failed(error, () => run()));
		}
		if (mine === turn)
			place.setAttribute("aria-busy", "false");
	}
	run();
	return run;
}

export function badge(text, tone = "") {
	return h(`span.badge${tone ? `.${tone}` : ""}`, text);
}

/* A card with a heading. */
export function card(title, ...parts) {
	const id = uid("card");

	return h("section.card", { "aria-labelledby": id }, h("div.card-head", h("h2", { id }, title)), parts);
}

/* One figure. Answers the element, and set(value, note, tone). */
export function tile(label) {
	const value = h("p.tile-value", "–"), note = h("p.tile-note");
	const element = h("div.tile", h("p.tile-label", label), value, note);

	return {
		element,
		set(text, more = "", tone = "") {
			value.textContent = text;
			note.textContent = more;
			element.className = tone ? `tile ${tone}` : "tile";
		},
	};
}

/*
 * A table. columns: [{ name, cell(row), number, wide }]; a cell is text or an element. The caption is for everybody unless
 * `quiet`. A wide table scrolls within its frame, which then is reachable by keyboard.
 */
export function table(caption, columns, rows, { quiet = false, rowClass, foot } = {}) {
	const id = uid("caption");
	const cell = (column, row, i) => {
		const value = column.cell(row);
		const tag = i === 0 ? "th" : "td";
		return h(`${tag}${column.number ? ".number" : ""}${column.wide ? ".wide" : ""}`, i === 0 && { scope: "row" }, value ?? "");
	};

	return h("div.table-frame", { tabindex: "0", role: "group", "aria-labelledby": id },
		h("table",
			h(`caption${quiet ? ".sr-only" : ""}`, { id }, caption),
			h("thead", h("tr", columns.map((column) => h(`th${column.number ? ".number" : ""}`, { scope: "col" },
				column.hidden ? h("span.sr-only", column.name) : column.name)))),
			h("tbody", rows.map((row) => h(`tr${rowClass?.(row) ? `.${rowClass(row)}` : ""}`,
				columns.map((column, i) => cell(column, row, i))))),
			foot && h("tfoot", h("tr", foot.map((value, i) => h(`td${columns[i].number ? ".number" : ""}`, value))))));
}

export function button(text, onclick, tone = "") {
	return h(`button${tone ? `.${tone}` : ""}`, { type: "button", onclick }, text);
}

export function link(href, ...parts) {
	return h("a", { href }, parts);
}

/* Where a user's page is. */
export function userLink(id) {
	return link(`#/users/${encodeURIComponent(id)}`, id);
}

/* Runs `then` again and again until the view is left, unless nobody sees it or a dialog is open over it. */
export function ticking(signal, ms, then) {
	const timer = setInterval(() => document.visibilityState === "visible" && !document.querySelector("dialog") && then(), ms);

	signal.addEventListener("abort", () => clearInterval(timer));
}

/* Runs `then` once the calls to the answered function have paused. */
export function debounced(then, ms) {
	let timer = 0;

	return (...given) => {
		clearTimeout(timer);
		timer = setTimeout(() => then(...given), ms);
	};
}
