/* What has become different of a thing since it was read. */
import { h } from "./dom.js";
import { count, dateTime, duration, int } from "./format.js";
import { difference, differenceTable } from "./limits.js";
import { table } from "./parts.js";

/* They follow every change, or say nothing by themselves. */
const SILENT = new Set(["etag", "version", "generation", "updated_at_us", "created_at_us", "pending", "known", "ref", "kept_windows", "tenant", "shipped", "failures", "open_until_us"]);

const isLimits = (value) => Array.isArray(value) && value.some((one) => one.dimension !== undefined);
const same = (a, b) => JSON.stringify(a ?? "") === JSON.stringify(b ?? "");

/* "grace_until_us" as "Grace until". */
function label(name) {
	const words = name.replace(/_us$/, "").replaceAll("_", " ");
	return words[0].toUpperCase() + words.slice(1);
}

function shown(name, value) {
	if (typeof value === "boolean")
		return value ? "yes" : "no";
	if (value === undefined || value === "" || value === null || (name.endsWith("_until_us") && !int(value)))
		return "none";
	if (name.endsWith("_us"))
		return name.endsWith("_until_us") ? dateTime(value) : duration(value);
	if (typeof value === "object")
		return Array.isArray(value) ? count(value.length) : JSON.stringify(value);
	return typeof value === "number" ? count(value) : String(value);
}

/* An element that lists the differences; null when there are none that say anything. */
export function changedTable(before, after) {
	const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !SILENT.has(name) && !same(before[name], after[name]));
	const limits = names.filter((name) => isLimits(before[name]) || isLimits(after[name])), rest = names.filter((name) => !limits.includes(name));

	return names.length === 0 ? null : h("div",
		rest.length > 0 && table("What has changed", [
			{ name: "What", cell: label }, { name: "When this page was loaded", cell: (name) => shown(name, before[name]) }, { name: "Now", cell: (name) => shown(name, after[name]) },
		], rest, { quiet: true }),
		limits.map((name) => differenceTable(label(name), difference(before[name] ?? [], after[name] ?? []))));
}
