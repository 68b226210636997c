/* The steps: each is done on both backends, and the answers are compared. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/redis.h"
#include "episode.h"

#define SECOND INT64_C(1000000)

#define TELL(...) snprintf(episode->what, sizeof(episode->what), __VA_ARGS__)
/* Calls both backends; `op_` is copied, so that each answers into its own copy. */
#define BOTH(type_, method_, op_, model_, lua_) \
	struct type_ model_ = op_; \
	struct type_ lua_ = op_; \
	episode->model->ops->method_(episode->model, &model_); \
	episode->lua->ops->method_(episode->lua, &lua_)

static const char *request_name(int id)
{
	static char names[IDS][8];

	snprintf(names[id], sizeof(names[id]), "r%d", id);
	return names[id];
}

static int id_any(const struct episode *episode, struct chance *chance)
{
	return (int)chance_below(chance, episode->roomy ? IDS : IDS / 4);
}

static int expected_of(struct episode *episode, unsigned accounts, struct chance *chance, struct expected out[])
{
	int count = 0;

	for (int i = 0; i < ACCOUNTS_MAX; i++)
		if (accounts & 1u << i)
			episode_expected(episode, i, chance, &out[count++]);
	return count;
}

static unsigned accounts_any(const struct episode *episode, struct chance *chance)
{
	if (episode->roomy && chance_percent(chance, 40))
		return 1;
	return 1 | (chance_percent(chance, 30) ? 31u : (unsigned)chance_below(chance, 16) << 1);
}

static int64_t ask_any(const struct episode *episode, struct chance *chance, int64_t most)
{
	return chance_percent(chance, episode->roomy ? 98 : 70) ? chance_below(chance, 300)
								: chance_count(chance, most);
}

/* Of what is counted by the piece, of which most requests have nothing. */
static int64_t *counted_drawn(struct episode *episode, struct chance *chance)
{
	int kinds = chance_percent(chance, 60) ? 0 : 1 + (int)chance_below(chance, 2);
	int64_t *counted = kinds ? arena_zalloc(&episode->arena, COUNTED_COUNT, sizeof(*counted)) : NULL;

	for (int i = 0; i < kinds; i++)
		counted[chance_below(chance, PIECES)] =
			chance_percent(chance, 60) ? chance_below(chance, 4) : ask_any(episode, chance, COUNT_MAX);
	return counted;
}

static struct amounts amounts_drawn(struct episode *episode, struct chance *chance)
{
	struct amounts amounts = {.requests = 1,
		.input = ask_any(episode, chance, COUNT_MAX),
		.cost = ask_any(episode, chance, COUNT_MAX)};

	amounts.output = ask_any(episode, chance, COUNT_MAX - amounts.input);
	if (amounts.output > COUNT_MAX - amounts.input)
		amounts.output = COUNT_MAX - amounts.input;
	amounts.counted = counted_drawn(episode, chance);
	return amounts;
}

static void interface_any(struct chance *chance, uint64_t *interface_hash, uint64_t *model_hash)
{
	*interface_hash = chance_percent(chance, 50) ? selector_hash("telegram", 8) : selector_hash("web", 3);
	*model_hash = chance_percent(chance, 50) ? selector_hash("gpt", 3) : 0;
}

/* The ledger's amounts for limits that are not seeded: anything, sometimes from a worker that read too early. */
static void adopt_all(struct episode *episode, struct chance *chance, const struct limits_op *unseeded,
	const struct expected expected[])
{
	for (int i = 0; i < unseeded->unseeded_count && !episode->differs[0]; i++) {
		const struct unseeded *account = &unseeded->unseeded[i];
		struct limits_adopt op = {.op.arena = &episode->arena,
			.expected = expected[account->index],
			.even_if_moved = chance_percent(chance, 50),
			.count = account->count};

		for (int u = 0; u < WINDOW_COUNT; u++)
			op.window_start[u] = windows_start(&op.expected.windows, (enum window_unit)u, episode->now_us);
		for (int k = 0; k < account->count; k++) {
			op.limit[k].id = account->limit[k].id;
			op.limit[k].seen = account->limit[k].settled - (chance_percent(chance, 10) ? 1 : 0);
			op.limit[k].known = chance_count(chance, 1000);
		}
		BOTH(limits_adopt, adopt, op, model, lua);
		compare_number(episode, "status of adopting", model.op.status, lua.op.status);
	}
}

