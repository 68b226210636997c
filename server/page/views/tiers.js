/* The tiers: what each allows, and how many users are on it. */
import { get } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { text } from "../lib/fields.js";
import { count, int } from "../lib/format.js";
import { limitsTable } from "../lib/limits.js";
import { badge, card, link, loaded } from "../lib/parts.js";
import { bare, plural } from "../lib/words.js";

const FAIL = { local: "by the last known levels", open: "pass", closed: "are refused" };

function tierCard(tier, users, mayAct) {
	const address = `#/tiers/${encodeURIComponent(tier.name)}`;

	return card(tier.name,
		h("p.badges", tier.shipped && badge("as shipped"), users !== undefined && h("span.muted", plural(users.accounts, "user"), int(users.suspended) > 0 && `, ${count(users.suspended)} suspended`)),
		limitsTable(`Limits of ${tier.name}`, tier.limits ?? []),
		h("dl.facts",
			h("div", h("dt", "Pool priority"), h("dd", count(tier.pool_priority))), h("div", h("dt", "Slots at once"), h("dd", count(tier.pool_concurrent))),
			h("div", h("dt", "Upgrade to"), h("dd", tier.upgrade_to || "none")),
			h("div", h("dt", "Without Redis, checks"), h("dd", FAIL[bare(tier.fail_policy, "fail_policy")] ?? FAIL.local))),
		h("p", link(address, mayAct ? `Edit ${tier.name}` : `Look at ${tier.name}`)));
}

/* A name leads to the page on which a tier of that name is made. */
function newTier() {
	const name = text("Name of a new tier", { pattern: "[a-z0-9_\\-]{1,64}", required: true, hint: "Small letters, digits, _ and -." });

	return card("New tier", h("form", {
		onsubmit(event) {
			event.preventDefault();
			location.hash = `#/tiers/${encodeURIComponent(name.control.value)}`;
		},
	}, name.element, h("div.buttons", h("button", { type: "submit" }, "Begin"))));
}

export const tiersView = {
	title: () => "Tiers",
	show(root, { tenant, signal, mayAct }) {
		const place = h("div");

		root.append(place);
		loaded(place, signal, async () => ({
			tiers: (await get("/v1/tiers", { tenant }, signal)).tiers ?? [],
			stats: await get("/v1/stats", { tenant, top: 1 }, signal),
		}), ({ tiers, stats }) => {
			const users = new Map((stats.accounts_by_tier ?? []).map((one) => [one.tier, one]));
			const order = [...tiers].sort((a, b) => int(a.pool_priority) - int(b.pool_priority));
			const cards = h("div.columns");
			put(cards, order.map((tier) => tierCard(tier, users.get(tier.name), mayAct)), mayAct && newTier());
			return cards;
		});
	},
};
