/* Starts the page: the session, the frame around the views, and which view the address names. */
import { logout, session, whenLoggedOut } from "./lib/api.js";
import { h, put } from "./lib/dom.js";
import { announce, failed } from "./lib/parts.js";
import { matches, permitted } from "./lib/route.js";
import { shell } from "./shell.js";
import { loginView } from "./views/login.js";

const page = document.getElementById("page");
const embedded = document.documentElement.dataset.embed === "1";
let who = null, tenant = "", frame = null, leave = null;

/* Shows the login; `why` says what ended the session. */
function showLogin(why = "") {
	leave?.abort();
	who = frame = null;
	document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
	document.title = "Log in · Bursar";
	put(page, loginView(why, (started) => begin(started)));
	page.querySelector("input")?.focus();
}

async function end() {
	await logout().catch(() => {}); /* the cookie is HttpOnly: if the server is away, the session ends with its key */
	showLogin("You have logged out.");
}

/* Draws the view that the address names. `move`: the focus goes to its heading, as it would on a new page. */
function show(move = true) {
	if (!who)
		return;
	const { view, params, query } = matches(location.hash, who.role);

	leave?.abort();
	leave = new AbortController();
	document.title = `${view.title(params)} · Bursar`;
	frame.select(view.section);
	const root = h("div.view", h("h1", { tabindex: "-1" }, view.title(params)));
	put(frame.content, root);
	try {
		view.show(root, { params, query, who, tenant, signal: leave.signal, mayAct: permitted(who.role, "act"), again: () => show(false) });
	} catch (error) {
		put(root, failed(error));
	}
	if (move) {
		root.querySelector("h1")?.focus({ preventScroll: true });
		window.scrollTo(0, 0);
		announce(view.title(params));
	}
}

/* `move`: as in show(); a page that was just loaded begins at its top. */
function begin(started, move = true) {
	who = started;
	tenant = who.tenant || (who.role === "operator" ? sessionStorage.getItem("tenant") || "default" : "");
	frame = shell(who, {
		tenant, embedded, logout: end,
		choose(name) {
			tenant = name;
			sessionStorage.setItem("tenant", name);
			show(false);
		},
	});
	put(page, frame.element);
	show(move);
}

whenLoggedOut((message) => {
	/* Views that are open may all hear of it at once. */
	if (who)
		showLogin(`Your session has ended: ${message}`);
});
window.addEventListener("hashchange", () => show());
document.querySelector(".skip").addEventListener("click", (event) => {
	event.preventDefault(); /* the address says which view it is */
	document.getElementById("content")?.focus();
});

try {
	const started = await session();
	if (started)
		begin(started, false);
	else
		showLogin();
} catch (error) {
	put(page, h("main.login", failed(error, () => location.reload())));
}
