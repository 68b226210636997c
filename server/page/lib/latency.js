/* How long checks take, from the histograms of /metrics: of the bursard that serves this page, over the last minute. */

const EVERY_MS = 5000, KEPT = 13;
const LINE = /^bursar_\w*call_seconds_bucket\{[^}]*Limiter\/Check"[^}]*le="([^"]+)"\} (\d+)/;

/* [[upper bound in seconds, how many are at or below it]], summed over whatever carries the calls. */
export function buckets(text) {
	const found = new Map();

	for (const line of text.split("\n")) {
		const row = LINE.exec(line);
		if (row) {
			const bound = row[1] === "+Inf" ? Infinity : Number(row[1]);
			found.set(bound, (found.get(bound) ?? 0) + Number(row[2]));
		}
	}
	return [...found].sort((a, b) => a[0] - b[0]);
}

/* The time in microseconds within which `part` of the calls were answered, between two states of a histogram. */
export function quantile(before, after, part) {
	const older = new Map(before);
	const steps = after.map(([bound, number]) => [bound, number - (older.get(bound) ?? 0)]);
	const wanted = (steps.at(-1)?.[1] ?? 0) * part;
	const i = steps.findIndex(([, number]) => number >= wanted);

	if (wanted <= 0 || i < 0)
		return null;
	const [low, under] = i > 0 ? steps[i - 1] : [0, 0], [high, number] = steps[i];
	if (high === Infinity)
		return low * 1e6;
	return (low + ((high - low) * (wanted - under)) / Math.max(number - under, 1)) * 1e6;
}

/* Tells every few seconds { p50, p99 }, or null while there is nothing to tell. */
export function latency(signal, tell) {
	const kept = [];

	async function look() {
		const answer = await fetch("/metrics", { signal, credentials: "same-origin" });
		if (!answer.ok)
			return tell(null);
		kept.push(buckets(await answer.text()));
		if (kept.length > KEPT)
			kept.shift();
		const before = kept.length > 1 ? kept[0] : []; /* the first look tells of all calls so far */
		const p50 = quantile(before, kept.at(-1), 0.5);
		tell(p50 === null ? null : { p50: Math.round(p50), p99: Math.round(quantile(before, kept.at(-1), 0.99)) });
	}
	const safely = () => look().catch(() => !signal.aborted && tell(null)); /* the stream says whether the server is there */
	const timer = setInterval(safely, EVERY_MS);
	signal.addEventListener("abort", () => clearInterval(timer));
	safely();
}
