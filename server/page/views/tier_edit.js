/* One tier, to be edited: nothing changes before the preview says whom it touches and what they would lose. */
import { ApiError, call, get, path } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { h, put, uid } from "../lib/dom.js";
import { choice, text, tick } from "../lib/fields.js";
import { count, int, percent } from "../lib/format.js";
import { difference, differenceTable } from "../lib/limits.js";
import { announce, badge, button, card, failed, loaded, table, userLink } from "../lib/parts.js";
import { DIMENSIONS, ENDLESS, amount, bare, dimension, limitKind, limitName, plural } from "../lib/words.js";

const PERIODS = [["1000000", "second"], ["60000000", "minute"], ["3600000000", "hour"], ["86400000000", "day, rolling"]];
const SAMPLE = 20;

const inUnits = (limit, value) => (dimension(limit) === "cost" ? int(value) / 1e9 : int(value));

/* A row of the form. answer(): the limit as it is entered, null if it was removed. */
function limitRow(limit, removed) {
	const name = limitName(limit), isMoney = dimension(limit) === "cost", scale = isMoney ? 1e9 : 1;
	const endless = int(limit.amount) >= ENDLESS;
	const field = (value, label) => h("input", {
		type: "number", min: "0", step: isMoney ? "any" : "1", required: !endless, value: endless ? "" : String(value), placeholder: "no limit", "aria-label": `${label} of ${name}`,
	});
	const value = field(inUnits(limit, limit.amount), "Amount"), isBucket = limitKind(limit) === "bucket";
	const burst = isBucket && field(inUnits(limit, int(limit.burst) || int(limit.amount)), "Burst");
	const shadow = h("input", { type: "checkbox", checked: Boolean(limit.shadow), "aria-label": `${name} only counts, and never denies` });
	const row = h("tr", h("th", { scope: "row" }, name, isMoney && h("span.muted", " USD")), h("td", value), h("td", burst || h("span.muted", "–")), h("td", shadow),
		h("td", button("Remove", () => removed(), "quiet.small")));
	const whole = (control) => (control.value === "" ? String(ENDLESS) : String(Math.round(Number(control.value) * scale)));
	const linked = isBucket && int(limit.burst || limit.amount) === int(limit.amount);

	/* A burst that was the amount follows it, until somebody enters another one. */
	let follows = linked;
	value.addEventListener("input", () => follows && (burst.value = value.value));
	if (burst)
		burst.addEventListener("input", () => (follows = false));
	return { row, limit, answer: () => ({ ...limit, amount: whole(value), ...(burst ? { burst: whole(burst) } : {}), shadow: shadow.checked }) };
}

/* Adds limits that the tier does not have. */
function adder(add) {
	const what = choice("Counts", Object.entries(DIMENSIONS), { value: "requests" });
	const window = choice("Per", [...PERIODS, ["day", "day, from midnight"], ["week", "week, from Monday"], ["month", "month"]], { value: "60000000" });
	const on = text("Only on interface", { hint: "Empty: all." }), model = text("Only for model", { hint: "Empty: all." });

	function made() {
		const calendar = Number.isNaN(Number(window.control.value));
		return {
			dimension: what.control.value, ...(calendar ? { kind: "calendar", window: window.control.value } : { kind: "bucket", period_us: window.control.value }),
			amount: "0", interface: on.control.value.trim(), model: model.control.value.trim(),
			name: [what.control.value, "per", calendar ? window.control.value : PERIODS.find(([us]) => us === window.control.value)[1].split(",")[0],
				...(window.control.value === "86400000000" ? ["rolling"] : []), on.control.value.trim(), model.control.value.trim()]
				.filter(Boolean).join("_").toLowerCase().replace(/[^a-z0-9_-]/g, "-").slice(0, 64),
		};
	}
	return h("details", h("summary", "Add a limit"), h("div.row", what.element, window.element, on.element, model.element, h("div.field", button("Add", () => add(made())))));
}

