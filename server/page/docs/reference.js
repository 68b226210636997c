/* The reference of the HTTP interface, made of /openapi.json. What an operation contains is built when it is opened. */
import { h, put } from "/lib/dom.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const content = document.getElementById("content");
let document_ = null;

/* A text of the document: what is between backticks is code. */
function prose(text) {
	return (text ?? "").split("`").map((part, i) => i % 2 ? h("code", part) : part);
}

function resolve(thing) {
	return thing?.$ref ? thing.$ref.slice(2).split("/").reduce((at, key) => at[key], document_) : thing;
}

function nameOf(schema) {
	return schema.$ref?.split("/").pop() ?? "";
}

/* ---- schemas ---- */

function bounds(schema) {
	const said = [];

	if (schema.enum)
		said.push(schema.enum.join(" | "));
	if (schema.minimum !== undefined || schema.maximum !== undefined)
		said.push(`${schema.minimum ?? ""} to ${schema.maximum ?? ""}`);
	if (schema.minLength || schema.maxLength !== undefined)
		said.push(`${schema.minLength ?? 0} to ${schema.maxLength} characters`);
	if (schema.minItems || schema.maxItems !== undefined)
		said.push(`${schema.minItems ?? 0} to ${schema.maxItems} items`);
	if (schema.default !== undefined)
		said.push(`default ${schema.default}`);
	return said.join("; ");
}

function typeOf(schema) {
	if (schema.$ref)
		return nameOf(schema);
	if (schema.type === "array")
		return `list of ${typeOf(schema.items)}`;
	return [schema.type].flat().join(" or ") + (schema.format ? ` (${schema.format})` : "");
}

function row(name, needed, schema, description) {
	return h("tr", h("td", h("code", name), needed ? h("span.needed", " required") : null),
		h("td", typeOf(schema)), h("td", prose([description, bounds(schema.$ref ? {} : schema)].filter(Boolean).join("\n"))));
}

function table(caption, rows) {
	return h("div.frame", { tabindex: "0", role: "region", "aria-label": caption },
		h("table", h("thead", h("tr", ["Name", "Type", "Meaning"].map((title) => h("th", { scope: "col" }, title)))), h("tbody", rows)));
}

/* The messages inside a message, each opened on demand: they may contain themselves. */
function inner(schema) {
	const items = schema.type === "array" ? schema.items : schema;
	const target = resolve(items);

	if (!items.$ref || !(target.properties || target.enum))
		return null;
	return opened(h("details.members", h("summary", nameOf(items))), () => members(items));
}

function members(schema) {
	const target = resolve(schema);
	const fields = Object.entries(target.properties ?? {});

	if (target.enum)
		return [h("p", prose(target.description ?? target.enum.join(", ")))];
	return [target.description ? h("p", prose(target.description)) : null,
		fields.length ? table(nameOf(schema) || "Members",
			fields.map(([name, field]) => row(name, target.required?.includes(name), field, field.description))) : h("p.muted", "No members."),
		unique(fields.map(([, field]) => field)).map(inner)];
}

function unique(schemas) {
	const seen = new Set();

	return schemas.filter((schema) => {
		const name = nameOf(schema.items ?? schema);
		const fresh = name && !seen.has(name);

		seen.add(name);
		return fresh;
	});
}

/* Builds what a <details> contains at its first opening. */
function opened(details, build) {
	details.addEventListener("toggle", () => {
		if (details.open && details.childElementCount === 1)
			details.append(h("div.what", build()));
	});
	return details;
}

/* ---- operations ---- */

function example(media) {
	return media?.example === undefined ? null : h("pre", { tabindex: "0" }, JSON.stringify(media.example, null, 2));
}

function addressOf(path, parameters) {
	const filled = path.replace(/\{(\w+)\}/g, (_, name) =>
		encodeURIComponent(parameters.find((one) => one.name === name)?.example ?? name));
	const query = parameters.filter((one) => one.in === "query" && one.example !== undefined)
		.flatMap((one) => [one.example].flat().map((value) => [one.name, String(value)]));

	return location.origin + filled + (query.length ? `?${new URLSearchParams(query)}` : "");
}

