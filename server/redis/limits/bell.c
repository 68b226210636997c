/*
 * XREAD blocks on all outboxes, on a connection of its own; a record that Redis writes meanwhile is its answer. Whatever
 * is missed here, the role finds when it looks by itself, which it does less often while the bell works.
 */
#include "redis/limits/bell.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "domain/record/partition.h"
#include "redis/codec/store_private.h"
#include "redis/connect/errors.h"
#include "redis/link/side.h"

#define BLOCK_MS "5000"
#define SILENT_US INT64_C(10000000) /* a connection that does not answer for so long is given up */
#define PAUSE_US INT64_C(1000000) /* between attempts to connect */

struct redis_bell {
	struct redis_flusher flusher;
	struct redis_side side;
	int open_handles;
	redisAsyncContext *context; /* NULL between connections */
	int64_t tried_us; /* when it was opened */
	bool asked, refused;
	int64_t asked_us;
	void (*rung)(void *arg); /* NULL: nobody waits */
	void *arg;
};

static void drop(struct redis_bell *bell)
{
	redisAsyncContext *context = bell->context;

	bell->context = NULL;
	bell->asked = false;
	if (!context)
		return;
	context->data = NULL;
	redisAsyncFree(context);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct redis_bell *bell = context->data;

	(void)status;
	if (!bell || bell->context != context)
		return;
	bell->context = NULL; /* hiredis frees it */
	bell->asked = false;
}

static void on_connect(const redisAsyncContext *context, int status)
{
	if (status != REDIS_OK)
		on_disconnect(context, status);
}

static void ask(struct redis_bell *bell);

/* An array: there are entries. Nil: there was none for BLOCK_MS. An error is one that the calls meet as well. */
static void on_answer(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_bell *bell = context->data;
	const redisReply *reply = data;
	void (*rung)(void *arg) = bell ? bell->rung : NULL;

	(void)privdata;
	if (!bell || bell->context != context || !reply)
		return;
	bell->asked = false;
	if (reply->type == REDIS_REPLY_ERROR) {
		if (!bell->refused)
			log_info(
				"the ledger's outboxes are looked at from time to time: Redis does not tell of entries",
				F("why", reply->str));
		bell->refused = true;
		drop(bell);
		return;
	}
	bell->refused = false;
	if (!rung)
		return;
	if (reply->type != REDIS_REPLY_ARRAY) {
		ask(bell);
		return;
	}
	bell->rung = NULL;
	rung(bell->arg);
}

static void ask(struct redis_bell *bell)
{
	static const char *const head[] = {"XREAD", "COUNT", "1", "BLOCK", BLOCK_MS, "STREAMS"};
	enum { HEAD = sizeof(head) / sizeof(head[0]), ARGUMENTS = HEAD + 2 * PARTITIONS };
	const char *argv[ARGUMENTS];
	size_t lengths[ARGUMENTS];
	char names[PARTITIONS][24];

	for (int i = 0; i < HEAD; i++)
		argv[i] = head[i];
	for (int i = 0; i < PARTITIONS; i++) {
		struct buf name = buf_on(names[i], sizeof(names[i]));

		key_partition(&name, i, KEY_OUT);
		argv[HEAD + i] = name.data;
		argv[HEAD + PARTITIONS + i] = "0";
	}
	for (int i = 0; i < ARGUMENTS; i++)
		lengths[i] = strlen(argv[i]);
	bell->asked = redisAsyncCommandArgv(bell->context, on_answer, NULL, ARGUMENTS, argv, lengths) == REDIS_OK;
	bell->asked_us = clock_mono_us();
}

static void open_bell(struct redis_bell *bell)
{
	int64_t now_us = clock_mono_us();

	if (bell->context && bell->asked && now_us - bell->asked_us > SILENT_US)
		drop(bell);
	if (bell->context || now_us - bell->tried_us < PAUSE_US)
		return;
	bell->tried_us = now_us;
	bell->context = redis_side_open(&bell->side);
	if (bell->context && bell->side.url.db > 0)
		redisAsyncCommand(bell->context, NULL, NULL, "SELECT %d", bell->side.url.db);
}

bool redis_bell_await(struct redis_bell *bell, void (*rung)(void *arg), void *arg)
{
	bell->rung = rung;
	bell->arg = arg;
	if (!rung)
		return false;
	open_bell(bell);
	if (bell->context && !bell->asked)
		ask(bell);
	return bell->asked && !bell->refused;
}

struct redis_bell *redis_bell_new(const struct redis_options *options)
{
	struct redis_bell *bell = mem_zalloc(1, sizeof(*bell));
	struct err err;

	bell->side = (struct redis_side){.flusher = &bell->flusher,
		.tls_ca = options->tls_ca,
		.connected = on_connect,
		.disconnected = on_disconnect,
		.data = bell};
	if (!redis_url_parse(options->url, &bell->side.url, &err))
		abort(); /* a link with the same url was just created */
	bell->tried_us = -PAUSE_US;
	redis_flusher_init(&bell->flusher, options->loop);
	return bell;
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_bell *bell = handle->data;

	if (--bell->open_handles > 0)
		return;
	redis_tls_free(bell->side.tls);
	free(bell);
}

void redis_bell_free(struct redis_bell *bell)
{
	uv_handle_t *const handles[] = {(uv_handle_t *)&bell->flusher.prepare, (uv_handle_t *)&bell->flusher.hold};

	bell->rung = NULL;
	drop(bell);
	bell->open_handles = 2;
	for (int i = 0; i < 2; i++) {
		handles[i]->data = bell;
		uv_close(handles[i], on_closed);
	}
}