/* One of few, so that some calls arrive twice; and times after which nobody waits. */
static uint64_t nonce_any(struct chance *chance)
{
	return chance_percent(chance, 60) ? (uint64_t)chance_below(chance, 1 << 20) + 100
					  : (uint64_t)chance_below(chance, 4) + 1;
}

static int64_t latest_any(const struct episode *episode, struct chance *chance)
{
	return chance_percent(chance, 80) ? 0 : episode->now_us + chance_below(chance, 5) - 1;
}

/* Sometimes there are more places than are remembered. */
static void tell_any(struct chance *chance, struct limits_check *op)
{
	static const char *const places[] = {
		"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s"};
	int64_t count = chance_percent(chance, 70) ? 2 : (int64_t)(sizeof(places) / sizeof(places[0]));

	if (chance_percent(chance, 60))
		op->tell_place = places[chance_below(chance, count)];
	if (chance_percent(chance, 20))
		op->tell_again_us = 1 + chance_below(chance, (chance_percent(chance, 50) ? 100 : 40 * 86400) * SECOND);
}

static void step_check(struct episode *episode, struct chance *chance)
{
	int id = id_any(episode, chance);
	bool known = episode->asked_on[id] != 0;
	unsigned accounts = known && chance_percent(chance, 90) ? episode->asked_on[id] : accounts_any(episode, chance);
	struct limits_check op = {.op.arena = &episode->arena,
		.tenant = TENANT,
		.user = episode->member[0].id,
		.request_id = request_name(id),
		.request.estimate = amounts_drawn(episode, chance),
		.ttl_us = 1 + chance_below(chance, chance_percent(chance, 50) ? 10 * SECOND : 3600 * SECOND),
		.dry_run = chance_percent(chance, 8),
		.provisional_ok = chance_percent(chance, 20)};
	bool general = chance_percent(chance, 40);

	redis_general(episode->lua, general);
	if (chance_percent(chance, episode->broke ? 60 : 10)) {
		op.request.estimate.cost = 0;
		op.request.probe_cost = chance_percent(chance, 70);
	}
	if (chance_percent(chance, 60))
		op.request.told = (uint32_t)chance_below(chance, TOLD_ALL + INT64_C(1));
	interface_any(chance, &op.request.interface_hash, &op.request.model_hash);
	op.digest[0] = chance_percent(chance, 5);
	op.nonce = nonce_any(chance);
	tell_any(chance, &op);
	op.latest_us = op.dry_run ? 0 : latest_any(episode, chance);
	op.count = expected_of(episode, accounts, chance, op.expected);
	TELL("%s %s%s on accounts %x: %" PRId64 " in, %" PRId64 " out, %" PRId64 " cost, ttl %" PRId64,
		op.dry_run ? "try" : "check", op.request_id, general ? " by the general path" : "", accounts,
		op.request.estimate.input, op.request.estimate.output, op.request.estimate.cost, op.ttl_us);
	BOTH(limits_check, check, op, model, lua);
	compare_op(episode, &model.op, &lua.op);
	if (model.op.status == LIMITS_UNSEEDED)
		adopt_all(episode, chance, &model.op, op.expected);
	if (model.op.status > LIMITS_REPEAT)
		return;
	compare_number(episode, "state", model.state, lua.state);
	compare_number(episode, "unsure", model.unsure, lua.unsure);
	compare_number(episode, "started_at", model.started_at_us, lua.started_at_us);
	compare_number(episode, "expires_at", model.expires_at_us, lua.expires_at_us);
	compare_number(episode, "first_end", model.first_end_us, lua.first_end_us);
	compare_number(episode, "tell", model.tell, lua.tell);
	compare_number(episode, "told until", model.told_until_us, lua.told_until_us);
	compare_number(episode, "held input", model.held.input, lua.held.input);
	compare_number(episode, "held output", model.held.output, lua.held.output);
	compare_number(episode, "held cost", model.held.cost, lua.held.cost);
	if (model.op.status == LIMITS_OK && !op.dry_run)
		episode->asked_on[id] = accounts;
}