/* The whole form. read(): the tier as it is entered. */
class Form {
	constructor(tier, others, changed) {
		this.tier = tier;
		this.changed = changed;
		this.body = h("tbody");
		this.rows = [];
		this.priority = text("Pool priority", { type: "number", min: "1", max: "100", required: true, value: String(tier.pool_priority ?? 1), hint: "Higher is served first." });
		this.slots = text("Slots at once", { type: "number", min: "1", required: true, value: String(tier.pool_concurrent ?? 1) });
		this.output = text("Output tokens held", { type: "number", min: "1", required: true, value: String(tier.default_output_tokens ?? 1000), hint: "If a check names none." });
		this.fail = choice("Without Redis, checks", [["local", "follow the last known levels"], ["open", "pass"], ["closed", "are refused"]], { value: bare(tier.fail_policy, "fail_policy") || "local" });
		this.upgrade = choice("Upgrade to", [["", "none"], ...others.map((name) => [name, name])], { value: tier.upgrade_to ?? "", hint: "Named to denied users." });
		for (const limit of tier.limits ?? [])
			this.add(limit);
	}

	add(limit) {
		if (this.rows.some((one) => one.limit.name === limit.name))
			return announce("The tier has this limit already");
		const row = limitRow(limit, () => {
			this.rows = this.rows.filter((one) => one !== row);
			row.row.remove();
			this.changed(this);
		});
		this.rows.push(row);
		this.body.append(row.row);
		this.changed(this);
		row.row.querySelector("input").select?.();
	}

	element(submit) {
		const id = uid("limits");
		return h("form", { oninput: () => this.changed(this), onsubmit: submit },
			h("div.table-frame", { tabindex: "0", role: "group", "aria-labelledby": id }, h("table.edit", h("caption.sr-only", { id }, "Limits of the tier"),
				h("thead", h("tr", ["Limit", "Amount", "Burst", "Shadow", ""].map((name) => h("th", { scope: "col" }, name || h("span.sr-only", "Actions"))))), this.body)),
			adder((limit) => this.add(limit)),
			h("div.row", this.priority.element, this.slots.element, this.output.element, this.fail.element, this.upgrade.element),
			h("div.buttons", h("button.primary", { type: "submit" }, "Preview and save")));
	}

	read() {
		return {
			name: this.tier.name, limits: this.rows.map((row) => row.answer()), pool_priority: int(this.priority.control.value), pool_concurrent: int(this.slots.control.value),
			default_output_tokens: this.output.control.value, fail_policy: this.fail.control.value, upgrade_to: this.upgrade.control.value,
		};
	}
}

/* Everything but limits that differs. */
function settings(before, after) {
	const rows = [["Pool priority", "pool_priority"], ["Slots at once", "pool_concurrent"], ["Output tokens held", "default_output_tokens"], ["Upgrade to", "upgrade_to"], ["Without Redis", "fail_policy"]]
		.map(([name, field]) => [name, ...[before, after].map((tier) => bare(tier[field], "fail_policy") || "none")]).filter(([, was, is]) => was !== is);

	return rows.length > 0 && h("ul", rows.map(([name, was, is]) => h("li", `${name}: ${was} becomes ${is}`)));
}

/* Of the users of the tier who cost most this month: those who have used more than the new limits allow. */
async function losers(tier, after, { tenant, signal }) {
	const stats = await get("/v1/stats", { tenant, top: 100 }, signal), found = [];
	let asked = 0;

	for (const { user } of stats.top_users ?? []) {
		if (asked === SAMPLE)
			break;
		const own = (await get("/v1/status", { tenant, user }, signal)).accounts[0];
		if (own.tier !== tier)
			continue;
		asked++;
		for (const status of own.limits ?? []) {
			const limit = after.limits.find((one) => one.name === status.limit.name);
			if (limit && limitKind(limit) === "calendar" && !limit.shadow && int(status.limit.amount) > int(limit.amount) && int(status.used) > int(limit.amount))
				found.push({ user, limit, used: status.used });
		}
	}
	return { asked, found };
}

function loserTable({ asked, found }) {
	if (asked === 0)
		return h("p.muted", "Nobody on this tier has used anything this month.");
	if (found.length === 0)
		return h("p.muted", `Of the ${plural(asked, "user")} of this tier who cost most this month, nobody has used more than the new limits allow.`);
	return [h("p.notice.warn", `Of the ${plural(asked, "user")} of this tier who cost most this month, ${count(new Set(found.map((one) => one.user)).size)} would be denied at once:`),
		table("Who would be denied", [
			{ name: "User", cell: (one) => userLink(one.user) }, { name: "Limit", cell: (one) => limitName(one.limit) },
			{ name: "Used", number: true, cell: (one) => amount(one.limit, one.used) }, { name: "New limit", number: true, cell: (one) => amount(one.limit, one.limit.amount) },
		], found, { quiet: true })];
}

