/* Dialogs: <dialog> traps the focus, closes with Escape and gives the focus back. */
import { changedTable } from "./changed.js";
import { h, put, uid } from "./dom.js";
import { isStale } from "./api.js";
import { announce, failed } from "./parts.js";
import { area } from "./fields.js";

/* Opens a dialog that `build(close)` fills; resolves with what close() was given, undefined if it was dismissed. */
export function open(title, build, { wide = false } = {}) {
	const before = document.activeElement;

	return new Promise((resolve) => {
		const id = uid("dialog");
		const dialog = h(`dialog${wide ? ".wide" : ""}`, { "aria-labelledby": id });
		let result;

		function close(value) {
			result = value;
			dialog.close();
		}
		put(dialog, h("h2", { id }, title), build(close, dialog));
		dialog.addEventListener("close", () => {
			dialog.remove();
			if (before?.isConnected)
				before.focus();
			resolve(result);
		});
		document.body.append(dialog);
		dialog.showModal();
	});
}

/* Names what has changed, as soon as that is known. */
function stale(again, before, read) {
	const what = h("div");

	read().then((now) => put(what, changedTable(before, now) ?? h("p", "It is gone, or is as it was.")), () => put(what, h("p", "It cannot be read any more.")));
	return h("div.failed", { role: "alert" }, h("p", "Somebody else has changed it since this page was loaded. Nothing is saved."), what,
		h("button.quiet", { type: "button", onclick: again }, "Load it again"));
}

/*
 * Asks before something is changed. `change()` answers an element that says what would change, or null for "nothing, yet";
 * it is asked again after every input. `act(reason)` does it, and its failure is shown in the dialog. Where act() names the
 * etag of `before`: if somebody else has changed it, the dialog shows how it differs from what `read()` answers, and
 * offers `again()`.
 */
export async function confirm({ title, intro, fields = [], change, act, before, read, again, done, verb, danger = false, askReason = true, wide = false }) {
	const why = askReason ? area("Reason", { hint: "For the audit log.", rows: "2", maxlength: "1024" }) : null;
	const told = h("div.change", { "aria-live": "polite" }), problem = h("div");

	const result = await open(title, (close) => {
		const go = h(`button${danger ? ".danger" : ".primary"}`, { type: "submit" }, verb);

		function look() {
			const words = change?.();
			put(told, words ? [h("h3", "What will change"), words] : h("p.muted", "Nothing changes yet."));
			told.hidden = !change;
			go.disabled = Boolean(change) && !words;
		}
		async function submit(event) {
			event.preventDefault();
			go.disabled = true;
			put(problem);
			try {
				close({ answer: await act(why?.control.value.trim() ?? "") });
			} catch (error) {
				put(problem, isStale(error) && again ? stale(() => (close(), again()), before, read) : failed(error));
				go.disabled = false;
			}
		}
		look();
		return h("form", { onsubmit: submit, oninput: look },
			intro && h("p", intro), fields.map((field) => field.element), told, why?.element, problem,
			h("div.buttons", h("button.quiet", { type: "button", onclick: () => close() }, "Cancel"), go));
	}, { wide });
	if (result && done)
		announce(done);
	return result?.answer;
}
