/* Where alerts go, how that is going, and a test of it. */
import { call, get, path } from "../../lib/api.js";
import { confirm } from "../../lib/dialog.js";
import { h, put } from "../../lib/dom.js";
import { int, relative } from "../../lib/format.js";
import { badge, button, card, empty, loaded, table, ticking } from "../../lib/parts.js";
import { plural } from "../../lib/words.js";
import { editChannel, newChannel, others } from "./channel_form.js";
import { followDelivery } from "./follow.js";
import { CHANNELS, channelKind, circuit, deliveryBadge, failuresOf, outcome, quietHours, severityOf } from "./words.js";

const EVERY_MS = 10000;

async function test(channel, { tenant }, again) {
	const answer = await confirm({
		title: `Send a test to ${channel.name}?`, verb: "Send the test",
		change: () => h("p", "A message that says that it is a test goes out at once, whatever digest, quiet hours and severity are set. While the circuit is open, it waits like any other."),
		act: (reason) => call("POST", path`/v1/alerts/channels/${channel.name}/test`, { body: { tenant, reason } }),
	});
	if (!answer)
		return;
	await followDelivery(`The test of ${channel.name}`, answer.delivery, tenant);
	again();
}

/* Names the rules that will tell nobody without the channel, as soon as they are known. */
function silenced(channel, tenant) {
	const what = h("p"), alone = ({ channels = [] }) => channels.length === 1 && channels[0] === channel.name;

	get("/v1/alerts/rules", { tenant }).then(({ rules = [] }) => {
		const names = rules.filter(alone).map((rule) => rule.name);
		put(what, names.length > 0 && ["These rules name no other channel, and will tell nobody: ", h("strong", names.join(", ")), "."]);
	}, () => put(what, "Which rules name no other channel, and will tell nobody, cannot be read."));
	return what;
}

async function remove(channel, { tenant }, again) {
	const waits = int(channel.pending), silent = silenced(channel, tenant);
	const done = await confirm({
		title: `Delete ${channel.name}?`, verb: "Delete the channel", danger: true, done: "The channel is deleted",
		change: () => [h("p", "Nothing is sent to it any more, and its secrets are forgotten.", waits > 0 && ` ${plural(waits, "event or message", "events or messages")} that wait for it are cancelled.`, " Rules that name it no longer do."), silent],
		act: (reason) => call("DELETE", path`/v1/alerts/channels/${channel.name}`, { query: { tenant, reason }, etag: channel.etag }),
		...others(channel, tenant, again),
	});
	if (done)
		again();
}

function actions(channel, context, again) {
	const mayChange = !channel.system || context.who.role === "operator";

	return h("div.buttons", { role: "group", "aria-label": `Actions on ${channel.name}` },
		!channel.disabled && button("Test", () => test(channel, context, again), "small"), mayChange && button("Edit", () => editChannel(channel, context, again), "small"),
		mayChange && button("Delete", () => remove(channel, context, again), "danger.small"));
}

function state(channel) {
	const open = circuit(channel), failures = failuresOf(channel), waits = int(channel.pending);

	return [
		channel.disabled ? badge("off", "warn") : open ? badge("circuit open", "bad") : failures ? badge("failing", "warn") : badge("works", "good"),
		open && h("small", open), failures && h("small", failures), waits > 0 && h("small", `${plural(waits, "waits", "wait")}`),
	];
}

function last(delivery) {
	if (!delivery)
		return h("span.muted", "none yet");
	return [deliveryBadge(delivery), h("small", `${relative(delivery.ended_at_us || delivery.created_at_us)}${int(delivery.attempts) ? `, ${outcome(delivery)}` : ""}`)];
}

function secrets(channel) {
	const set = (channel.secrets_set ?? []).map((name) => name.replaceAll("_", " "));
	return set.length > 0 && h("small", `${set.join(", ")}: set`);
}

function rows(channels, context, again) {
	return table("Channels", [
		{ name: "Channel", cell: ({ channel }) => [channel.name, channel.system && [" ", badge("installation")], h("small", CHANNELS[channelKind(channel)] ?? channelKind(channel))] },
		{ name: "To", wide: true, cell: ({ channel }) => [h("span.address", channel.target ?? ""), secrets(channel)] },
		{ name: "Sends", cell: ({ channel }) => [severityOf(channel.least, "info") === "info" ? "everything" : `${channel.least && severityOf(channel.least)} and above`, int(channel.digest_us) > 0 && h("small", "as a digest"), quietHours(channel) && h("small", `quiet ${quietHours(channel)}`)] },
		{ name: "State", cell: ({ channel }) => state(channel) }, { name: "Last delivery", cell: ({ newest }) => last(newest) },
		...(context.mayAct ? [{ name: "Actions", hidden: true, cell: ({ channel }) => actions(channel, context, again) }] : []),
	], channels, { quiet: true, rowClass: ({ channel }) => (channel.disabled ? "off" : "") });
}

export function channelsSection(root, context) {
	const { tenant, signal, mayAct } = context, place = h("div");
	const newest = (channel) => get("/v1/alerts/deliveries", { tenant, channel, page_size: 1 }, signal).then((answer) => answer.deliveries?.[0]);
	const load = async () => Promise.all(((await get("/v1/alerts/channels", { tenant }, signal)).channels ?? []).map(async (channel) => ({ channel, newest: await newest(channel.name) })));
	const again = loaded(place, signal, load, (channels) => (channels.length ? rows(channels, context, () => again(true))
		: empty("There is no channel: events are listed here, and nobody is told.")));

	ticking(signal, EVERY_MS, () => again(true));
	if (mayAct)
		root.prepend(h("div.view-head", root.querySelector("h1"), button("Make a channel", () => newChannel(context, () => again(true)), "primary")));
	root.append(card("Channels", place));
}