static void compare_settle(struct episode *episode, const struct limits_settle *model, const struct limits_settle *lua)
{
	compare_op(episode, &model->op, &lua->op);
	if (model->op.status == LIMITS_CLOSED)
		compare_number(episode, "state", model->state, lua->state);
	if (model->op.status != LIMITS_OK && model->op.status != LIMITS_REPEAT)
		return;
	compare_number(episode, "state", model->state, lua->state);
	compare_number(episode, "late", model->late, lua->late);
	compare_number(episode, "charged requests", model->charged.requests, lua->charged.requests);
	compare_number(episode, "charged input", model->charged.input, lua->charged.input);
	compare_number(episode, "charged output", model->charged.output, lua->charged.output);
	compare_number(episode, "charged cost", model->charged.cost, lua->charged.cost);
	compare_number(episode, "released requests", model->released.requests, lua->released.requests);
	compare_number(episode, "released input", model->released.input, lua->released.input);
	compare_number(episode, "released output", model->released.output, lua->released.output);
	compare_number(episode, "released cost", model->released.cost, lua->released.cost);
	compare_number(episode, "recorded bytes", (int64_t)model->recorded_len, (int64_t)lua->recorded_len);
	for (size_t i = 0; i < model->recorded_len && i < lua->recorded_len; i++)
		compare_number(episode, "recorded byte", model->recorded[i], lua->recorded[i]);
}

/* Settles a checked request; sometimes on other accounts, or a request that was never checked. */
static unsigned settle_make(struct episode *episode, struct chance *chance, struct limits_settle *op)
{
	int id = id_any(episode, chance);
	unsigned accounts = episode->asked_on[id];

	if (!accounts || chance_percent(chance, 4))
		accounts = accounts_any(episode, chance);
	*op = (struct limits_settle){.op.arena = &episode->arena,
		.tenant = TENANT,
		.user = episode->member[0].id,
		.request_id = request_name(id)};
	op->count = expected_of(episode, accounts, chance, op->expected);
	return accounts;
}

static void step_record(struct episode *episode, struct chance *chance)
{
	static const char usages[] = "what the attempt was recorded with";
	struct limits_settle op;
	unsigned accounts = settle_make(episode, chance, &op);
	int id = atoi(op.request_id + 1);

	op.attempt = chance_percent(chance, 60) ? 0 : (int)chance_below(chance, 32);
	op.final = chance_percent(chance, 70);
	op.even_if_unknown = chance_percent(chance, 30);
	op.used = amounts_drawn(episode, chance);
	op.nonce = nonce_any(chance);
	op.started_at_us = chance_percent(chance, 50) ? 0 : episode->now_us - chance_below(chance, 1000 * SECOND);
	interface_any(chance, &op.interface_hash, &op.model_hash);
	op.usage = (const uint8_t *)usages;
	op.usage_len = (size_t)chance_below(chance, sizeof(usages));
	TELL("record %s attempt %d%s%s on accounts %x: %" PRId64 " in, %" PRId64 " out, %" PRId64 " cost",
		op.request_id, op.attempt, op.final ? " final" : "", op.even_if_unknown ? " anyway" : "", accounts,
		op.used.input, op.used.output, op.used.cost);
	BOTH(limits_settle, record, op, model, lua);
	compare_settle(episode, &model, &lua);
	if (model.op.status == LIMITS_OK)
		episode->asked_on[id] = accounts;
}

static void step_cancel(struct episode *episode, struct chance *chance)
{
	struct limits_settle op;
	unsigned accounts = settle_make(episode, chance, &op);

	op.forget = chance_percent(chance, 30);
	op.unless_repeated = chance_percent(chance, 20);
	op.nonce = nonce_any(chance);
	op.latest_us = latest_any(episode, chance);
	TELL("cancel %s%s on accounts %x", op.request_id, op.forget ? " and forget it" : "", accounts);
	BOTH(limits_settle, cancel, op, model, lua);
	compare_settle(episode, &model, &lua);
}

static void step_give_up(struct episode *episode, struct chance *chance)
{
	struct limits_settle op;
	unsigned accounts = settle_make(episode, chance, &op);

	op.nonce = nonce_any(chance);
	TELL("give up %s, nonce %" PRIu64 ", on accounts %x", op.request_id, op.nonce, accounts);
	BOTH(limits_settle, give_up, op, model, lua);
	compare_number(episode, "status", model.op.status, lua.op.status);
}

