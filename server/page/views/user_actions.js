/* What can be done to one user. Each action asks first, and says what it will change. */
import { call, get, path } from "../lib/api.js";
import { confirm } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { choice, localTime, microseconds, text } from "../lib/fields.js";
import { count, dateTime, int } from "../lib/format.js";
import { difference, differenceTable, underTier } from "../lib/limits.js";
import { button } from "../lib/parts.js";
import { ENDLESS, amount, dimension, limitKind, limitName } from "../lib/words.js";

const DAY_MS = 86400e3;

/* What every action has: the user, their state, and how to send a change. */
class Subject {
	constructor(user, { account, status, tiers }, { tenant }, done) {
		Object.assign(this, { user, account, status, tiers, tenant, done });
		this.tierName = status.accounts[0].tier;
		this.tier = tiers.find((tier) => tier.name === this.tierName);
		this.limits = status.accounts[0].limits ?? [];
	}

	/* A change of the state that was shown, and of no other. */
	send(method, what, body) {
		return this.sendAnyway(method, what, body, this.account.etag);
	}

	/* Counters change all the time, so they have no etag. */
	sendAnyway(method, what, body, etag) {
		return call(method, path`/v1/accounts/user/${this.user}/` + what, { query: { tenant: this.tenant }, body, etag });
	}

	async ask(options) {
		const read = () => get(path`/v1/accounts/user/${this.user}`, { tenant: this.tenant });

		if (await confirm({ ...options, before: this.account, read, again: this.done }))
			this.done();
	}
}

function tierChange(subject, tier) {
	const before = underTier(subject.tier, subject.account.overrides), after = underTier(tier, subject.account.overrides);
	const slots = int(subject.tier?.pool_concurrent), then = int(tier.pool_concurrent);

	return [
		differenceTable(`Limits under ${tier.name}`, difference(before, after)),
		slots !== then && h("p", `In the pool: ${count(slots)} at once now, ${count(then)} then; priority ${count(subject.tier?.pool_priority)} now, ${count(tier.pool_priority)} then.`),
		h("p.muted", "It takes effect at once. Use so far is kept, and so is debt."),
	];
}

function changeTier(subject, wanted = "") {
	const others = subject.tiers.filter((tier) => tier.name !== subject.tierName);
	const tier = choice("New tier", [["", "Choose a tier"], ...others.map((one) => [one.name, one.name])], { value: wanted, required: true });
	const chosen = () => others.find((one) => one.name === tier.control.value);

	return subject.ask({
		title: `Change the tier of ${subject.user}`, intro: `Now on ${subject.tierName}.`, fields: [tier], wide: true,
		change: () => chosen() && tierChange(subject, chosen()),
		verb: "Change the tier", done: "The tier has changed",
		act: (reason) => subject.send("PUT", "tier", { tier: tier.control.value, reason }),
	});
}

function suspend(subject) {
	return subject.ask({
		title: `Suspend ${subject.user}`, verb: "Suspend", danger: true, done: "Suspended",
		change: () => h("p", `Every check of ${subject.user} is denied until you lift the suspension. Requests that are open may end: what they used is still recorded and charged. The reason is shown with the account.`),
		act: (reason) => subject.send("POST", "suspend", { reason }),
	});
}

function unsuspend(subject) {
	return subject.ask({
		title: `Lift the suspension of ${subject.user}`, verb: "Unsuspend", done: "The suspension is lifted",
		change: () => h("p", `Checks are decided by the limits of ${subject.tierName} again, at once.`),
		act: (reason) => subject.send("POST", "unsuspend", { reason }),
	});
}

function grace(subject) {
	const until = text("Until", { type: "datetime-local", value: localTime(Date.now() + 3 * DAY_MS), required: true, min: localTime(Date.now()) });
	const percent = text("Percent more", { type: "number", min: "1", max: "1000", value: "100", required: true });
	const raised = () => subject.limits.filter((one) => limitKind(one.limit) === "calendar" && int(one.limit.amount) < ENDLESS)
		.map(({ limit }) => ({ before: limit, after: { ...limit, amount: Math.floor(int(limit.amount) * (1 + int(percent.control.value) / 100)) }, limit, word: "higher", tone: "good" }));

	return subject.ask({
		title: `Grace for ${subject.user}`, intro: "Raises quotas and budgets for some time. Rates stay.", fields: [until, percent], wide: true,
		change: () => microseconds(until.control) > 0 && int(percent.control.value) > 0 &&
			[differenceTable("Limits during the grace", raised()), h("p.muted", `Until ${dateTime(microseconds(until.control))}.`)],
		verb: "Grant grace", done: "Grace is granted",
		act: (reason) => subject.send("PUT", "grace", { until_us: String(microseconds(until.control)), percent: int(percent.control.value), reason }),
	});
}