/* Whom a change touches: users on the tier, and those of them who keep limits of their own. */
async function touched(tier, { tenant, signal }) {
	const ask = (more) => get("/v1/accounts", { tenant, kind: "user", tier, count_only: "true", ...more }, signal).then((answer) => int(answer.matched));
	const [users, own] = await Promise.all([ask({}), ask({ has_overrides: "true" })]);

	return { users, own };
}

async function preview(before, form, context, done) {
	const after = form.read(), rows = difference(before.limits ?? [], after.limits), changes = settings(before, after);
	const whom = await touched(after.name, context), who = h("div", h("p.muted", "Looking for users who would be denied")), worse = rows.some((row) => row.tone === "bad");

	if (worse)
		losers(after.name, after, context).then((found) => put(who, loserTable(found)), (error) => put(who, failed(error)));
	const saved = await confirm({
		title: `Save ${after.name}?`, verb: "Save the tier", wide: true, danger: worse, done: "The tier is saved",
		change: () => (rows.length > 0 || changes || before.isNew) && [
			h("p", h("b", `It touches ${plural(whom.users, "user")}`), whom.own > 0 && `; ${count(whom.own)} of them have overrides, which go before it`, "."),
			rows.length > 0 && differenceTable("Limits", rows), changes, worse && who, h("p.muted", "It takes effect at once, for everybody on the tier. Use so far is kept."),
		],
		act: (reason) => call("PUT", path`/v1/tiers/${after.name}`, { query: { tenant: context.tenant, reason }, body: after, etag: before.etag }),
		before, read: () => get(path`/v1/tiers/${after.name}`, { tenant: context.tenant }), again: done,
	});
	if (saved)
		done();
}

async function removeTier(tier, context, again) {
	const gone = await confirm({
		title: `Delete ${tier.name}?`, verb: "Delete the tier", danger: true, done: "The tier is deleted",
		intro: "A tier that is in use is refused. If it replaces a shipped one, the shipped one applies again.",
		act: (reason) => call("DELETE", path`/v1/tiers/${tier.name}`, { query: { tenant: context.tenant, reason }, etag: tier.etag }),
		before: tier, read: () => get(path`/v1/tiers/${tier.name}`, { tenant: context.tenant }), again,
	});
	if (gone)
		location.hash = "#/tiers";
}

function editor(state, context, again) {
	const { tier, tiers } = state, note = h("p.muted", { role: "status" }), problem = h("div");
	const form = new Form(tier, tiers.map((one) => one.name).filter((name) => name !== tier.name), (self) => {
		note.textContent = changedNote(tier, self);
	});
	note.textContent = "";
	const submit = (event) => {
		event.preventDefault();
		put(problem);
		preview(tier, form, context, again).catch((error) => put(problem, failed(error)));
	};

	return [
		h("p.badges", tier.shipped && badge("as shipped"), tier.isNew && badge("new", "good"), h("span.muted", plural(state.users, "user"), state.all > 0 && `, ${percent(state.users / state.all, 1)} of all`)),
		card("Limits and settings", form.element(submit), note, problem),
		!tier.shipped && !tier.isNew && h("div.buttons", button("Delete", () => removeTier(tier, context, again), "danger")),
	];
}

function changedNote(tier, form) {
	const number = difference(tier.limits ?? [], form.read().limits).length;
	return number > 0 ? `${plural(number, "limit")} changed, not saved.` : "";
}

export const tierView = {
	title: ([name]) => name,
	show(root, context) {
		const [name] = context.params, { tenant, signal } = context, place = h("div.view");

		async function load() {
			const tiers = (await get("/v1/tiers", { tenant }, signal)).tiers ?? [], found = tiers.find((tier) => tier.name === name);
			if (!found && !context.mayAct)
				throw new ApiError(404, 5, `There is no tier ${name}.`);
			const ask = (tier) => get("/v1/accounts", { tenant, kind: "user", tier, count_only: "true" }, signal).then((answer) => int(answer.matched));
			return { tiers, tier: found ?? { name, limits: [], isNew: true }, users: found ? await ask(name) : 0, all: found ? await ask("") : 0 };
		}
		root.prepend(h("nav.crumbs", { "aria-label": "Where you are" }, h("a", { href: "#/tiers" }, "Tiers")));
		root.append(place);
		const again = loaded(place, signal, load, (state) => {
			const parts = h("div.view");
			put(parts, editor(state, context, () => again(true)));
			if (!context.mayAct)
				parts.querySelectorAll("input, select, button").forEach((control) => (control.disabled = true));
			return parts;
		});
	},
};
