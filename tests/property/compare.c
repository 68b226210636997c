/* Finds where model and Lua differ. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "episode.h"

void compare_number(struct episode *episode, const char *name, int64_t model, int64_t lua)
{
	if (model == lua || episode->differs[0])
		return;
	snprintf(episode->differs, sizeof(episode->differs), "%s: model %" PRId64 ", lua %" PRId64, name, model, lua);
}

/* All full buckets are equal, however far in the past full_at is. */
static void bucket_settle(union limit_state *limit, int64_t now_us)
{
	if (limit->bucket.full_at_us > now_us || (limit->bucket.full_at_us == now_us && limit->bucket.rem))
		return;
	limit->bucket.full_at_us = 0;
	limit->bucket.rem = 0;
}

static void compare_limit(struct episode *episode, const char *where, const struct account_state *model,
	const struct account_state *lua, int i)
{
	union limit_state a = model->limits[i];
	union limit_state b = lua->limits[i];
	char name[160];

	snprintf(name, sizeof(name), "%s limit %d (%s, kind %d, dimension %d)", where, i, model->policy->limits[i].name,
		(int)model->policy->limits[i].kind, (int)model->policy->limits[i].dimension);
	switch (model->policy->limits[i].kind) {
	case KIND_BUCKET:
		bucket_settle(&a, model->clock_us);
		bucket_settle(&b, model->clock_us);
		compare_number(episode, name, a.bucket.full_at_us, b.bucket.full_at_us);
		compare_number(episode, name, a.bucket.rem, b.bucket.rem);
		break;
	case KIND_CALENDAR:
		compare_number(episode, name, a.calendar.settled, b.calendar.settled);
		compare_number(episode, name, a.calendar.held, b.calendar.held);
		break;
	case KIND_LEVEL:
		compare_number(episode, name, a.open, b.open);
		break;
	}
}

static void compare_state(
	struct episode *episode, const char *where, const struct account_state *model, const struct account_state *lua)
{
	char name[96];

#define FIELD(field_) \
	do { \
		snprintf(name, sizeof(name), "%s " #field_, where); \
		compare_number(episode, name, (int64_t)model->field_, (int64_t)lua->field_); \
	} while (0)
	snprintf(name, sizeof(name), "%s policy", where);
	compare_number(episode, name, 0, memcmp(model->policy->pid, lua->policy->pid, 8) != 0);
	if (episode->differs[0])
		return;
	FIELD(version);
	FIELD(epoch);
	FIELD(suspended);
	FIELD(bypass);
	FIELD(deleted);
	FIELD(provisional);
	FIELD(grace_percent);
	FIELD(grace_until_us);
	FIELD(clock_us);
	FIELD(window_start[0]);
	FIELD(window_start[1]);
	FIELD(window_start[2]);
	FIELD(window_end[0]);
	FIELD(window_end[1]);
	FIELD(window_end[2]);
	FIELD(open);
	FIELD(notified);
	FIELD(unseeded);
	FIELD(ahead_us);
#undef FIELD
	for (int i = 0; i < model->policy->count; i++)
		compare_limit(episode, where, model, lua, i);
}

static void compare_standing(struct episode *episode, int i, const struct standing *model, const struct standing *lua)
{
	char name[64];

	snprintf(name, sizeof(name), "answer on account %d: failed", i);
	compare_number(episode, name, model->verdict.failed, lua->verdict.failed);
	snprintf(name, sizeof(name), "answer on account %d: would", i);
	compare_number(episode, name, model->verdict.would, lua->verdict.would);
	snprintf(name, sizeof(name), "answer on account %d: notify", i);
	compare_number(episode, name, model->verdict.notify, lua->verdict.notify);
	snprintf(name, sizeof(name), "answer on account %d:", i);
	compare_number(episode, name, model->policy_is_other, lua->policy_is_other);
	compare_state(episode, name, &model->state, &lua->state);
}

static void compare_unseeded(struct episode *episode, const struct limits_op *model, const struct limits_op *lua)
{
	compare_number(episode, "unseeded accounts", model->unseeded_count, lua->unseeded_count);
	for (int i = 0; i < model->unseeded_count && !episode->differs[0]; i++) {
		const struct unseeded *a = &model->unseeded[i];
		const struct unseeded *b = &lua->unseeded[i];

		compare_number(episode, "unseeded account", a->index, b->index);
		compare_number(episode, "unseeded limits", a->count, b->count);
		for (int u = 0; u < WINDOW_COUNT; u++)
			compare_number(episode, "start of the window", a->window_start[u], b->window_start[u]);
		for (int k = 0; k < a->count && !episode->differs[0]; k++) {
			compare_number(episode, "unseeded limit", a->limit[k].id, b->limit[k].id);
			compare_number(episode, "its unit", a->limit[k].unit, b->limit[k].unit);
			compare_number(episode, "its dimension", a->limit[k].dimension, b->limit[k].dimension);
			compare_number(
				episode, "its model", (int64_t)a->limit[k].model_hash, (int64_t)b->limit[k].model_hash);
			compare_number(episode, "what it has settled", a->limit[k].settled, b->limit[k].settled);
		}
	}
}

void compare_op(struct episode *episode, const struct limits_op *model, const struct limits_op *lua)
{
	compare_number(episode, "status", model->status, lua->status);
	compare_number(episode, "now", model->now_us, lua->now_us);
	if (model->status == LIMITS_ABSENT || model->status == LIMITS_BEHIND)
		compare_number(episode, "mask", model->mask, lua->mask);
	if (model->status == LIMITS_STALE)
		compare_number(episode, "stale", model->stale_count, lua->stale_count);
	for (int i = 0; i < model->stale_count && !episode->differs[0]; i++) {
		compare_number(episode, "stale index", model->stale[i].index, lua->stale[i].index);
		compare_number(episode, "stale version", model->stale[i].version, lua->stale[i].version);
	}
	if (model->status == LIMITS_UNSEEDED)
		compare_unseeded(episode, model, lua);
	if (episode->differs[0] || model->status > LIMITS_REPEAT)
		return;
	compare_number(episode, "standings", model->standings, lua->standings);
	for (int i = 0; i < model->standings && !episode->differs[0]; i++)
		compare_standing(episode, i, model->standing[i], lua->standing[i]);
}

void compare_stored(struct episode *episode, int index)
{
	struct account_state model;
	struct account_state lua;
	struct expected expected;
	char name[32];
	bool found;

	episode_expected(episode, index, NULL, &expected);
	found = episode->model->ops->look(episode->model, &expected, &episode->arena, &model);
	snprintf(name, sizeof(name), "account %d", index);
	compare_number(episode, name, found, episode->lua->ops->look(episode->lua, &expected, &episode->arena, &lua));
	if (!found || episode->differs[0])
		return;
	/* One of them may have rolled it already, while the other will do so in the next call. */
	state_roll(&model, &expected.windows, episode->now_us);
	state_roll(&lua, &expected.windows, episode->now_us);
	compare_state(episode, name, &model, &lua);
}
