/* Finds users: the server searches, so that a million of them are no more work than ten. */
import { get } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { choice, text, tick } from "../lib/fields.js";
import { dateTime, int } from "../lib/format.js";
import { Pages } from "../lib/pages.js";
import { badge, card, debounced, empty, loaded, table, userLink } from "../lib/parts.js";
import { remember } from "../lib/route.js";
import { plural } from "../lib/words.js";

const PAGE = 25, TYPING_MS = 250;
const STATES = [["", "Any, except deleted"], ["active", "Active"], ["suspended", "Suspended"], ["bypassed", "Bypassed"], ["grace", "Grace"], ["deleted", "Deleted"], ["any", "Any"]];

export function stateBadges(account) {
	const grace = int(account.grace_until_us) > Date.now() * 1000;

	return [
		account.deleted && badge("deleted", "bad"), account.suspended && badge("suspended", "bad"), account.bypass && badge("bypassed", "warn"),
		grace && badge("grace", "good"), account.overrides?.length > 0 && badge("overrides"), account.pending && badge("pending", "warn"),
	];
}

function rows(answer) {
	return table("Users", [
		{ name: "User", cell: (account) => userLink(account.ref.id) },
		{ name: "Tier", cell: (account) => account.tier || h("span.muted", "default") },
		{ name: "State", cell: (account) => stateBadges(account) },
		{ name: "Team", cell: (account) => account.team ?? "" },
		{ name: "Changed", cell: (account) => (int(account.updated_at_us) ? dateTime(account.updated_at_us) : "never") },
	], answer.accounts, { quiet: true });
}

/* The form, filled from the address; `changed(filter)` after each input. */
function searchForm(query, tiers, changed) {
	const id = text("User id begins with", { value: query.get("q") ?? "", type: "search", name: "q", placeholder: "alice" });
	const tier = choice("Tier", [["", "Any"], ...tiers.map((name) => [name, name])], { value: query.get("tier") ?? "" });
	const state = choice("State", STATES, { value: query.get("state") ?? "" });
	const team = text("Team", { value: query.get("team") ?? "" });
	const own = tick("With overrides", { checked: query.get("own") === "1" });
	const read = () => ({ q: id.control.value, tier: tier.control.value, state: state.control.value, team: team.control.value, own: own.control.checked ? "1" : "" });
	const later = debounced(() => changed(read()), TYPING_MS);

	return {
		element: h("form.search", { role: "search", oninput: later, onsubmit: (event) => (event.preventDefault(), changed(read())) },
			id.element, tier.element, state.element, team.element, own.element),
		read,
	};
}

function asQuery(filter, tenant) {
	return { tenant, kind: "user", id_prefix: filter.q, tier: filter.tier, state: filter.state, team: filter.team, has_overrides: filter.own ? "true" : "" };
}

class Results {
	constructor({ tenant, signal }) {
		Object.assign(this, { tenant, signal, pages: new Pages("Pages of users"), filter: {} });
		this.place = h("div");
		this.total = h("p.muted", { role: "status" });
	}

	find(filter) {
		this.filter = filter;
		this.pages.begin();
		remember(filter);
		this.load();
		this.countAll();
	}

	load() {
		const query = { ...asQuery(this.filter, this.tenant), page_size: PAGE, page_token: this.pages.token };
		loaded(this.place, this.signal, () => get("/v1/accounts", query, this.signal), (answer) => this.draw(answer));
	}

	/* The number comes on its own: the rows do not wait for it. */
	async countAll() {
		const { filter } = this;
		this.total.textContent = "";
		try {
			const answer = await get("/v1/accounts", { ...asQuery(filter, this.tenant), count_only: "true" }, this.signal);
			if (filter === this.filter)
				this.total.textContent = `${plural(answer.matched, "user")} found`;
		} catch {
			/* the rows say what is wrong */
		}
	}

	draw(answer) {
		if (!answer.accounts?.length)
			return empty("No user matches.", this.filter.q && h("p", "A user who was never put or used has a page all the same: ", userLink(this.filter.q), "."));
		return [rows(answer), this.pages.pager(answer.next_page_token, () => this.load())];
	}
}

export const usersView = {
	title: () => "Users",
	async show(root, context) {
		const results = new Results(context), place = h("div");

		root.append(place, card("Found", results.total, results.place));
		const tiers = await get("/v1/tiers", { tenant: context.tenant }, context.signal).then((answer) => answer.tiers ?? [], () => []);
		const form = searchForm(context.query, tiers.map((tier) => tier.name), (filter) => results.find(filter));
		put(place, form.element);
		results.find(form.read());
	},
};
