/* The check of Redis at startup: can Bursar run on it? */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <sys/time.h>

#include "redis/link/errors.h"
#include "redis/stores.h"
#include "redis/link/url.h"

static redisContext *dial(const struct redis_url *url)
{
	const struct timeval second = {.tv_sec = 1};
	redisContext *context = url->path[0] ? redisConnectUnixWithTimeout(url->path, second)
					     : redisConnectWithTimeout(url->host, url->port, second);

	if (context && !context->err && redisSetTimeout(context, second) == REDIS_OK)
		return context;
	if (context)
		redisFree(context);
	return NULL;
}

/* The answer to a command that Redis may refuse; NULL, with the reason in `err`. */
static redisReply *answer(redisReply *reply, struct err *err)
{
	if (reply && reply->type != REDIS_REPLY_ERROR)
		return reply;
	if (reply)
		redis_error_set(err, reply->str);
	else
		err_set(err, ERR_UNAVAILABLE, "redis: does not answer");
	/* An unknown error is not a reason to exit: the links will ask again. */
	if (err)
		err->code = ERR_UNAVAILABLE;
	freeReplyObject(reply);
	return NULL;
}

static redisReply *ask(redisContext *context, const struct redis_url *url, struct err *err)
{
	redisReply *reply = NULL;

	if (url->password[0]) {
		reply = url->user[0] ? redisCommand(context, "AUTH %s %s", url->user, url->password)
				     : redisCommand(context, "AUTH %s", url->password);
		reply = answer(reply, err);
		if (!reply)
			return NULL;
		freeReplyObject(reply);
	}
	return answer(redisCommand(context, "INFO"), err);
}

bool redis_check(const char *text, struct err *err)
{
	struct redis_url url;
	redisContext *context;
	redisReply *reply;
	bool ok;

	if (!redis_url_parse(text, &url, err))
		return false;
	context = dial(&url);
	if (!context)
		return err_set(err, ERR_UNAVAILABLE, "redis: cannot be reached");
	reply = ask(context, &url, err);
	ok = reply && redis_info_check(reply->str ? reply->str : "", err);
	freeReplyObject(reply);
	redisFree(context);
	return ok;
}
