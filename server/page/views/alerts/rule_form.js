/* A rule is made or edited: the form has the fields of its kind, and says what will differ. */
import { call, get, path } from "../../lib/api.js";
import { confirm } from "../../lib/dialog.js";
import { h } from "../../lib/dom.js";
import { choice, shown, text, tick, ticks } from "../../lib/fields.js";
import { int } from "../../lib/format.js";
import { DIMENSIONS, bare, kind } from "../../lib/words.js";
import { factTable, ruleFacts } from "./facts.js";
import { KINDS, SEVERITIES, kindOf, severityOf } from "./words.js";

const NAME = "[a-z0-9._\\-]{1,64}", ACCOUNTS = [["user", "Users"], ["team", "Teams"], ["org", "Organisations"], ["model", "Models"], ["tenant", "The tenant"]];
const WINDOWS = [["", "Any"], ["day", "Day"], ["week", "Week"], ["month", "Month"]];

/* What of a rule is sent: not what the server adds. */
export function sent({ shipped, updated_at_us, etag, ...rule }) {
	return rule;
}

const named = (value, prefix) => (/unspecified/.test(bare(value, prefix)) ? "" : bare(value, prefix));
const numbers = (value) => value.split(/[\s,;%]+/).filter(Boolean);

class Form {
	constructor(rule, channels, system) {
		const scale = bare(rule.dimension, "dimension") === "cost" ? 1e9 : 1, known = [...new Set([...channels, ...(rule.channels ?? [])])];

		this.rule = rule;
		this.name = text("Name", { value: rule.name ?? "", pattern: NAME, required: true, hint: "Small letters, digits, dots, _ and -. The name of a shipped rule replaces that one." });
		this.kind = choice("Kind", Object.entries(KINDS).filter(([name, one]) => name !== "test" && (system || !one.system)).map(([name, one]) => [name, one.name]), { value: "threshold" });
		this.severity = choice("Severity", SEVERITIES, { value: severityOf(rule.severity, "warning") });
		this.on = tick("The rule is on", { checked: !rule.disabled });
		this.kinds = ticks("For accounts of these kinds", ACCOUNTS, { value: (rule.account_kinds ?? []).map(kind), hint: "None: all." });
		this.account = text("Only the id", { value: rule.account ?? "", hint: "Empty: all." });
		this.tier = text("Only on the tier", { value: rule.tier ?? "" });
		this.team = text("Only users of the team", { value: rule.team ?? "" });
		this.limit = text("Only the limit named", { value: rule.limit ?? "", placeholder: "cost_per_month" });
		this.dimension = choice("That counts", [["", "Anything"], ...Object.entries(DIMENSIONS)], { value: named(rule.dimension, "dimension") });
		this.window = choice("In a", WINDOWS, { value: named(rule.window, "calendar_window") });
		this.percents = text("Percent of the limit", { value: (rule.percents ?? []).join(", "), pattern: "[0-9 ,;%]*", placeholder: "50, 80, 100", hint: "At most 8, from 1 to 1000." });
		this.amounts = text("Or amounts", { value: (rule.amounts ?? []).map((one) => int(one) / scale).join(", "), pattern: "[0-9. ,;]*", hint: "In what the limit counts; of cost, USD." });
		this.percent = text("Percent", { type: "number", min: "1", value: int(rule.percent) ? String(rule.percent) : "" });
		this.minimum = text("From a cost of", { type: "number", min: "0", step: "any", value: String(int(rule.minimum_nano_usd) / 1e9), hint: "USD of today." });
		this.after = text("Seconds", { type: "number", min: "1", value: int(rule.after_s) ? String(rule.after_s) : "", placeholder: "as shipped" });
		this.to = choice("Channels", [["all", "All of the tenant's"], ["some", "Some"], ["none", "None: only listed, and streamed to bots"]], { value: rule.channels?.length ? "some" : rule.no_channels ? "none" : "all" });
		this.channels = ticks("These channels", known.map((name) => [name, name]), { value: rule.channels ?? [] });
	}

