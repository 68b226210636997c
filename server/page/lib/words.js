/* The API's names, and how people say them. */
import { count, duration, int, money } from "./format.js";

/* "REASON_REQUEST_RATE" and "request_rate" are both "request_rate". */
export function bare(value, prefix) {
	return String(value ?? "").toLowerCase().replace(`${prefix}_`, "");
}

const REASONS = {
	suspended: "Suspended", quota: "Quota", budget: "Budget", request_rate: "Request rate", token_rate: "Token rate",
	cost_rate: "Cost rate", concurrency: "Concurrency", deleted: "Deleted", unknown_user: "Unknown user", request_closed: "Request closed",
};

export function reason(value) {
	const name = bare(value, "reason");
	return REASONS[name] ?? (name || "None");
}

export function kind(value) {
	return bare(value, "account_kind") || "user";
}

export function role(value) {
	return bare(value, "role");
}

/* What a limit can count, besides open requests. */
export const DIMENSIONS = {
	requests: "Requests", tokens: "Tokens", input_tokens: "Input tokens", output_tokens: "Output tokens", cost: "Cost",
	characters: "Characters", audio_seconds: "Seconds of audio", video_seconds: "Seconds of video", input_images: "Images in",
	output_images: "Images out", pages: "Pages", calls: "Calls", web_searches: "Web searches", file_searches: "File searches",
	code_executions: "Code executions", map_searches: "Map searches", grounded_prompts: "Grounded prompts", search_units: "Search units",
	cache_storage: "Cache storage (token hours)",
};
const PERIODS = { 1e6: "second", 60e6: "minute", 3600e6: "hour", 86400e6: "day" };

export function dimension(limit) {
	return bare(limit.dimension, "dimension");
}

export function limitKind(limit) {
	return bare(limit.kind, "limit_kind");
}

function span(limit) {
	if (limitKind(limit) === "calendar")
		return ` per ${bare(limit.window, "calendar_window")}`;
	if (limitKind(limit) === "level")
		return " at once";
	return ` per ${PERIODS[int(limit.period_us)] ?? duration(limit.period_us)}`;
}

/* "Requests per minute on telegram". */
export function limitName(limit) {
	const what = dimension(limit) === "concurrent" ? "Open requests" : (DIMENSIONS[dimension(limit)] ?? limit.name);
	const rolling = limitKind(limit) === "bucket" && int(limit.period_us) >= 86400e6 ? ", rolling" : "";

	return what + span(limit) + rolling + (limit.interface ? ` on ${limit.interface}` : "") + (limit.model ? ` for ${limit.model}` : "");
}

/* 2^53-1, the most that Bursar counts, means that nothing is limited. */
export const ENDLESS = Number.MAX_SAFE_INTEGER;

/* An amount in the unit of its limit. */
export function amount(limit, value) {
	if (int(value) >= ENDLESS)
		return "no limit";
	return dimension(limit) === "cost" ? money(value) : count(value);
}

const QUALITIES = { exact: "Exact", local: "Local", blind: "Blind", provisional: "Provisional", remembered: "Remembered" };

export function quality(value) {
	return QUALITIES[bare(value, "quality")] ?? "Unknown";
}

const WAITS = {
	own_cap: "Own cap", level_share: "Others are served first", learning: "Store was replaced", resize: "Pool shrank, or needs more slots",
	paused: "Pool is paused", parked: "Worker is gone",
};

export function wait(value) {
	return WAITS[bare(value, "wait_reason")] ?? "";
}

const ACTORS = /^key (\d+)(?: \((.*)\))?( in the dashboard)? from (\S+)$/;

/* "key 7 (ops) in the dashboard from ipv4:10.0.0.5:4711": who, and from where. */
export function actor(text) {
	const found = ACTORS.exec(text ?? "");
	if (!found)
		return { who: text || "anonymous", from: "" };
	const address = found[4].replace(/^ipv[46]:/, "");
	return { who: found[2] || `key ${found[1]}`, from: `${found[2] ? `key ${found[1]}` : ""}${found[3] ?? ""} from ${address}`.trim() };
}

/* "1 user", "2 users" */
export function plural(number, one, many = `${one}s`) {
	return `${count(number)} ${int(number) === 1 ? one : many}`;
}