function quoted(text) {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

function curl(method, path, operation) {
	const body = operation.requestBody?.content["application/json"].example;
	const parts = ["curl", method === "get" ? "" : `-X ${method.toUpperCase()}`, quoted(addressOf(path, operation.parameters)),
		"-H \"Authorization: Bearer $BURSAR_KEY\""];

	if (body !== undefined)
		parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
	return h("pre", { tabindex: "0" }, parts.filter(Boolean).join(" "));
}

/* An answer may have no content: a 304. */
function contentOf(answer) {
	const [type, media] = Object.entries(answer.content ?? {})[0] ?? [];

	return media ? [opened(h("details.members", h("summary", nameOf(media.schema) || type)), () => members(media.schema)), example(media)] : [];
}

function answers(operation) {
	return Object.entries(operation.responses).map(([status, given]) => {
		const answer = resolve(given);

		return h("div", h("h3", `Answer ${status}`), h("p", prose(answer.description)),
			h("p.muted", Object.keys(answer.content ?? {}).join(", ") || "No content."),
			answer.headers ? table(`Headers of ${status}`, Object.entries(answer.headers)
				.map(([name, header]) => row(name, false, header.schema, header.description))) : null, contentOf(answer));
	});
}

function whole(method, path, operation) {
	const body = operation.requestBody?.content["application/json"];

	return [h("p", prose(operation.description)), h("p.muted", "RPC ", h("code", operation["x-bursar-rpc"])),
		operation.parameters.length ? h("div", h("h3", "Parameters"), table("Parameters", operation.parameters
			.map((one) => row(one.name, one.required, one.schema, `${one.in === "path" ? "In the path. " : ""}${one.description ?? ""}`)))) : null,
		body ? h("div", h("h3", operation.requestBody.required ? "Body" : "Body, if any"), members(body.schema), example(body)) : null,
		h("div", h("h3", "With curl"), curl(method, path, operation)), answers(operation)];
}

function card(method, path, operation) {
	const details = h("details.operation", { id: operation.operationId },
		h("summary", h(`span.method.${method}`, method.toUpperCase()), h("span.path", path), h("span.muted", operation.summary)));

	details.dataset.words = `${method} ${path} ${operation.operationId} ${operation.summary} ${operation.description}`.toLowerCase();
	details.addEventListener("toggle", () => details.open && history.replaceState(null, "", `#${operation.operationId}`));
	return opened(details, () => whole(method, path, operation));
}

function section(tag) {
	const cards = Object.entries(document_.paths).flatMap(([path, item]) => METHODS.filter((method) => item[method]?.tags.includes(tag))
		.map((method) => card(method, path, item[method])));

	return h("section", { id: `tag-${tag}`, "aria-labelledby": `title-${tag}` }, h("h2", { id: `title-${tag}` }, tag), cards);
}

/* ---- the page ---- */

function filter(text) {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	let found = 0;

	for (const details of content.querySelectorAll("details.operation")) {
		details.hidden = !words.every((word) => details.dataset.words.includes(word));
		found += details.hidden ? 0 : 1;
	}
	for (const part of content.querySelectorAll("section"))
		part.hidden = !part.querySelector("details.operation:not([hidden])");
	document.getElementById("found").textContent = `${found} operations`;
}

function show() {
	const details = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;

	if (details?.matches("details.operation")) {
		details.open = true;
		details.scrollIntoView();
	}
}

async function start() {
	const answer = await fetch("/openapi.json");

	document_ = await answer.json();
	put(document.getElementById("about"), prose(`${document_.info.description}\n\nVersion ${document_.info.version}.`));
	put(document.getElementById("tags"), h("ul", document_.tags.map((tag) => h("li", h("a", { href: `#tag-${tag.name}` }, tag.name)))));
	put(content, document_.tags.map((tag) => section(tag.name)));
	document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
	addEventListener("hashchange", show);
	show();
}

start().catch((error) => put(content, h("p", { role: "alert" }, `The description of the API cannot be read: ${error.message}`)));