static void step_renew(struct episode *episode, struct chance *chance)
{
	struct limits_renew op = {.op.arena = &episode->arena,
		.tenant = TENANT,
		.user = episode->member[0].id,
		.request_id = request_name(id_any(episode, chance)),
		.ttl_us = 1 + chance_below(chance, 3600 * SECOND)};

	TELL("renew %s for %" PRId64, op.request_id, op.ttl_us);
	BOTH(limits_renew, renew, op, model, lua);
	compare_number(episode, "status", model.op.status, lua.op.status);
	if (model.op.status == LIMITS_OK)
		compare_number(episode, "expires_at", model.expires_at_us, lua.expires_at_us);
}

static void step_expire(struct episode *episode, struct chance *chance)
{
	struct expected expected[ACCOUNTS_MAX];
	int count = expected_of(episode, 31, NULL, expected);

	(void)chance;
	TELL("expire");
	compare_number(episode, "expired", episode->model->ops->expire(episode->model, expected, count),
		episode->lua->ops->expire(episode->lua, expected, count));
}

static void step_reset(struct episode *episode, struct chance *chance)
{
	char name[8];
	struct limits_reset op = {.op.arena = &episode->arena, .request_id = name};
	int index = (int)chance_below(chance, ACCOUNTS_MAX);

	snprintf(name, sizeof(name), "z%d", (int)chance_below(chance, 6));
	episode_expected(episode, index, NULL, &op.expected);
	TELL("reset account %d as %s", index, name);
	BOTH(limits_reset, reset, op, model, lua);
	compare_number(episode, "status", model.op.status, lua.op.status);
	/* For a repeat under another policy than the first: limits are identified by id there, by order here. */
	for (int i = 0; model.op.status == LIMITS_OK && i < LIMITS_MAX; i++)
		compare_number(episode, "lost", model.lost[i], lua.lost[i]);
}

static int64_t signed_any(struct chance *chance, int64_t amount)
{
	return chance_percent(chance, 50) ? -amount : chance_percent(chance, 40) ? 0 : amount;
}

static void step_adjust(struct episode *episode, struct chance *chance)
{
	char name[8];
	struct limits_adjust op = {.op.arena = &episode->arena,
		.tenant = TENANT,
		.user = episode->member[0].id,
		.adjustment_id = name,
		.amounts = amounts_drawn(episode, chance),
		.ledger_only = chance_percent(chance, 10),
		.digest = {chance_percent(chance, 5)}};
	unsigned accounts = accounts_any(episode, chance);

	snprintf(name, sizeof(name), "j%d", (int)chance_below(chance, 6));
	op.amounts.requests = signed_any(chance, chance_below(chance, 3));
	op.amounts.input = signed_any(chance, op.amounts.input);
	op.amounts.output = signed_any(chance, op.amounts.output);
	op.amounts.cost = signed_any(chance, op.amounts.cost);
	if (op.amounts.counted) {
		int64_t *counted = arena_zalloc(&episode->arena, COUNTED_COUNT, sizeof(*counted));

		for (int i = 0; i < COUNTED_COUNT; i++)
			counted[i] = signed_any(chance, op.amounts.counted[i]);
		op.amounts.counted = counted;
	}
	if (chance_percent(chance, 70))
		op.counted_at_us =
			episode->now_us - chance_below(chance, 86400 * (chance_percent(chance, 50) ? 1 : 40) * SECOND);
	interface_any(chance, &op.interface_hash, &op.model_hash);
	op.count = expected_of(episode, accounts, chance, op.expected);
	TELL("adjust %s on accounts %x by %" PRId64 " requests, %" PRId64 " in, %" PRId64 " out, %" PRId64 " cost",
		name, accounts, op.amounts.requests, op.amounts.input, op.amounts.output, op.amounts.cost);
	BOTH(limits_adjust, adjust, op, model, lua);
	compare_op(episode, &model.op, &lua.op);
	if (model.op.status == LIMITS_UNSEEDED)
		adopt_all(episode, chance, &model.op, op.expected);
	if (model.op.status != LIMITS_DENIED)
		return;
	compare_number(episode, "lacking account", model.lacking.account, lua.lacking.account);
	compare_number(episode, "lacking limit", model.lacking.limit_id, lua.lacking.limit_id);
	compare_number(episode, "lacking settled", model.lacking.settled, lua.lacking.settled);
}

