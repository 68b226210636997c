/* Where hiredis puts answers: one at a time in memory that is used again and again. */
#ifndef BURSAR_REDIS_CONNECT_REPLIES_H
#define BURSAR_REDIS_CONNECT_REPLIES_H

#include <hiredis/async.h>

#include "base/buf.h"

/* One per link, embedded; `struct redis_replies r = {0}` is ready to use. It outlives the contexts that use it. */
struct redis_replies {
	redisReplyObjectFunctions functions;
	void *(*string)(const redisReadTask *task, char *text, size_t len); /* hiredis's own */
	redisReply reply; /* the answer that is being handled, if it is a string of moderate length: nearly all are */
	struct buf text;
};

/* The context's answers go there from now on. */
void redis_replies_use(struct redis_replies *replies, redisAsyncContext *context);
void redis_replies_release(struct redis_replies *replies);

#endif
