/*
 * Answers of our functions are strings. hiredis allocates two pieces for each and frees them right after the callback;
 * only one such answer exists at a time, because the next is read when the callback has returned. So it can always be
 * the same one. Arrays, their elements, errors and long strings are left to hiredis.
 */
#include "redis/connect/replies.h"

enum { LONG = 16384 };
/* Marks the reply that is ours: hiredis leaves the integer of its strings 0. */
#define OURS INT64_C(0x6275727361720001)

static void *string_make(const redisReadTask *task, char *text, size_t len)
{
	struct redis_replies *replies = task->privdata;

	if (task->parent || task->type != REDIS_REPLY_STRING || len > LONG)
		return replies->string(task, text, len);
	buf_reset(&replies->text);
	buf_put(&replies->text, text, len);
	replies->reply = (redisReply){
		.type = REDIS_REPLY_STRING, .integer = OURS, .str = replies->text.data, .len = replies->text.len};
	return &replies->reply;
}

static void reply_free(void *reply)
{
	const redisReply *is = reply;

	if (is && is->type == REDIS_REPLY_STRING && is->integer == OURS)
		return;
	freeReplyObject(reply);
}

void redis_replies_use(struct redis_replies *replies, redisAsyncContext *context)
{
	redisReader *reader = context->c.reader;

	replies->functions = *reader->fn;
	replies->string = reader->fn->createString;
	replies->functions.createString = string_make;
	replies->functions.freeObject = reply_free;
	reader->fn = &replies->functions;
	reader->privdata = replies;
}

void redis_replies_release(struct redis_replies *replies)
{
	buf_release(&replies->text);
}
