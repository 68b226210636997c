/* The prices in force, how old they are, and the way to import newer ones. */
import { get } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { text } from "../lib/fields.js";
import { dateTime, int, relative } from "../lib/format.js";
import { Pages } from "../lib/pages.js";
import { badge, card, debounced, empty, link, loaded, table } from "../lib/parts.js";
import { remember } from "../lib/route.js";

const PAGE = 50, TYPING_MS = 250, DATE = /\d{4}-\d\d-\d\d/g;

/* The newest date that the sources of a price name. */
export function checkedOn(price) {
	return (price.source ?? "").match(DATE)?.sort().at(-1) ?? "";
}

function usd(rate) {
	return rate ? `$${rate}` : h("span.muted", "–");
}

function extras(price) {
	return [
		price.tenant && badge("own"), price.account && badge(`for ${price.account}`), price.context_tiers?.length > 0 && badge("long context"),
		price.modes?.length > 0 && badge(price.modes.map((one) => one.mode).join(", ")), price.rates && badge("more meters"), price.regions && badge("regions"), price.hours && badge("hours"),
		price.allowances && badge("free allowance"),
	];
}

function since(price) {
	const from = int(price.effective_from_us), to = int(price.effective_to_us), day = checkedOn(price);
	return [from ? `since ${dateTime(from)}` : "always", to > 0 && `, until ${dateTime(to)}`, day && h("small", `source of ${day}, ${relative(Date.parse(day) * 1000)}`)];
}

function rows(prices) {
	return table("Prices in force, USD per million tokens", [
		{ name: "Model", cell: (one) => h("span", h("span.muted", `${one.provider}/`), one.model) },
		{ name: "Input", number: true, cell: (one) => usd(one.input) }, { name: "Cached", number: true, cell: (one) => usd(one.cached_input) },
		{ name: "Output", number: true, cell: (one) => usd(one.output) }, { name: "Also", cell: extras }, { name: "In force", cell: since },
	], prices);
}

/* What the server's own check of the prices says. */
function ageOf(diagnosis) {
	const found = (diagnosis.checks ?? []).filter((one) => /price/.test(one.name));
	const tone = (one) => ({ FINDING_WARN: "warn", FINDING_FAIL: "bad" })[one.finding] ?? "good";

	return found.map((one) => h(`p.notice${tone(one) === "good" ? "" : `.${tone(one)}`}`, one.found, one.advice && h("span", ` ${one.advice}`)));
}

export const pricesView = {
	title: () => "Prices",
	show(root, context) {
		const { tenant, signal, query, mayAct } = context, age = h("div"), place = h("div");
		const model = text("Model begins with", { type: "search", value: query.get("q") ?? "", placeholder: "gpt-4o" });
		const provider = text("Provider", { value: query.get("provider") ?? "", placeholder: "openai" });
		const pages = new Pages("Pages of prices");

		const load = () => get("/v1/prices", { tenant, model_prefix: model.control.value.trim(), provider: provider.control.value.trim(), page_size: PAGE, page_token: pages.token }, signal);
		const again = loaded(place, signal, load, (answer) => (answer.prices?.length ? [rows(answer.prices), pages.pager(answer.next_page_token, again)] : empty("No price matches.")));
		const search = debounced(() => {
			pages.begin();
			remember({ q: model.control.value, provider: provider.control.value });
			again();
		}, TYPING_MS);

		get("/v1/diagnosis", { tenant }, signal).then((answer) => put(age, ageOf(answer)), () => {}); /* it only adds to the list */
		root.append(age, h("form.row", { role: "search", oninput: search, onsubmit: (event) => event.preventDefault() }, model.element, provider.element),
			mayAct && h("p", link("#/prices/import", "Import prices")), card("In force", place));
	},
};
