/* A pool's settings: defaults, bounds and the packed form in Redis. */
#include "domain/pool.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"

void pool_settings_default(struct pool_settings *out, const char *name, int slots)
{
	*out = (struct pool_settings){
		.gen = 1,
		.slots = slots,
		.queue_limit = 10000,
		.level_queue_limit = 5000,
		.lease_us = 30 * SECOND_US,
		.ack_us = 5 * SECOND_US,
		.grace_us = 30 * SECOND_US,
		.tombstone_us = 300 * SECOND_US,
		.worker_us = 6 * SECOND_US,
		.age_us = 120 * SECOND_US,
		.age_every = 5,
		.starve_us = 240 * SECOND_US,
		.predicted_wait_max_us = 150 * SECOND_US,
		.wait_max_us = 300 * SECOND_US,
		.estimate_us = 30 * SECOND_US,
		.learn_margin_us = 5 * SECOND_US,
		.drain_us = 60 * SECOND_US,
		.debt = 2,
	};
	strncpy(out->name, name, POOL_NAME_MAX);
}

bool pool_name_check(const char *name, const char *field, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > POOL_NAME_MAX)
		return err_invalid(err, field, "has %zu bytes; a pool's name has 1 to %d", len, POOL_NAME_MAX);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len)
		return err_invalid(err, field, "a pool's name consists of a-z 0-9 . _ and -");
	return true;
}

static bool within(const char *field, int64_t value, int64_t least, int64_t most, struct err *err)
{
	if (value >= least && value <= most)
		return true;
	return err_invalid(err, field, "is %" PRId64 "; it must be %" PRId64 " to %" PRId64, value, least, most);
}

static bool levels_check(const struct pool_settings *settings, struct err *err)
{
	if (!within("levels", settings->level_count, 0, POOL_LEVELS_MAX, err))
		return false;
	for (int i = 0; i < settings->level_count; i++) {
		const struct pool_level *level = &settings->level[i];

		if (!within("priority", level->priority, 1, 100, err) ||
			!within("weight", level->weight, 1, 10000, err) ||
			!within("queue_limit", level->queue_limit, 0, POOL_QUEUE_MAX, err))
			return err_prefix(err, "levels[%d].", i);
		for (int j = 0; j < i; j++)
			if (settings->level[j].priority == level->priority) {
				err_invalid(err, "priority", "%d is listed twice", level->priority);
				return err_prefix(err, "levels[%d].", i);
			}
	}
	return true;
}

bool pool_settings_check(const struct pool_settings *s, struct err *err)
{
	if (!pool_name_check(s->name, "name", err) || !within("slots", s->slots, 0, POOL_SLOTS_MAX, err) ||
		!within("queue_limit", s->queue_limit, 0, POOL_QUEUE_MAX, err) ||
		!within("level_queue_limit", s->level_queue_limit, 0, POOL_QUEUE_MAX, err) ||
		!within("user_queue_limit", s->user_queue_limit, 0, POOL_QUEUE_MAX, err) ||
		!within("lease_us", s->lease_us, 6 * SECOND_US, HOUR_US, err) ||
		!within("age_us", s->age_us, SECOND_US, HOUR_US, err) ||
		!within("age_every", s->age_every, 2, 1000, err) ||
		!within("starve_us", s->starve_us, SECOND_US, HOUR_US, err) ||
		!within("wait_max_us", s->wait_max_us, SECOND_US, HOUR_US, err) ||
		!within("predicted_wait_max_us", s->predicted_wait_max_us, SECOND_US, s->wait_max_us, err) ||
		!within("estimate_us", s->estimate_us, SECOND_US / 1000, DAY_US, err) ||
		!within("learn_margin_us", s->learn_margin_us, 0, HOUR_US, err) ||
		!within("drain_us", s->drain_us, 0, DAY_US, err))
		return false;
	return levels_check(s, err);
}

static void put_ms(struct buf *out, int count, const int64_t *us)
{
	for (int i = 0; i < count; i++)
		buf_put_u32(out, (uint32_t)((us[i] + 999) / 1000));
}

void pool_pack(struct buf *out, const struct pool_settings *s)
{
	buf_put_u8(out, 1);
	buf_put_u32(out, s->gen);
	buf_put_u32(out, (uint32_t)s->slots);
	buf_put_u32(out, (uint32_t)s->queue_limit);
	buf_put_u32(out, (uint32_t)s->level_queue_limit);
	buf_put_u32(out, (uint32_t)s->user_queue_limit);
	put_ms(out, 6,
		(const int64_t[]){s->lease_us, s->ack_us, s->grace_us, s->tombstone_us, s->worker_us, s->age_us});
	buf_put_u32(out, (uint32_t)s->age_every);
	put_ms(out, 6,
		(const int64_t[]){s->starve_us, s->predicted_wait_max_us, s->wait_max_us, s->estimate_us,
			s->learn_margin_us, s->drain_us});
	buf_put_u8(out, (uint8_t)s->debt);
	buf_put_u8(out, (uint8_t)((s->paused ? 1 : 0) | (s->available ? 2 : 0)));
	buf_put_u8(out, (uint8_t)s->level_count);
	for (int i = 0; i < s->level_count; i++) {
		buf_put_u8(out, (uint8_t)s->level[i].priority);
		buf_put_u32(out, (uint32_t)s->level[i].weight);
		buf_put_u32(out, (uint32_t)s->level[i].queue_limit);
	}
}
