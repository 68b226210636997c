/* What Redis reports about itself: INFO, an option that INFO does not show, and its clock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "redis/connect/errors.h"
#include "redis/limits/private.h"

static int64_t info_number(const char *text, const char *name)
{
	int len;

	return strtoll(redis_info_find(text, name, &len), NULL, 10);
}

static bool info_is(const char *text, const char *name, const char *word)
{
	int len;
	const char *value = redis_info_find(text, name, &len);

	return len == (int)strlen(word) && memcmp(value, word, (size_t)len) == 0;
}

static void info_copy(const char *text, const char *name, char *out, size_t size)
{
	int len;
	const char *value = redis_info_find(text, name, &len);

	snprintf(out, size, "%.*s", len, value);
}

static void end(struct limits_facts *op, enum limits_status status, const struct err *err)
{
	op->op.status = status;
	if (err)
		op->op.err = *err;
	op->op.done(&op->op);
}

static void clock_came(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_facts *op = command->user;

	if (err) {
		end(op, LIMITS_FAILED, err);
		return;
	}
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
		op->op.now_us =
			strtoll(reply->element[0]->str, NULL, 10) * 1000000 + strtoll(reply->element[1]->str, NULL, 10);
		op->facts.clock_off_us = op->op.now_us - clock_wall_us();
	}
	op->facts.answered = true;
	end(op, LIMITS_OK, NULL);
}

static struct redis_command *command_of(struct limits_facts *op,
	void (*done)(struct redis_command *command, const redisReply *reply, const struct err *err), const char *word)
{
	struct redis_limits *limits = op->op.impl[0];
	struct redis_command *command = redis_command_new(limits->redis.link, done, op);

	command->even_refused = true;
	redis_arg_text(command, word);
	return command;
}

static void send_on(struct limits_facts *op, struct redis_command *command)
{
	struct redis_limits *limits = op->op.impl[0];

	redis_send(command, store_deadline(&limits->redis, op->op.deadline_us));
}

/* Hosted Redis services often forbid CONFIG: the value is unknown then. */
static void option_came(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_facts *op = command->user;

	if (!err && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[1]->str) {
		strncpy(op->facts.fsync, reply->element[1]->str, sizeof(op->facts.fsync) - 1);
		op->facts.fsync[sizeof(op->facts.fsync) - 1] = '\0';
	}
	send_on(op, command_of(op, clock_came, "TIME"));
}

static void info_came(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_facts *op = command->user;
	struct store_facts *facts = &op->facts;
	struct err why;
	const char *text;
	struct redis_command *next;

	if (err) {
		end(op, LIMITS_FAILED, err);
		return;
	}
	text = reply->str ? reply->str : "";
	info_copy(text, "redis_version", facts->version, sizeof(facts->version));
	info_copy(text, "maxmemory_policy", facts->eviction, sizeof(facts->eviction));
	facts->aof = info_is(text, "aof_enabled", "1");
	facts->aof_written = info_is(text, "aof_last_write_status", "ok");
	facts->saved = info_is(text, "rdb_last_bgsave_status", "ok");
	facts->last_save_us = info_number(text, "rdb_last_save_time") * 1000000;
	facts->memory = info_number(text, "used_memory");
	facts->memory_most = info_number(text, "maxmemory");
	facts->why[0] = '\0';
	if (!redis_link_ready(command->owner, &why))
		snprintf(facts->why, sizeof(facts->why), "%s", why.text);
	next = command_of(op, option_came, "CONFIG");
	redis_arg_text(next, "GET");
	redis_arg_text(next, "appendfsync");
	send_on(op, next);
}

void limits_facts_start(struct limits_store *store, struct limits_facts *op)
{
	limits_begin(&op->op);
	op->facts = (struct store_facts){0};
	op->op.impl[0] = redis_limits_of(store);
	send_on(op, command_of(op, info_came, "INFO"));
}