function endGrace(subject) {
	return subject.ask({
		title: `End the grace of ${subject.user}`, verb: "End the grace", done: "The grace has ended",
		change: () => h("p", "Quotas and budgets are the tier's own again, at once. Use above them is kept: requests may be denied until the windows reset."),
		act: (reason) => subject.send("PUT", "grace", { until_us: "0", reason }),
	});
}

function reset(subject) {
	const used = subject.limits.filter((one) => limitKind(one.limit) !== "level" && int(one.used) > int(one.held));

	return subject.ask({
		title: `Reset the use of ${subject.user}`, verb: "Reset", danger: true, done: "The use is reset",
		change: () => [
			used.length ? h("ul", used.map((one) => h("li", `${limitName(one.limit)}: ${amount(one.limit, int(one.used) - int(one.held))} used becomes ${amount(one.limit, 0)}`)))
				: h("p", "Nothing is used in the running windows."),
			h("p.muted", "Bills and reports stay. What open requests hold stays held."),
		],
		act: (reason) => subject.sendAnyway("POST", "reset", { reason }),
	});
}

/* Limits that an override can replace: those of the tier and those that are overridden already. */
function override(subject) {
	const limits = underTier(subject.tier, subject.account.overrides);
	const which = choice("Limit", limits.map((limit) => [limit.name, limitName(limit)]), { value: limits[0]?.name });
	const old = () => limits.find((limit) => limit.name === which.control.value);
	const isMoney = () => dimension(old()) === "cost";
	const value = text("New amount", { type: "number", min: "0", step: "any", required: true, hint: "Cost is in USD." });
	const ends = text("Ends", { type: "datetime-local", min: localTime(Date.now()), hint: "Empty: it has no end. Afterwards the tier's limit counts again." });
	const made = () => {
		const { warn_percent: _, ...kept } = old();
		const number = Math.round(Number(value.control.value) * (isMoney() ? 1e9 : 1));
		return { ...kept, amount: String(number), ...(int(kept.burst) ? { burst: String(number) } : {}), until_us: String(microseconds(ends.control)) };
	};

	return subject.ask({
		title: `Override a limit of ${subject.user}`, fields: [which, value, ends], wide: true,
		change: () => value.control.value !== "" && [
			h("p.muted", `Used so far: ${amount(old(), subject.limits.find((one) => one.limit.name === old().name)?.used)}.`),
			differenceTable("The override", difference([old()], [made()])),
			microseconds(ends.control) > 0 && h("p", `It ends on ${dateTime(microseconds(ends.control))}; then the limit of ${subject.tierName} counts again.`),
		],
		verb: "Set the override", done: "The override is set",
		act: (reason) => subject.send("PUT", "limits", { limits: [made()], merge: true, reason }),
	});
}

function dropOverrides(subject) {
	const own = subject.account.overrides ?? [];
	const which = choice("Override", [["", `All (${own.length})`], ...own.map((limit) => [limit.name, limitName(limit)])], {});
	const kept = () => (which.control.value ? own.filter((limit) => limit.name !== which.control.value) : []);

	return subject.ask({
		title: `Remove overrides of ${subject.user}`, fields: [which], wide: true, verb: "Remove", done: "Removed",
		change: () => differenceTable("Limits without it", difference(underTier(subject.tier, own), underTier(subject.tier, kept()))),
		act: (reason) => which.control.value
			? subject.send("PUT", "limits", { limits: [], merge: true, remove: [which.control.value], reason })
			: subject.send("PUT", "limits", { limits: [], reason }),
	});
}

/* The buttons of what can be done now. */
export function actions(user, state, context, done) {
	const subject = new Subject(user, state, context, done), { account } = subject;
	const inGrace = int(account.grace_until_us) > Date.now() * 1000, up = subject.tier?.upgrade_to;

	return h("div.buttons", { role: "group", "aria-label": `Actions on ${user}` },
		up && subject.tiers.some((tier) => tier.name === up) && button(`Upgrade to ${up}`, () => changeTier(subject, up), "primary"),
		button("Change tier", () => changeTier(subject)),
		button(inGrace ? "Change grace" : "Grant grace", () => grace(subject)), inGrace && button("End grace", () => endGrace(subject)),
		button("Override a limit", () => override(subject)), account.overrides?.length > 0 && button("Remove overrides", () => dropOverrides(subject)),
		button("Reset use", () => reset(subject)),
		account.suspended ? button("Unsuspend", () => unsuspend(subject)) : button("Suspend", () => suspend(subject), "danger"));
}
