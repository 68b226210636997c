/* The frame around the views: name, menu, tenant, colour scheme, log out. */
import { get } from "./lib/api.js";
import { h } from "./lib/dom.js";
import { button } from "./lib/parts.js";
import { menu } from "./lib/route.js";

const THEMES = [["", "As the system"], ["light", "Light"], ["dark", "Dark"]];

function setTheme(name) {
	if (name)
		document.documentElement.dataset.theme = name;
	else
		delete document.documentElement.dataset.theme;
	try {
		localStorage.setItem("theme", name);
	} catch {
		/* it holds until the page is left */
	}
}

function themeChoice() {
	const now = document.documentElement.dataset.theme ?? "";
	const control = h("select", { id: "theme", onchange: () => setTheme(control.value) },
		THEMES.map(([value, words]) => h("option", { value, selected: value === now }, words)));

	return h("div.setting", h("label", { for: "theme" }, "Colours"), control);
}

/* An operator sees one tenant at a time. */
function tenantChoice(tenant, choose) {
	const control = h("select", { id: "tenant", onchange: () => choose(control.value) }, h("option", { value: tenant }, tenant));

	get("/v1/tenants", { page_size: 1000 }).then((answer) => {
		const others = (answer.tenants ?? []).map((one) => one.id).filter((id) => id !== tenant);
		control.append(...others.map((id) => h("option", { value: id }, id)));
	}).catch(() => {}); /* the one that is shown stays */
	return h("div.setting", h("label", { for: "tenant" }, "Tenant"), control);
}

function whoIs(who) {
	const of = who.user ? "" : who.tenant ? ` of ${who.tenant}` : " of all tenants";

	return h("p.who", h("b", who.user || who.role), of, who.label && `, key ${who.label}`,
		isAnybody(who) && ": there is no key yet, so everybody on this machine is one");
}

/* Nobody has logged in: the server lets everybody in. */
const isAnybody = (who) => who.by === "nothing";

/* Answers { element, content, select(section) }. */
export function shell(who, { tenant, embedded, logout, choose }) {
	const content = h("main.content", { id: "content", tabindex: "-1" });
	if (embedded)
		return { element: h("div.embedded", content), content, select() {} };

	const links = menu(who.role).map(({ nav, section }) => ({ section, element: h("a", { href: `#/${section}` }, nav) }));
	const list = h("div.menu", { id: "menu" },
		h("nav", { "aria-label": "Views" }, h("ul", links.map((one) => h("li", one.element)))),
		h("div.settings", who.role === "operator" && tenantChoice(tenant, choose), themeChoice(), whoIs(who),
			!isAnybody(who) && button("Log out", logout, "quiet")));
	const toggle = h("button.quiet.menu-toggle", { type: "button", "aria-expanded": "false", "aria-controls": "menu" }, "Menu");

	function expand(on) {
		toggle.setAttribute("aria-expanded", String(on));
		list.classList.toggle("open", on);
	}
	toggle.addEventListener("click", () => expand(toggle.getAttribute("aria-expanded") !== "true"));
	list.addEventListener("keydown", (event) => {
		if (event.key === "Escape" && list.classList.contains("open")) {
			expand(false);
			toggle.focus();
		}
	});
	return {
		element: h("div.shell", h("header.top", h("p.brand", h("a", { href: "#/" }, "Bursar")), toggle, list), content),
		content,
		select(section) {
			expand(false);
			for (const one of links) {
				if (one.section === section)
					one.element.setAttribute("aria-current", "page");
				else
					one.element.removeAttribute("aria-current");
			}
		},
	};
}
