/* The login: a key, once; the browser then has a session that scripts cannot read. */
import { login } from "../lib/api.js";
import { h, put } from "../lib/dom.js";
import { text } from "../lib/fields.js";
import { failed } from "../lib/parts.js";

export function loginView(why, begin) {
	const key = text("Key", {
		type: "password", autocomplete: "current-password", required: true, name: "key", placeholder: "bsk_…",
		hint: "It starts with bsk_. An admin makes one with “bursar key create”.",
	});
	const problem = h("div"), go = h("button.primary", { type: "submit" }, "Log in");

	async function submit(event) {
		event.preventDefault();
		go.disabled = true;
		put(problem);
		try {
			begin(await login(key.control.value.trim()));
		} catch (error) {
			put(problem, failed(error));
			key.control.setAttribute("aria-invalid", "true");
			key.control.focus();
		}
		go.disabled = false;
	}
	return h("main.login", { id: "content", tabindex: "-1" }, h("form.card", { onsubmit: submit },
		h("h1", "Bursar"), why && h("p.notice", { role: "status" }, why), key.element, problem, go));
}
