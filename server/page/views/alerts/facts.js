/* What a rule or a channel says, as [what, words]: the same words mean that nothing differs. */
import { duration, int } from "../../lib/format.js";
import { table } from "../../lib/parts.js";
import { CHANNELS, KINDS, channelKind, destinations, kindOf, limits, quietHours, severityOf, subjects, trigger } from "./words.js";

export function ruleFacts(rule) {
	return [
		["Fires when", KINDS[kindOf(rule)]?.fires ?? kindOf(rule)], ["For", subjects(rule)], ["Limits", limits(rule)], ["At", trigger(rule)],
		["Severity", severityOf(rule.severity, "warning")], ["Channels", destinations(rule)], ["State", rule.disabled ? "off" : "on"],
	].filter(([, words]) => words);
}

export function channelFacts(channel) {
	return [
		["Kind", CHANNELS[channelKind(channel)] ?? channelKind(channel)], ["To", channel.target ?? ""], ["From severity", severityOf(channel.least, "info")],
		["Digest", int(channel.digest_us) ? `every ${duration(channel.digest_us)}` : "none: each at once"], ["Quiet hours", quietHours(channel) || "none"],
		["Messages a minute", int(channel.rate_per_minute) ? `at most ${channel.rate_per_minute}` : "as the kind allows"],
		["Order", channel.ordered ? "one after the other" : "as they come"], ["Language", channel.language || "the tenant's"],
		["Title", channel.title || "built in"], ["Text", channel.body || "built in"],
		["The installation's events", channel.system ? "also" : "no"], ["State", channel.disabled ? "off" : "on"],
	];
}

/* What differs between two lists of facts; null if nothing. `isNew`: the first are those of something that nobody has filled in. */
export function factTable(caption, before, after, isNew) {
	const was = new Map(before), is = new Map(after);
	const rows = [...new Set([...is.keys(), ...was.keys()])].map((name) => ({ name, was: was.get(name) ?? "–", is: is.get(name) ?? "–" })).filter((row) => row.was !== row.is);

	return rows.length === 0 ? null : table(caption, [
		{ name: "What", cell: (row) => row.name }, ...(isNew ? [] : [{ name: "Now", cell: (row) => row.was }]), { name: "Then", cell: (row) => row.is },
	], rows, { quiet: true });
}
