/* The rules in force: shipped ones, and the tenant's own, which go before them. */
import { call, get, path } from "../../lib/api.js";
import { confirm } from "../../lib/dialog.js";
import { h } from "../../lib/dom.js";
import { badge, button, card, empty, loaded, table } from "../../lib/parts.js";
import { editRule, newRule, others, sent } from "./rule_form.js";
import { KINDS, destinations, kindName, kindOf, limits, severityBadge, subjects, trigger } from "./words.js";

/* A shipped rule is switched off by one of the tenant's own. */
async function toggle(rule, { tenant }, again) {
	const on = Boolean(rule.disabled);
	const done = await confirm({
		title: on ? `Switch ${rule.name} on?` : `Switch ${rule.name} off?`, verb: on ? "Switch on" : "Switch off", danger: !on, done: on ? "The rule is on" : "The rule is off",
		change: () => [
			h("p", on ? "It fires again, for what happens from now on." : "Nothing that it looks for becomes an event any more, so that nobody hears of it and bots do not either."),
			rule.shipped && h("p.muted", "The tenant gets a rule of its own of this name, which goes before the shipped one. Delete it, and the shipped one applies again."),
		],
		act: (reason) => call("PUT", path`/v1/alerts/rules/${rule.name}`, { query: { tenant, reason }, body: { ...sent(rule), disabled: !on }, etag: rule.etag }),
		...others(rule, tenant, again),
	});
	if (done)
		again();
}

async function remove(rule, { tenant }, again) {
	const done = await confirm({
		title: `Delete ${rule.name}?`, verb: "Delete the rule", danger: true, done: "The rule is deleted",
		change: () => h("p", "It no longer fires. If a rule of this name is shipped, that one applies again. Events that it has found stay."),
		act: (reason) => call("DELETE", path`/v1/alerts/rules/${rule.name}`, { query: { tenant, reason }, etag: rule.etag }),
		...others(rule, tenant, again),
	});
	if (done)
		again();
}

function actions(rule, channels, context, again) {
	const mayPut = !KINDS[kindOf(rule)]?.system || context.who.role === "operator";

	return h("div.buttons", { role: "group", "aria-label": `Actions on ${rule.name}` },
		mayPut && button("Edit", () => editRule(rule, channels, context, again), "small"),
		mayPut && button(rule.disabled ? "Switch on" : "Switch off", () => toggle(rule, context, again), "small"),
		!rule.shipped && button("Delete", () => remove(rule, context, again), "danger.small"));
}

function rows(rules, channels, context, again) {
	return table("Rules", [
		{ name: "Rule", cell: (rule) => [rule.name, " ", badge(rule.shipped ? "shipped" : "own", rule.shipped ? "" : "good"), rule.disabled && badge("off", "warn"), h("small", kindName(rule.kind))] },
		{ name: "For", cell: (rule) => [subjects(rule), limits(rule) && h("small", limits(rule))] }, { name: "At", cell: trigger },
		{ name: "Severity", cell: (rule) => severityBadge(rule.severity || "warning") }, { name: "Channels", cell: destinations },
		...(context.mayAct ? [{ name: "Actions", hidden: true, cell: (rule) => actions(rule, channels, context, again) }] : []),
	], rules, { quiet: true, rowClass: (rule) => (rule.disabled ? "off" : "") });
}

export function rulesSection(root, context) {
	const { tenant, signal, mayAct } = context, place = h("div");
	let channels = [];
	const load = async () => {
		const [rules, known] = await Promise.all([get("/v1/alerts/rules", { tenant }, signal), get("/v1/alerts/channels", { tenant }, signal)]);
		channels = (known.channels ?? []).map((channel) => channel.name);
		return rules.rules ?? [];
	};
	const again = loaded(place, signal, load, (rules) => (rules.length ? rows(rules, channels, context, () => again(true)) : empty("There is no rule.")));

	if (mayAct)
		root.prepend(h("div.view-head", root.querySelector("h1"), button("Make a rule", () => newRule(channels, context, () => again(true)), "primary")));
	root.append(card("In force", place));
}
