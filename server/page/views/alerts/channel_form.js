/* A channel is made or edited: the form has the fields of its kind. Secrets are sent and never read. */
import { call, get, path } from "../../lib/api.js";
import { confirm } from "../../lib/dialog.js";
import { h } from "../../lib/dom.js";
import { area, choice, shown, text, tick } from "../../lib/fields.js";
import { duration, int } from "../../lib/format.js";
import { showSecret } from "../../lib/secret.js";
import { channelFacts, factTable } from "./facts.js";
import { CHANNELS, SEVERITIES, channelKind, clockOf, severityOf } from "./words.js";

const NAME = "[a-z0-9._\\-]{1,64}", DIGESTS = [0, 60e6, 300e6, 900e6, 3600e6, 21600e6, 86400e6];
const LANGUAGES = [["", "The tenant's"], ["en", "English"], ["de", "Deutsch"], ["ru", "Русский"], ["es", "Español"]];

/* What `target` is, and which secrets the kind has: name, label, hint; `several`: one a line. */
const URL_OF_HOOK = { url: { label: "The webhook's URL", must: true } };
const FIELDS = {
	webhook: {
		target: { label: "URL", hint: "https://…" },
		secrets: {
			signing_secrets: { label: "Signing secrets", hint: "One a line, whsec_…; each signs. Empty: one is made and shown once.", several: true },
			headers: { label: "Headers of your own", hint: "One a line, Name: value.", several: true },
		},
	},
	email: { target: { label: "Addresses", hint: "1 to 20, separated by commas." }, secrets: {} },
	slack: { secrets: URL_OF_HOOK }, discord: { secrets: URL_OF_HOOK }, teams: { secrets: URL_OF_HOOK },
	telegram: {
		target: { label: "Id of the chat", hint: "-100…, or @channel" },
		secrets: { token: { label: "The bot's token", must: true }, url: { label: "Server of the Bot API", hint: "Empty: api.telegram.org." } },
	},
	command: { target: { label: "Name of the command", hint: "One of the server's option alert_commands." }, secrets: {} },
};

/* The server gives these to no destination that they were not entered for. */
const sentAlong = new Set(["headers", "token"]);
const isSet = (channel, name) => (channel.secrets_set ?? []).includes(name);
const minutes = (control) => (([hours, rest]) => int(hours) * 60 + int(rest))(control.value.split(":"));
const lines = (value) => value.split("\n").map((one) => one.trim()).filter(Boolean);

function secretFields(channel, kind) {
	return Object.entries(FIELDS[kind].secrets).map(([name, { label, hint = "", several, must }]) => {
		const set = isSet(channel, name), words = set ? `Set. Empty: it stays as it is. ${several ? "What you enter replaces all of them. " : ""}${sentAlong.has(name) ? "For another destination it must be entered again." : ""}`.trim() : hint;
		return { name, several, ...(several ? area : text)(label, { hint: words, rows: "2", required: must && !set, ...(several ? {} : { type: "password", autocomplete: "new-password" }) }) };
	});
}

class Form {
	constructor(channel, who) {
		const quiet = int(channel.quiet_from_minute) !== int(channel.quiet_to_minute), digest = int(channel.digest_us);

		this.channel = channel;
		this.name = text("Name", { pattern: NAME, required: true, hint: "Small letters, digits, dots, _ and -." });
		this.kind = choice("Kind", Object.entries(CHANNELS), { value: channel.name ? channelKind(channel) : "webhook" });
		this.on = tick("The channel is on", { checked: !channel.disabled });
		this.target = text("To", { value: channel.target ?? "", required: true, maxlength: "2000" });
		this.secrets = Object.fromEntries(Object.keys(FIELDS).map((kind) => [kind, secretFields(channel, kind)]));
		this.noHeaders = tick("Without headers of your own", { hint: "Those that are stored are forgotten." });
		this.least = choice("From severity", SEVERITIES, { value: severityOf(channel.least, "info") });
		this.language = choice("Language", LANGUAGES, { value: channel.language ?? "" });
		this.digest = choice("Digest", [...new Set([...DIGESTS, digest])].sort((a, b) => a - b).map((us) => [String(us), us ? `every ${duration(us)}` : "none: each at once"]), { value: String(digest) });
		this.from = text("Quiet from", { type: "time", value: quiet ? clockOf(channel.quiet_from_minute) : "" });
		this.to = text("Quiet to", { type: "time", value: quiet ? clockOf(channel.quiet_to_minute) : "" });
		this.zone = text("Time zone", { value: channel.quiet_zone ?? "", placeholder: "UTC", hint: "Europe/Berlin" });
		this.rate = text("Messages a minute", { type: "number", min: "1", max: "600", value: int(channel.rate_per_minute) ? String(channel.rate_per_minute) : "", placeholder: "as the kind allows" });
		this.ordered = tick("One after the other", { checked: Boolean(channel.ordered), hint: "The next message waits until this one is delivered or dead." });
		this.system = tick("Also what concerns the whole installation", { checked: Boolean(channel.system), disabled: who.role !== "operator", hint: who.role === "operator" ? "" : "Only operators can set this." });
		this.title = text("Template of the title", { value: channel.title ?? "", placeholder: "built in", maxlength: "2000" });
		this.body = area("Template of the text", { value: channel.body ?? "", placeholder: "built in", maxlength: "2000" });
	}

