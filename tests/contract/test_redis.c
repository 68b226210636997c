/*
 * Runs the cases on the Lua functions, in a Redis of the test's own: as they are, and with every check on the general
 * path. Both leave the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cases.h"
#include "redis.h"
#include "redis_server.h"

enum { CASES_MAX = 512 };

/* A line for each key: its name and what it holds, without what is drawn in each run (nonces, generations, ids of entries). */
static const char look_script[] =
	"local keys, lines = redis.call('KEYS', 'b:{*'), {} table.sort(keys) "
	"for i, key in ipairs(keys) do local kind, value = redis.call('TYPE', key).ok, '' "
	"if kind == 'string' then value = redis.call('GET', key) "
	"if string.find(key, '^b:{p%d+}:t:') then value = string.gsub(value, '(........)........(.......)', '%1%2') "
	"elseif string.find(key, '^b:{p%d+}:[qr]:') then value = string.sub(value, 1, #value - 8 * string.byte(value, 4)) end "
	"elseif kind == 'zset' then value = table.concat(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), ' ') "
	"elseif kind == 'stream' then for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do "
	"value = value .. entry[2][2] end end "
	"if string.sub(key, -4) ~= ':gen' then "
	"value = string.gsub(value, '.', function(c) return string.format('%02x', string.byte(c)) end) "
	"lines[#lines + 1] = key .. ' ' .. value end "
	"end return table.concat(lines, '\\n')";

static struct {
	char name[160];
	struct buf bytes;
} left[CASES_MAX]; /* by each case of the first run */
static int left_count;

static redisReply *look(void)
{
	redisContext *redis = redis_server_connect();
	redisReply *reply = redisCommand(redis, "EVAL %s 0", look_script);

	redisFree(redis);
	if (!reply || reply->type != REDIS_REPLY_STRING)
		fail_msg("%s", reply ? reply->str : "redis does not answer");
	return reply;
}

static void remember(const char *name, struct backend *backend)
{
	redisReply *reply = look();

	(void)backend;
	assert_true(left_count < CASES_MAX);
	snprintf(left[left_count].name, sizeof(left[left_count].name), "%s", name);
	buf_put(&left[left_count++].bytes, reply->str, (size_t)reply->len);
	freeReplyObject(reply);
}

static void compare(const char *name, struct backend *backend)
{
	redisReply *reply = look();

	(void)backend;
	for (int i = 0; i < left_count; i++)
		if (strcmp(left[i].name, name) == 0)
			assert_string_equal(reply->str, buf_str(&left[i].bytes));
	freeReplyObject(reply);
}

int main(void)
{
	int failed = cases_run(&backend_redis, remember);

	failed += cases_run(&backend_redis_general, compare);
	for (int i = 0; i < left_count; i++)
		buf_release(&left[i].bytes);
	return failed;
}