	fields() {
		const group = (...fields) => ({ element: h("div.row", fields.map((field) => field.element)) });

		return [...(this.rule.name ? [] : [group(this.name, this.kind)]), group(this.severity, this.on), this.kinds, group(this.account, this.tier, this.team), group(this.limit, this.dimension, this.window),
			group(this.percents, this.amounts, this.percent, this.minimum, this.after), group(this.to), this.channels];
	}

	kindNow() {
		return this.rule.name ? kindOf(this.rule) : this.kind.control.value;
	}

	/* Only what the kind has is shown, and sent. */
	show() {
		const { of, limits, thresholds, percent, unit, minimum, after } = KINDS[this.kindNow()];

		for (const field of [this.kinds, this.account, this.tier, this.team])
			shown(field, of);
		for (const field of [this.limit, this.dimension, this.window])
			shown(field, limits);
		shown(this.percents, thresholds);
		shown(this.amounts, thresholds);
		shown(this.percent, percent, `Percent ${unit}`);
		this.percent.control.placeholder = String(percent ?? "");
		shown(this.minimum, minimum);
		shown(this.after, after, after);
		shown(this.channels, this.to.control.value === "some");
	}

	read() {
		const { of, limits, thresholds, percent, minimum, after } = KINDS[this.kindNow()], value = (field) => field.control.value.trim();
		const scale = value(this.dimension) === "cost" ? 1e9 : 1;

		return {
			name: this.rule.name ?? value(this.name), kind: this.kindNow(), severity: value(this.severity), disabled: !this.on.control.checked,
			...(of ? { account_kinds: this.kinds.read(), account: value(this.account), tier: value(this.tier), team: value(this.team) } : {}),
			...(limits ? { limit: value(this.limit), ...(value(this.dimension) ? { dimension: value(this.dimension) } : {}), ...(value(this.window) ? { window: value(this.window) } : {}) } : {}),
			...(thresholds ? { percents: numbers(value(this.percents)).map(Number), amounts: numbers(value(this.amounts)).map((one) => String(Math.round(Number(one) * scale))) } : {}),
			...(percent ? { percent: Number(value(this.percent)) } : {}), ...(minimum ? { minimum_nano_usd: String(Math.round(Number(value(this.minimum)) * 1e9)) } : {}),
			...(after ? { after_s: value(this.after) || "0" } : {}),
			...(value(this.to) === "some" ? { channels: this.channels.read() } : {}), no_channels: value(this.to) === "none",
		};
	}
}

/* What a dialog needs to show what somebody else has changed meanwhile. */
export const others = (rule, tenant, again) => ({
	before: rule, again, read: async () => (await get("/v1/alerts/rules", { tenant })).rules?.find((one) => one.name === rule.name) ?? {},
});

async function ask(rule, channels, { tenant, who }, again, words) {
	const form = new Form(rule, channels, who.role === "operator"), before = rule.name ? ruleFacts(rule) : [];
	const done = await confirm({
		...words, fields: form.fields(), wide: true, verb: "Save the rule", done: "The rule is saved",
		change() {
			form.show();
			const after = form.read();
			return after.name && factTable("The rule", before, ruleFacts(after), !rule.name);
		},
		act: (reason) => call("PUT", path`/v1/alerts/rules/${form.read().name}`, { query: { tenant, reason }, body: form.read(), etag: rule.etag }),
		...others(rule, tenant, again),
	});
	if (done)
		again();
}

export function newRule(channels, context, again) {
	return ask({}, channels, context, again, { title: "Make a rule" });
}

export function editRule(rule, channels, context, again) {
	return ask(rule, channels, context, again, {
		title: `Edit ${rule.name}`, intro: rule.shipped ? "The tenant gets a rule of its own of this name, which goes before the shipped one." : "",
	});
}
