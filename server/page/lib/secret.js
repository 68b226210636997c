/* A secret that the server shows once. */
import { open } from "./dialog.js";
import { h } from "./dom.js";
import { announce, button } from "./parts.js";

/* `use`: elements or text that say what it is for. Resolves when it is closed. */
export function showSecret(title, secret, ...use) {
	return open(title, (close) => {
		const copy = button("Copy", async () => {
			await navigator.clipboard.writeText(secret);
			announce("Copied");
			copy.textContent = "Copied";
		}, "primary");

		return h("form", { onsubmit: (event) => (event.preventDefault(), close()) },
			h("p", "Copy it now: it is shown only this once. ", use), h("p.secret", { tabindex: "0" }, secret),
			h("div.buttons", copy, h("button", { type: "submit" }, "Done")));
	});
}
