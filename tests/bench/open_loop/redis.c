/* One command, sent again and again to a Redis; its answers come in the order of the calls. */
#include <hiredis/hiredis.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "target.h"

#define SERIAL "000000000000"
#define SERIAL_LEN (sizeof(SERIAL) - 1)
#define SERIALS_MAX 8

struct redis_target {
	struct target base;
	redisContext *redis;
	char *command;
	size_t command_len;
	char *serial[SERIALS_MAX]; /* where the command has the number of its call */
	size_t serials;
	int64_t first;
	bool waits; /* not all has been written */
};

static void number_command(struct redis_target *target, int64_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%012" PRId64, target->first + number);
	for (size_t i = 0; i < target->serials; i++)
		memcpy(target->serial[i], digits, SERIAL_LEN);
}

static bool redis_submit(struct target *base, struct call *call, struct err *err)
{
	struct redis_target *target = container_of(base, struct redis_target, base);

	number_command(target, call->number);
	if (redisAppendFormattedCommand(target->redis, target->command, target->command_len) != REDIS_OK)
		return err_set(err, ERR_INTERNAL, "redis: %s", target->redis->errstr);
	call->sent_ns = now_ns();
	return true;
}

static bool redis_flush(struct target *base, struct err *err)
{
	struct redis_target *target = container_of(base, struct redis_target, base);
	int all = 0;

	if (redisBufferWrite(target->redis, &all) != REDIS_OK)
		return err_set(err, ERR_UNAVAILABLE, "redis: %s", target->redis->errstr);
	target->waits = !all;
	return true;
}

static size_t redis_wants(struct target *base, struct pollfd *fds)
{
	struct redis_target *target = container_of(base, struct redis_target, base);

	fds[0] = (struct pollfd){.fd = target->redis->fd, .events = (short)(target->waits ? POLLIN | POLLOUT : POLLIN)};
	return 1;
}

static bool redis_receive(struct target *base, size_t index, struct err *err)
{
	struct redis_target *target = container_of(base, struct redis_target, base);
	struct calls *calls = base->calls;
	void *answer = NULL;

	(void)index;
	if (redisBufferRead(target->redis) != REDIS_OK)
		return err_set(err, ERR_UNAVAILABLE, "redis: %s", target->redis->errstr);
	while (redisGetReplyFromReader(target->redis, &answer) == REDIS_OK && answer != NULL) {
		redisReply *reply = answer;
		bool failed = reply->type == REDIS_REPLY_ERROR;
		calls_finish(calls, &calls->call[calls->done], failed ? OUTCOME_FAILED : OUTCOME_ANSWERED,
			failed ? reply->str : NULL);
		freeReplyObject(reply);
		answer = NULL;
	}
	if (target->redis->err)
		return err_set(err, ERR_UNAVAILABLE, "redis: %s", target->redis->errstr);
	return true;
}

static void redis_free(struct target *base)
{
	struct redis_target *target = container_of(base, struct redis_target, base);

	if (target->redis != NULL)
		redisFree(target->redis);
	free(target->command);
	free(target);
}

static bool read_command(struct redis_target *target, const char *path, struct err *err)
{
	FILE *file = fopen(path, "rb");
	char *at, *end;

	if (file == NULL)
		return err_set(err, ERR_INVALID, "--command: %s: %s", path, strerror(errno));
	target->command = mem_zalloc(1, 1 << 16);
	target->command_len = fread(target->command, 1, 1 << 16, file);
	fclose(file);
	end = target->command + target->command_len;
	for (char *from = target->command; target->serials < SERIALS_MAX; from = at + SERIAL_LEN) {
		at = memmem(from, (size_t)(end - from), SERIAL, SERIAL_LEN);
		if (at == NULL)
			break;
		target->serial[target->serials++] = at;
	}
	return true;
}

struct target *redis_target_new(
	const char *socket, const char *command_file, int64_t first, struct calls *calls, struct err *err)
{
	static const struct target_ops ops = {redis_submit, redis_flush, redis_wants, redis_receive, redis_free};
	struct redis_target *target = mem_zalloc(1, sizeof(*target));

	target->base = (struct target){.ops = &ops, .calls = calls};
	target->first = first;
	if (!read_command(target, command_file, err)) {
		redis_free(&target->base);
		return NULL;
	}
	target->redis = redisConnectUnixNonBlock(socket);
	if (target->redis == NULL || target->redis->err) {
		err_set(err, ERR_UNAVAILABLE, "--redis: %s: %s", socket,
			target->redis ? target->redis->errstr : "out of memory");
		redis_free(&target->base);
		return NULL;
	}
	return &target->base;
}