	fields() {
		const group = (...fields) => ({ element: h("div.row", fields.map((field) => field.element)) });
		const rest = h("details", h("summary", "Time, order and words"), h("div.stack", [group(this.digest, this.rate, this.language), group(this.from, this.to, this.zone), this.ordered, this.title, this.body].map((field) => field.element)));

		return [...(this.channel.name ? [] : [group(this.name, this.kind)]), this.target, ...Object.values(this.secrets).flat(), this.noHeaders, group(this.least, this.on), this.system, { element: rest }];
	}

	kindNow() {
		return this.kind.control.value;
	}

	show() {
		const { target } = FIELDS[this.kindNow()];

		shown(this.target, target, target?.label);
		this.target.control.placeholder = target?.hint ?? "";
		for (const [kind, fields] of Object.entries(this.secrets))
			for (const field of fields)
				shown(field, kind === this.kindNow());
		shown(this.noHeaders, this.kindNow() === "webhook" && isSet(this.channel, "headers"));
	}

	clearsHeaders() {
		return !this.noHeaders.control.disabled && this.noHeaders.control.checked;
	}

	/* What is kept is not sent. */
	entered() {
		return this.secrets[this.kindNow()].filter((field) => field.control.value.trim());
	}

	/* The channel as it may be shown. */
	read() {
		const value = (field) => field.control.value.trim(), quiet = this.from.control.value && this.to.control.value;

		return {
			name: this.channel.name ?? value(this.name), kind: this.kindNow(), disabled: !this.on.control.checked, system: this.system.control.checked, least: value(this.least),
			...(FIELDS[this.kindNow()].target ? { target: value(this.target) } : {}), language: value(this.language), title: value(this.title), body: value(this.body), digest_us: value(this.digest),
			quiet_from_minute: quiet ? minutes(this.from.control) : 0, quiet_to_minute: quiet ? minutes(this.to.control) : 0, quiet_zone: value(this.zone),
			rate_per_minute: int(value(this.rate)), ordered: this.ordered.control.checked,
		};
	}

	message() {
		return { ...this.read(), ...Object.fromEntries(this.entered().map((field) => [field.name, field.several ? lines(field.control.value) : field.control.value.trim()])) };
	}
}

/* What a dialog needs to show what somebody else has changed meanwhile. */
export const others = (channel, tenant, again) => ({
	before: channel, again, read: async () => (await get("/v1/alerts/channels", { tenant })).channels?.find((one) => one.name === channel.name) ?? {},
});

async function ask(channel, { tenant, who }, again, title) {
	const form = new Form(channel, who), before = channelFacts(channel);
	const answer = await confirm({
		title, fields: form.fields(), wide: true, verb: "Save the channel", done: "The channel is saved",
		change() {
			form.show();
			const after = form.read(), secrets = form.entered();
			/* The server knows where a chat's webhook leads. */
			const differs = factTable("The channel", before, channelFacts({ ...after, target: after.target ?? channel.target }), !channel.name);
			return after.name && (differs || secrets.length > 0 || form.clearsHeaders()) && [differs, form.clearsHeaders() && h("p", "The headers that are stored are forgotten."), secrets.length > 0 && h("p", `New: ${secrets.map((field) => field.name.replaceAll("_", " ")).join(", ")}.`)];
		},
		act: (reason) => call("PUT", path`/v1/alerts/channels/${form.read().name}`, { query: { tenant, reason, ...(form.clearsHeaders() ? { clear_headers: true } : {}) }, body: form.message(), etag: channel.etag }),
		...others(channel, tenant, again),
	});
	if (!answer)
		return;
	if (answer.signing_secrets?.length)
		await showSecret(`The signing secret of ${answer.channel.name}`, answer.signing_secrets.join("\n"), "The receiver of the webhook needs it to verify what it gets.");
	again();
}

export function newChannel(context, again) {
	return ask({}, context, again, "Make a channel");
}

export function editChannel(channel, context, again) {
	return ask(channel, context, again, `Edit ${channel.name}`);
}
