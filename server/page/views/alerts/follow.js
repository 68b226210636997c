/* One message and its attempts; followed until it is delivered, or will not be. */
import { get, path } from "../../lib/api.js";
import { open } from "../../lib/dialog.js";
import { h, renew } from "../../lib/dom.js";
import { dateTime, duration, int, relative } from "../../lib/format.js";
import { button, failed, table } from "../../lib/parts.js";
import { deliveryBadge, deliveryState, outcome } from "./words.js";

const EVERY_MS = 1000;

function facts(delivery) {
	const rows = [
		["Message", h("code", delivery.message_id)], ["Made", dateTime(delivery.created_at_us)],
		deliveryState(delivery) === "waiting" ? ["Next attempt", relative(delivery.next_at_us)] : ["Ended", dateTime(delivery.ended_at_us)],
	];
	return h("dl.facts", rows.map(([name, value]) => h("div", h("dt", name), h("dd", value))));
}

function attempts(log) {
	return table("Attempts", [
		{ name: "Attempt", number: true, cell: (one) => one.attempt }, { name: "When", cell: (one) => dateTime(one.at_us) },
		{ name: "Took", number: true, cell: (one) => duration(one.took_us) }, { name: "Outcome", wide: true, cell: outcome },
	], log, { quiet: true });
}

const drawn = (delivery) => [
	h("p", { role: "status" }, deliveryBadge(delivery), deliveryState(delivery) === "dead" && ` ${delivery.error}`), facts(delivery),
	delivery.log?.length ? attempts(delivery.log) : h("p.muted", "There was no attempt yet."),
];

/* Shows a delivery in a dialog, and looks again every second while it waits. Resolves when the dialog is closed. */
export async function followDelivery(title, delivery, tenant) {
	const place = h("div.stack"), done = new AbortController();
	let timer = 0, state = "";

	async function look() {
		try {
			const now = await get(path`/v1/alerts/deliveries/${delivery.id}`, { tenant }, done.signal), key = JSON.stringify(now);
			if (key !== state)
				renew(place, drawn(now));
			state = key;
			if (deliveryState(now) === "waiting")
				timer = setTimeout(look, EVERY_MS);
		} catch (error) {
			if (!done.signal.aborted)
				renew(place, failed(error, look));
		}
	}
	renew(place, drawn(delivery));
	look();
	await open(title, (close) => h("div.stack", place, h("div.buttons", button("Close", () => close()))), { wide: true });
	done.abort();
	clearTimeout(timer);
}
