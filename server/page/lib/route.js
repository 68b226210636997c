/* Which address is which view, and which role sees it. */
import { alertsView } from "../views/alerts/view.js";
import { auditView } from "../views/audit.js";
import { keysView } from "../views/keys.js";
import { moneyView } from "../views/money.js";
import { nowView } from "../views/now.js";
import { poolView } from "../views/pool.js";
import { importView } from "../views/price_import.js";
import { pricesView } from "../views/prices.js";
import { tierView } from "../views/tier_edit.js";
import { tiersView } from "../views/tiers.js";
import { noView, usageView } from "../views/usage.js";
import { userView } from "../views/user.js";
import { usersView } from "../views/users.js";

const READ = ["viewer", "admin", "operator"], ADMIN = ["admin", "operator"];

/* The first row that matches counts. `nav`: its name in the menu. */
const ROUTES = [
	{ pattern: /^\/now$/, view: nowView, section: "now", nav: "Now", roles: READ },
	{ pattern: /^\/money$/, view: moneyView, section: "money", nav: "Money", roles: READ },
	{ pattern: /^\/users$/, view: usersView, section: "users", nav: "Users", roles: READ },
	{ pattern: /^\/users\/(.+)$/, view: userView, section: "users", roles: READ },
	{ pattern: /^\/tiers$/, view: tiersView, section: "tiers", nav: "Tiers", roles: READ },
	{ pattern: /^\/tiers\/(.+)$/, view: tierView, section: "tiers", roles: READ },
	{ pattern: /^\/pool$/, view: poolView, section: "pool", nav: "Pool", roles: READ },
	{ pattern: /^\/prices$/, view: pricesView, section: "prices", nav: "Prices", roles: READ },
	{ pattern: /^\/prices\/import$/, view: importView, section: "prices", roles: ADMIN },
	{ pattern: /^\/alerts$/, view: alertsView, section: "alerts", nav: "Alerts", roles: READ },
	{ pattern: /^\/alerts\/(rules|channels|deliveries)$/, view: alertsView, section: "alerts", roles: READ },
	{ pattern: /^\/keys$/, view: keysView, section: "keys", nav: "Keys", roles: ADMIN },
	{ pattern: /^\/audit$/, view: auditView, section: "audit", nav: "Audit", roles: ADMIN },
	{ pattern: /^\/usage$/, view: usageView, section: "usage", nav: "My usage", roles: ["user"] },
];

/* What a role may do. */
export function permitted(role, what) {
	return what === "act" && ADMIN.includes(role);
}

export function menu(role) {
	return ROUTES.filter((route) => route.nav && route.roles.includes(role)).map(({ nav, section }) => ({ nav, section }));
}

/* The view of "#/users/alice?tab=x", the role's first one if the address names none. */
export function matches(hash, role) {
	const [path, search] = hash.replace(/^#/, "").split("?");
	const query = new URLSearchParams(search ?? "");
	const own = ROUTES.filter((route) => route.roles.includes(role));

	for (const route of own) {
		const found = route.pattern.exec(path);
		if (found)
			return { view: { ...route.view, section: route.section }, params: found.slice(1).map(decodeURIComponent), query };
	}
	if (own.length === 0)
		return { view: { ...noView, section: "" }, params: [], query };
	return { view: { ...own[0].view, section: own[0].section }, params: [], query };
}

/* Changes the query of the address without a new entry in the history, and without drawing the view again. */
export function remember(query) {
	const [path] = location.hash.replace(/^#/, "").split("?");
	const given = Object.entries(query).filter(([, value]) => value);

	history.replaceState(null, "", `#${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`);
}
