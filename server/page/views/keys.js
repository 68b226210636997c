/* Keys of callers: create, rotate, revoke. */
import { call, get, path } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { choice, localTime, microseconds, text, tick } from "../lib/fields.js";
import { dateTime, int, relative } from "../lib/format.js";
import { badge, button, card, empty, loaded, table, userLink } from "../lib/parts.js";
import { showSecret } from "../lib/secret.js";
import { role } from "../lib/words.js";

const ROLES = [["bot", "bot: checks and records"], ["user", "user: sees one user's own status"], ["viewer", "viewer: reads everything"], ["admin", "admin: changes everything"]];
const OVERLAPS = [["86400000000", "24 hours"], ["3600000000", "1 hour"], ["604800000000", "7 days"], ["0", "It ends at once"]];

const show = (answer) => showSecret("The new key", answer.secret, "Callers send it as ", h("code", "authorization: Bearer …"), ".");

const names = (value) => value.split(/[\s,]+/).filter(Boolean);

async function create({ who, tenant }, again) {
	const roles = who.role === "operator" ? [...ROLES, ["operator", "operator: everything of every tenant"]] : ROLES;
	const kind = choice("Role", roles, { value: "bot" }), account = text("User", { hint: "Whose status the key shows." }), label = text("Label", { maxlength: "128", hint: "A name for people." });
	const interfaces = text("Only from interfaces", { hint: "Separated by commas; empty: any." }), addresses = text("Only from networks", { hint: "10.0.0.0/8, 192.0.2.7; empty: any." });
	const ends = text("Expires", { type: "datetime-local", min: localTime(Date.now()), hint: "Empty: never." });
	const body = () => ({
		tenant, role: kind.control.value, account: kind.control.value === "user" ? account.control.value.trim() : "", label: label.control.value.trim(),
		interfaces: names(interfaces.control.value), addresses: names(addresses.control.value), expires_at_us: String(microseconds(ends.control)),
	});
	const answer = await confirm({
		title: "Create a key", fields: [kind, account, label, interfaces, addresses, ends], verb: "Create the key", done: "The key is created",
		change() {
			account.element.hidden = kind.control.value !== "user";
			return kind.control.value === "operator" ? h("p", "It may do everything, in every tenant.") : h("p", `Its holder acts as ${roles.find(([name]) => name === kind.control.value)[1]}${ends.control.value ? `, until ${dateTime(microseconds(ends.control))}` : ""}.`);
		},
		act: (reason) => call("POST", "/v1/keys", { body: { ...body(), reason } }),
	});
	if (answer) {
		await show(answer);
		again();
	}
}

async function rotate(key, again) {
	const overlap = choice("The old key works for", OVERLAPS, { value: OVERLAPS[0][0] });
	const answer = await confirm({
		title: `Rotate ${key.label || key.prefix}?`, fields: [overlap], verb: "Rotate", done: "The key is rotated",
		change: () => h("p", "A new key with the same rights is created and shown once. ", overlap.control.value === "0" ? "The old one is refused at once." : "The old one is refused when that time is over."),
		act: (reason) => call("POST", path`/v1/keys/${key.id}/rotate`, { body: { overlap_us: overlap.control.value, reason } }),
	});
	if (answer) {
		await show(answer);
		again();
	}
}

async function revoke(key, again) {
	const answer = await confirm({
		title: `Revoke ${key.label || key.prefix}?`, verb: "Revoke", danger: true, done: "The key is revoked",
		change: () => h("p", "Every server refuses it within a second, for good. Its open streams end, and everybody who is logged in with it is logged out."),
		act: (reason) => call("DELETE", path`/v1/keys/${key.id}`, { query: { reason } }),
	});
	if (answer)
		again();
}

function state(key) {
	const ends = int(key.expires_at_us), over = ends > 0 && ends < Date.now() * 1000;

	if (int(key.revoked_at_us))
		return badge("revoked", "bad");
	if (over)
		return badge("expired", "bad");
	return [badge("works", "good"), ends > 0 && h("small", `until ${dateTime(ends)}`), int(key.rotated_to) > 0 && h("small", `replaced by ${key.rotated_to}`)];
}

function bounds(key) {
	return [...(key.interfaces ?? []), ...(key.addresses ?? [])].join(", ") || h("span.muted", "none");
}

function rows(keys, again) {
	return table("Keys", [
		{ name: "Label", cell: (key) => [key.label || h("span.muted", "none"), h("small", h("code", `${key.prefix}…`), ` number ${key.id}`)] },
		{ name: "Role", cell: (key) => [role(key.role), key.account && [" of ", userLink(key.account)], !key.tenant && h("small", "all tenants")] },
		{ name: "State", cell: state }, { name: "Bound to", cell: bounds },
		{ name: "Last used", cell: (key) => (int(key.last_used_at_us) ? [relative(key.last_used_at_us), h("small", `from ${key.last_used_from}`)] : "never") },
		{ name: "Actions", hidden: true, cell: (key) => !int(key.revoked_at_us) && h("div.buttons", { role: "group", "aria-label": `Actions on ${key.label || key.prefix}` },
			button("Rotate", () => rotate(key, again), "small"), button("Revoke", () => revoke(key, again), "danger.small")) },
	], keys, { quiet: true, rowClass: (key) => (int(key.revoked_at_us) ? "off" : "") });
}

export const keysView = {
	title: () => "Keys",
	show(root, context) {
		const { tenant, signal, who } = context, place = h("div"), ended = tick("Also revoked and expired ones");
		const load = async () => {
			const keys = [];
			let token = "";
			do {
				const answer = await get("/v1/keys", { ...(who.role === "operator" ? { all_tenants: "true" } : { tenant }), ended_too: ended.control.checked ? "true" : "", page_size: 1000, page_token: token }, signal);
				keys.push(...(answer.keys ?? []));
				token = answer.next_page_token;
			} while (token);
			return keys;
		};
		const again = loaded(place, signal, load, (keys) => (keys.length ? rows(keys, () => again(true)) : empty("There is no key.")));

		ended.control.addEventListener("change", () => again());
		root.prepend(h("div.view-head", root.firstChild, button("Create a key", () => create(context, () => again(true)), "primary")));
		root.append(ended.element, card("Keys", place));
	},
};
