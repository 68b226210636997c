/* What a user sees of themselves. May be embedded: /?embed=1 leaves out everything else. */
import { get } from "../lib/api.js";
import { limitList, ranking } from "../lib/bars.js";
import { h } from "../lib/dom.js";
import { dateTime, int, money, time } from "../lib/format.js";
import { badge, card, loaded, ticking } from "../lib/parts.js";
import { kind, plural } from "../lib/words.js";

const EVERY_MS = 15000;

export const OF = { user: "Your limits", team: "Your team's limits", org: "Your organisation's limits", model: "The model's limits", tenant: "Limits of everybody together" };

function state(account) {
	return [
		account.tier && badge(account.tier), account.suspended && badge("suspended", "bad"),
		account.deleted && badge("deleted", "bad"),
		int(account.grace_until_us) > 0 && badge(`grace until ${dateTime(account.grace_until_us)}`, "good"),
	];
}

function accountCard(account) {
	const open = int(account.open_reservations);

	return card(OF[kind(account.kind)],
		h("p.badges", state(account), open > 0 && h("span.muted", plural(open, "request is", "requests are"), " running")),
		limitList(account));
}

/* What the month has cost, by model. */
function costCard({ month_cost_nano_usd: month, today_cost_nano_usd: today, models, problem }) {
	const place = h("div");

	ranking(place, "Cost of the month by model", (models ?? []).map((one) => ({
		name: [one.provider, one.model].filter(Boolean).join("/"), value: int(one.cost_nano_usd), note: plural(one.requests, "request"),
	})), money);
	return card("Your cost this month", h("p.tile-value", money(month)), h("p.muted", `${money(today)} of it today (UTC).`), problem && h("p.notice.warn", problem), place);
}

export const usageView = {
	title: () => "My usage",
	show(root, { who, signal }) {
		const place = h("div");

		root.append(place);
		const again = loaded(place, signal, () => get("/v1/status", { user: who.user, costs: "true" }, signal), (answer) => [
			h("div.columns", (answer.accounts ?? []).filter((account, i) => i === 0 || account.limits?.length).map(accountCard), answer.costs && costCard(answer.costs)),
			h("p.muted", `As of ${time(answer.now_us)}.`),
		]);

		ticking(signal, EVERY_MS, () => again(true));
	},
};

/* A bot's key decides requests. */
export const noView = {
	title: () => "No views for this key",
	show(root, { who }) {
		root.append(h("p", `A key of the role ${who.role} makes requests, but does not read. Log in with the key of a viewer, an admin or a user.`));
	},
};
