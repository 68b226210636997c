/* Builds elements. Nothing here takes markup, so text of strangers stays text. */

const SVG = "http://www.w3.org/2000/svg";

function set(element, name, value) {
	if (value === null || value === undefined || value === false)
		return;
	if (typeof value === "function")
		element.addEventListener(name.slice(2), value); /* onclick: the event is "click" */
	else if (name === "style")
		/* By the CSSOM: the Content-Security-Policy forbids the attribute. */
		for (const [property, text] of Object.entries(value))
			element.style.setProperty(property, text);
	else if (name === "value")
		element.value = value;
	else
		element.setAttribute(name, value === true ? "" : value);
}

function fill(element, parts) {
	for (const part of parts.flat(Infinity)) {
		if (part === null || part === undefined || part === false)
			continue;
		if (part instanceof Node || typeof part !== "object")
			element.append(part instanceof Node ? part : String(part));
		else
			for (const [name, value] of Object.entries(part))
				set(element, name, value);
	}
	return element;
}

function split(selector) {
	const [name, ...classes] = selector.split(".");
	return [name || "div", classes.join(" ")];
}

/* h("p.note", { id: "x", onclick }, "text", child, [more]): attributes, listeners and children in any order. */
export function h(selector, ...parts) {
	const [name, classes] = split(selector);
	const element = document.createElement(name);

	if (classes)
		element.className = classes;
	return fill(element, parts);
}

/* The same for SVG. */
export function svg(selector, ...parts) {
	const [name, classes] = split(selector);
	const element = document.createElementNS(SVG, name);

	if (classes)
		element.setAttribute("class", classes);
	return fill(element, parts);
}

/* Replaces the children of an element. */
export function put(element, ...parts) {
	element.replaceChildren();
	return fill(element, parts);
}

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

/* What tells one element that can have the focus from the others of its kind. */
const mark = (element) => `${element.tagName} ${element.getAttribute("href") ?? ""} ${element.textContent} ${element.getAttribute("aria-label") ?? ""}`;

/*
 * put() for what is drawn again while somebody may be in the middle of it: the focus stays on the element that is the same
 * as before, or in the same place, and tables stay scrolled.
 */
export function renew(element, ...parts) {
	const held = element.contains(document.activeElement) && document.activeElement !== element ? document.activeElement : null;
	const index = held ? [...element.querySelectorAll(FOCUSABLE)].indexOf(held) : -1;
	const scrolled = [...element.querySelectorAll(".table-frame")].map((frame) => frame.scrollLeft);

	put(element, ...parts);
	element.querySelectorAll(".table-frame").forEach((frame, i) => (frame.scrollLeft = scrolled[i] ?? 0));
	if (held) {
		const found = [...element.querySelectorAll(FOCUSABLE)];
		(found.find((one) => mark(one) === mark(held)) ?? found[Math.min(index, found.length - 1)])?.focus({ preventScroll: true });
	}
	return element;
}

let numbers = 0;

/* An id for aria-labelledby and the like. */
export function uid(prefix) {
	return `${prefix}-${++numbers}`;
}
