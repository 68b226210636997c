/* Alerts: what happened, by which rules, and how people hear of it. */
import { h } from "../../lib/dom.js";
import { channelsSection } from "./channels.js";
import { deliveriesSection } from "./deliveries.js";
import { eventsSection } from "./events.js";
import { rulesSection } from "./rules.js";

const SECTIONS = {
	"": { nav: "Events", title: "Alerts", show: eventsSection },
	rules: { nav: "Rules", title: "Alert rules", show: rulesSection },
	channels: { nav: "Channels", title: "Alert channels", show: channelsSection },
	deliveries: { nav: "Deliveries", title: "Alert deliveries", show: deliveriesSection },
};

function sections(current) {
	return h("nav.tabs", { "aria-label": "Alerts" }, h("ul", Object.entries(SECTIONS).map(([name, { nav }]) =>
		h("li", h("a", { href: `#/alerts${name && `/${name}`}`, ...(name === current ? { "aria-current": "page" } : {}) }, nav)))));
}

export const alertsView = {
	title: ([name = ""]) => SECTIONS[name].title,
	show(root, context) {
		const [name = ""] = context.params;

		root.append(sections(name));
		SECTIONS[name].show(root, context);
	},
};