static void member_change(const struct episode *episode, struct member *member, struct chance *chance)
{
	int64_t now_us = episode->now_us;
	int odd = episode->roomy ? 5 : 15;

	member->before = member->now;
	member->profile.version = ++member->version;
	member->profile.suspended = chance_percent(chance, odd);
	member->profile.bypass = chance_percent(chance, odd);
	member->profile.deleted = chance_percent(chance, 4);
	member->profile.grace_percent = chance_percent(chance, 4 * odd) ? (int)chance_below(chance, 300) : 0;
	member->profile.grace_until_us = chance_percent(chance, 50) ? 0 : now_us + chance_below(chance, 7200 * SECOND);
	if (chance_percent(chance, 50)) {
		member->now = (int)chance_below(chance, VARIANTS);
		member->own_policy = chance_percent(chance, 50);
	}
	if (chance_percent(chance, 10)) {
		static const char *const names[] = {"Europe/Berlin", "Asia/Kolkata", "Pacific/Kiritimati", "UTC"};

		zone_put(&member->zone, names[chance_below(chance, 4)], true, now_us);
	}
}

/*
 * An admin changes an account; the change is written through, or found later (the record is behind then). Or the known
 * profile is only confirmed, which a provisional record accepts.
 */
static void step_account(struct episode *episode, struct chance *chance)
{
	int index = (int)chance_below(chance, ACCOUNTS_MAX);
	struct member *member = &episode->member[index];
	struct limits_policy op = {.op.arena = &episode->arena, .profile = &member->profile};

	if (chance_percent(chance, 85))
		member_change(episode, member, chance);
	episode_expected(episode, index, NULL, &op.expected);
	TELL("account %d: version %u, policy %d%s%s%s%s, grace %d", index, member->version, member->now,
		member->own_policy ? " own" : "", member->profile.suspended ? " suspended" : "",
		member->profile.bypass ? " bypass" : "", member->profile.deleted ? " deleted" : "",
		member->profile.grace_percent);
	op.provisional = chance_percent(chance, 30);
	BOTH(limits_policy, policy, op, model, lua);
	compare_number(episode, "status", model.op.status, lua.op.status);
	compare_stored(episode, index);
}

/* The tier of an account changes: the next call that expects it converts the record. */
static void step_tier(struct episode *episode, struct chance *chance)
{
	struct member *member = &episode->member[chance_below(chance, ACCOUNTS_MAX)];

	member->before = member->now;
	member->now = (int)chance_below(chance, VARIANTS);
	member->epoch++;
	TELL("tier of kind %d: epoch %u, policy %d", (int)member->kind, member->epoch, member->now);
}

/* A time at the edge of a window of some account, give or take a microsecond. */
static int64_t edge_any(struct episode *episode, struct chance *chance)
{
	const struct member *member = &episode->member[chance_below(chance, ACCOUNTS_MAX)];
	struct windows windows;

	if (!windows_at(&member->zone, episode->now_us, &windows, NULL))
		return episode->now_us;
	return windows.at[chance_below(chance, WINDOW_COUNT)][2] + chance_below(chance, 5) - 2;
}

static void step_clock(struct episode *episode, struct chance *chance)
{
	int64_t now_us = episode->now_us;

	switch (chance_below(chance, 8)) {
	case 0:
		now_us -= chance_below(chance, chance_percent(chance, 20) ? 3 * 86400 * SECOND : 10 * SECOND);
		break;
	case 1:
		now_us = edge_any(episode, chance);
		break;
	case 2:
		now_us += chance_below(chance, 3 * 86400 * SECOND);
		break;
	case 3:
	case 4:
		now_us += chance_below(chance, 3600 * SECOND);
		break;
	default:
		now_us += chance_below(chance, 10 * SECOND);
		break;
	}
	TELL("clock %+" PRId64 " us to %" PRId64, now_us - episode->now_us, now_us);
	episode->now_us = now_us;
	episode->model->ops->clock(episode->model, now_us);
	episode->lua->ops->clock(episode->lua, now_us);
}

void episode_step(struct episode *episode, struct chance *chance)
{
	/* Of 100 steps. */
	static const struct {
		int64_t often;
		void (*step)(struct episode *episode, struct chance *chance);
	} steps[] = {
		{40, step_check},
		{22, step_record},
		{4, step_cancel},
		{3, step_give_up},
		{3, step_renew},
		{3, step_expire},
		{2, step_reset},
		{3, step_adjust},
		{3, step_account},
		{3, step_tier},
		{14, step_clock},
	};
	int64_t kind = chance_below(chance, 100);
	size_t i = 0;

	for (; kind >= steps[i].often; i++)
		kind -= steps[i].often;
	steps[i].step(episode, chance);
}
