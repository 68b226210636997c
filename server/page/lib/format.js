/* Numbers, money and times, in the words of the reader's locale. */

const locale = undefined; /* the browser's */
const memo = new Map();

function made(kind, options) {
	const name = kind.name + JSON.stringify(options);

	if (!memo.has(name))
		memo.set(name, new kind(locale, options));
	return memo.get(name);
}

/* int64 come as strings, and zeros may be left out. 2^53-1 is the most that Bursar counts. */
export function int(value) {
	return Number(value ?? 0);
}

export function count(value) {
	return made(Intl.NumberFormat, { maximumFractionDigits: 0 }).format(int(value));
}

/* 12.3K: for figures that are read at a glance. */
export function short(value) {
	const number = int(value);

	return made(Intl.NumberFormat, { notation: "compact", maximumSignificantDigits: Math.abs(number) < 1000 ? 4 : 3 }).format(number);
}

export function decimal(value, digits = 1) {
	return made(Intl.NumberFormat, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function percent(ratio, digits = 0) {
	return made(Intl.NumberFormat, { style: "percent", maximumFractionDigits: digits }).format(ratio);
}

/* Nano-USD. What is less than a cent keeps enough digits to be seen. */
export function money(nano) {
	const usd = int(nano) / 1e9;
	const small = usd !== 0 && Math.abs(usd) < 0.1;

	return made(Intl.NumberFormat, { style: "currency", currency: "USD", ...(small ? { maximumSignificantDigits: 2 } : {}) }).format(usd);
}

export function shortMoney(nano) {
	const usd = int(nano) / 1e9;

	if (Math.abs(usd) < 1000)
		return money(nano);
	return made(Intl.NumberFormat, { style: "currency", currency: "USD", notation: "compact", maximumSignificantDigits: 4 }).format(usd);
}

const at = (us) => new Date(int(us) / 1000);

export function time(us) {
	return made(Intl.DateTimeFormat, { timeStyle: "medium" }).format(at(us));
}

export function dateTime(us) {
	return made(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "short" }).format(at(us));
}

/* A UTC day, "2026-11-23". */
export function day(text, long = false) {
	return made(Intl.DateTimeFormat, { timeZone: "UTC", day: "numeric", month: "short", ...(long ? { year: "numeric", weekday: "short" } : {}) })
		.format(new Date(`${text}T00:00:00Z`));
}

const UNITS = [["d", 86400e6], ["h", 3600e6], ["min", 60e6], ["s", 1e6]];

/* A duration in microseconds: "2 h 5 min", "340 ms". */
export function duration(us) {
	const value = int(us);

	if (value < 1e6)
		return value < 1000 ? `${value} µs` : `${decimal(value / 1000, value < 10000 ? 1 : 0)} ms`;
	if (value < 10e6)
		return `${decimal(value / 1e6)} s`;
	const first = UNITS.findIndex(([, size]) => value >= size);
	const [name, size] = UNITS[first];
	const whole = Math.floor(value / size);
	const rest = UNITS[first + 1] && Math.floor((value - whole * size) / UNITS[first + 1][1]);
	return rest ? `${whole} ${name} ${rest} ${UNITS[first + 1][0]}` : `${whole} ${name}`;
}

/* How long ago or ahead: "in 3 hours", "2 days ago". */
export function relative(us, nowUs = Date.now() * 1000) {
	const seconds = (int(us) - nowUs) / 1e6;
	const format = made(Intl.RelativeTimeFormat, { numeric: "auto" });
	const size = Math.abs(seconds);

	if (size < 60)
		return format.format(Math.round(seconds), "second");
	if (size < 3600)
		return format.format(Math.round(seconds / 60), "minute");
	if (size < 86400)
		return format.format(Math.round(seconds / 3600), "hour");
	if (size < 86400 * 60)
		return format.format(Math.round(seconds / 86400), "day");
	return format.format(Math.round(seconds / 86400 / 30.4), "month");
}

/* The UTC day of a Date. */
export function utcDay(date) {
	return date.toISOString().slice(0, 10);
}
