/* Calls the server: REST under /v1, streams as server-sent events, and the session. */

const RETRY_MS = [1000, 2000, 5000, 10000];

/* What went wrong, in the server's words. `code` is a gRPC status code, `status` the HTTP status (0: no answer came). */
export class ApiError extends Error {
	constructor(status, code, message, details = []) {
		super(message);
		this.name = "ApiError";
		this.status = status;
		this.code = code;
		this.details = details;
	}
}

const CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
	"UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"];

export function codeName(error) {
	return CODES[error.code] ?? (error.status ? `HTTP ${error.status}` : "no answer");
}

let onLost = () => {};

/* `then(message)` is called when the server no longer knows the session. */
export function whenLoggedOut(then) {
	onLost = then;
}

function failure(status, text) {
	let told = null;

	try {
		told = JSON.parse(text);
	} catch {
		/* a proxy's page */
	}
	return new ApiError(status, told?.code ?? 2, told?.message || `The server answered with HTTP ${status}.`, told?.details);
}

function address(path, query) {
	const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== "" && value !== null);
	const pairs = given.flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));

	return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}

async function fetched(path, options) {
	try {
		return await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
	} catch (error) {
		if (options.signal?.aborted)
			throw error;
		throw new ApiError(0, 14, "The server cannot be reached. Is bursard running, and is the network up?");
	}
}

async function refused(answer) {
	const error = failure(answer.status, await answer.text());

	if (answer.status === 401)
		onLost(error.message);
	return error;
}

/* One call: what the server answers, as JSON. Throws an ApiError. */
export async function call(method, path, { query, body, signal } = {}) {
	const headers = { Accept: "application/json" };

	if (method !== "GET")
		headers["X-Bursar-Page"] = "1"; /* another site cannot send it, so it cannot make a logged-in browser change anything */
	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	const answer = await fetched(address(path, query), { method, headers, signal, body: body && JSON.stringify(body) });
	if (!answer.ok)
		throw await refused(answer);
	return answer.json();
}

export const get = (path, query, signal) => call("GET", path, { query, signal });

/* Yields the data of each server-sent event. */
async function* events(answer) {
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
	let rest = "";

	for (;;) {
		const { value, done } = await reader.read();
		if (done)
			return;
		const blocks = (rest + value).split(/\r?\n\r?\n/);
		rest = blocks.pop();
		for (const block of blocks) {
			const lines = block.split(/\r?\n/);
			const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
			if (!data)
				continue; /* a comment that keeps the connection alive */
			const message = JSON.parse(data);
			if (lines.includes("event: error") || message.error)
				throw new ApiError(200, message.error?.code ?? message.code, message.error?.message ?? message.message);
			yield message;
		}
	}
}

/* Yields the messages of a stream until it ends. */
export async function* messages(path, query, signal) {
	const answer = await fetched(address(path, query), { headers: { Accept: "text/event-stream" }, signal });

	if (!answer.ok)
		throw await refused(answer);
	yield* events(answer);
}

const pause = (ms, signal) => new Promise((resolve) => {
	const timer = setTimeout(resolve, ms);
	signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
});

/* Will asking again help? Not if the server understood and refused. */
function isLasting(error) {
	return error instanceof ApiError && (error.code === 16 || (error.status >= 400 && error.status < 500 && error.status !== 429));
}

/*
 * Follows a stream until `signal` is aborted, and opens it again when it breaks. each(message) gets the messages;
 * state("live" | "away" | "failed", error) says how it is going.
 */
export async function follow(path, query, signal, each, state = () => {}) {
	for (let tries = 0; !signal.aborted; tries++) {
		try {
			for await (const message of messages(path, query, signal)) {
				if (tries >= 0)
					state("live");
				tries = -1;
				each(message);
			}
			if (!signal.aborted)
				state("away");
		} catch (error) {
			if (signal.aborted)
				return;
			if (error.code === 16)
				onLost(error.message);
			if (isLasting(error))
				return state("failed", error);
			state("away", error);
		}
		await pause(RETRY_MS[Math.min(Math.max(tries, 0), RETRY_MS.length - 1)], signal);
	}
}

/* The session: {role, tenant, user}; null when there is none. */
export async function session() {
	const answer = await fetched("/session", { headers: { Accept: "application/json" } });

	if (answer.status === 401)
		return null;
	if (!answer.ok)
		throw failure(answer.status, await answer.text());
	return answer.json();
}

export async function login(key) {
	const headers = { "Content-Type": "application/json", Accept: "application/json", "X-Bursar-Page": "1" };
	const answer = await fetched("/login", { method: "POST", headers, body: JSON.stringify({ key }) });

	if (!answer.ok)
		throw failure(answer.status, await answer.text());
	return answer.json();
}

export async function logout() {
	await fetched("/logout", { method: "POST", headers: { "X-Bursar-Page": "1" } });
}

/* A path: path`/v1/tiers/${name}` escapes what is put in. */
export function path(words, ...ids) {
	return words.reduce((done, word, i) => done + encodeURIComponent(ids[i - 1]) + word);
}
