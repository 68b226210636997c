/* Messages to channels: what became of each, and sending again what was given up. */
import { call, get, path } from "../../lib/api.js";
import { confirm } from "../../lib/dialog.js";
import { h } from "../../lib/dom.js";
import { choice } from "../../lib/fields.js";
import { count, dateTime, int, relative } from "../../lib/format.js";
import { Pages } from "../../lib/pages.js";
import { badge, button, card, empty, loaded, table, ticking } from "../../lib/parts.js";
import { remember } from "../../lib/route.js";
import { plural } from "../../lib/words.js";
import { followDelivery } from "./follow.js";
import { deliveryBadge, deliveryState, outcome } from "./words.js";

const PAGE = 30, EVERY_MS = 10000, STATES = [["", "Any"], ["waiting", "Waiting"], ["delivered", "Delivered"], ["dead", "Dead"], ["cancelled", "Cancelled"]];

const titleOf = (delivery) => `Message ${delivery.id} to ${delivery.channel}`;

async function resend(delivery, { tenant }, again) {
	const answer = await confirm({
		title: `Send message ${delivery.id} again?`, verb: "Send it again", done: "The message waits again",
		change: () => h("p", `It waits for ${delivery.channel} again, and is tried for as long as a new one, under the same id: a receiver that remembers ids does not take it twice.`),
		act: (reason) => call("POST", path`/v1/alerts/deliveries/${delivery.id}/resend`, { body: { tenant, reason } }),
	});
	if (!answer)
		return;
	await followDelivery(titleOf(delivery), answer, tenant);
	again();
}

function actions(delivery, context, again) {
	return h("div.buttons", { role: "group", "aria-label": `Actions on message ${delivery.id}` },
		button("Attempts", () => followDelivery(titleOf(delivery), delivery, context.tenant), "small"),
		context.mayAct && ["dead", "delivered"].includes(deliveryState(delivery)) && button("Send again", () => resend(delivery, context, again), "small"));
}

function rows(deliveries, context, again) {
	return table("Deliveries", [
		{ name: "Message", cell: (one) => [h("code", one.id), one.test && [" ", badge("test")], h("small", dateTime(one.created_at_us))] },
		{ name: "Channel", cell: (one) => one.channel }, { name: "Events", number: true, cell: (one) => count((one.events ?? []).length) },
		{ name: "State", cell: (one) => [deliveryBadge(one), deliveryState(one) === "waiting" && h("small", `next attempt ${relative(one.next_at_us)}`)] },
		{ name: "Last attempt", wide: true, cell: (one) => (int(one.attempts) ? [outcome(one), h("small", plural(one.attempts, "attempt"))] : h("span.muted", "none yet")) },
		{ name: "Actions", hidden: true, cell: (one) => actions(one, context, again) },
	], deliveries, { quiet: true });
}

export function deliveriesSection(root, context) {
	const { tenant, signal, query } = context, place = h("div"), filters = h("div");
	const state = choice("State", STATES, { value: query.get("state") ?? "" });
	const pages = new Pages("Pages of deliveries", "Newer", "Older");
	let channel = query.get("channel") ?? "";

	const load = () => get("/v1/alerts/deliveries", { tenant, channel, state: state.control.value, page_size: PAGE, page_token: pages.token }, signal);
	const again = loaded(place, signal, load, (answer) => (answer.deliveries?.length ? [rows(answer.deliveries, context, () => again(true)), pages.pager(answer.next_page_token, again)]
			: empty("No message matches.")));
	function search() {
		pages.begin();
		remember({ channel, state: state.control.value });
		again();
	}

	state.control.addEventListener("change", search);
	filters.className = "row";
	filters.append(state.element);
	get("/v1/alerts/channels", { tenant }, signal).then((answer) => {
		const names = (answer.channels ?? []).map((one) => one.name), known = names.includes(channel) || !channel ? names : [channel, ...names];
		const of = choice("Channel", [["", "Any"], ...known.map((name) => [name, name])], { value: channel });
		of.control.addEventListener("change", () => {
			channel = of.control.value;
			search();
		});
		filters.prepend(of.element);
	}, () => {}); /* the messages say what is wrong */
	ticking(signal, EVERY_MS, () => pages.isFirst && again(true));
	root.append(filters, card("Messages", place));
}
