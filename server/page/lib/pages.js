/* Turning the pages of a list: the server names the next one, and the tokens of those before are kept. */
import { h } from "./dom.js";
import { count } from "./format.js";
import { announce, button } from "./parts.js";

export class Pages {
	/* `of`: "Pages of users"; `back` and `on`: the words of the buttons. */
	constructor(of, back = "Previous", on = "Next") {
		Object.assign(this, { of, words: [back, on], tokens: [""] });
	}

	get token() {
		return this.tokens.at(-1);
	}

	get isFirst() {
		return this.tokens.length === 1;
	}

	begin() {
		this.tokens = [""];
	}

	/* `next`: the token of the page after this one, if there is one; `again()` reads the page that is then the current one. */
	pager(next, again) {
		const turn = (tokens) => () => {
			this.tokens = tokens;
			again();
			announce(`Page ${tokens.length}`);
		};
		const back = button(this.words[0], turn(this.tokens.slice(0, -1)), "quiet"), on = button(this.words[1], turn([...this.tokens, next]), "quiet");

		back.disabled = this.isFirst;
		on.disabled = !next;
		return h("nav.pager", { "aria-label": this.of }, back, h("span", `Page ${count(this.tokens.length)}`), on);
	}
}
