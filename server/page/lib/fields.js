/* Fields of forms, each with its label and hint. */
import { h, uid } from "./dom.js";

function field(label, control, hint) {
	const id = control.id || uid("field"), hintId = `${id}-hint`;

	control.id = id;
	if (hint)
		control.setAttribute("aria-describedby", hintId);
	return h("div.field", h("label", { for: id }, label), control, hint && h("p.hint", { id: hintId }, hint));
}

/* Each answers { element, control }; control.value is what was entered. */
export function text(label, { value = "", hint, ...attributes } = {}) {
	const control = h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes, value });
	return { element: field(label, control, hint), control };
}

export function area(label, { value = "", hint, ...attributes } = {}) {
	const control = h("textarea", { rows: "3", spellcheck: "false", ...attributes, value });
	return { element: field(label, control, hint), control };
}

/* options: [value, text] pairs. */
export function choice(label, options, { value = "", hint, ...attributes } = {}) {
	const control = h("select", attributes, options.map(([name, words]) => h("option", { value: name, selected: name === value }, words)));
	control.value = value;
	return { element: field(label, control, hint), control };
}

export function tick(label, { checked = false, hint, ...attributes } = {}) {
	const id = uid("field");
	const control = h("input", { type: "checkbox", id, checked, ...attributes, ...(hint ? { "aria-describedby": `${id}-hint` } : {}) });

	return {
		element: h("div.field.tick", control, h("label", { for: id }, label), hint && h("p.hint", { id: `${id}-hint` }, hint)),
		control,
	};
}

/* Several of some options: [value, text] pairs. read() answers those that are ticked. */
export function ticks(label, options, { value = [], hint } = {}) {
	const each = options.map(([name, words]) => ({ name, ...tick(words, { checked: value.includes(name) }) })), id = uid("field");
	const control = h("fieldset", hint && { "aria-describedby": id }, h("legend", label), h("div.ticks", each.map((one) => one.element)), hint && h("p.hint", { id }, hint));

	return { element: control, control, read: () => each.filter((one) => one.control.checked).map((one) => one.name) };
}

/* A field that does not apply is neither seen nor checked by the browser. `label`: another one. */
export function shown({ element, control }, on, label = "") {
	element.hidden = control.disabled = !on;
	if (label)
		element.querySelector("label").textContent = label;
}

/* The local time of a field of type datetime-local, as microseconds; "" is 0. */
export function microseconds(control) {
	return control.value ? new Date(control.value).getTime() * 1000 : 0;
}

/* What such a field shows for a time. */
export function localTime(ms) {
	const date = new Date(ms);
	return new Date(ms - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}
