/* The check of Redis at startup: can Bursar run on it? */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <sys/time.h>

#include "redis/connect/errors.h"
#include "redis/stores.h"
#include "redis/connect/tls.h"
#include "redis/connect/url.h"

/* NULL, and why in `err`. */
static redisContext *dial(const struct redis_url *url, struct redis_tls *tls, struct err *err)
{
	const struct timeval second = {.tv_sec = 1};
	redisContext *context = url->path[0] ? redisConnectUnixWithTimeout(url->path, second)
					     : redisConnectWithTimeout(url->host, url->port, second);

	if (context && !context->err && redisSetTimeout(context, second) == REDIS_OK &&
		(!tls || redis_tls_begin(tls, context)))
		return context;
	if (redis_tls_trouble(tls))
		err_set(err, ERR_UNAVAILABLE, "redis: %s", redis_tls_trouble(tls));
	else
		err_set(err, ERR_UNAVAILABLE, "redis: cannot be reached");
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

static bool look(const struct redis_url *url, struct redis_tls *tls, struct err *err)
{
	redisContext *context;
	redisReply *reply;
	bool ok;

	context = dial(url, tls, err);
	if (!context)
		return false;
	reply = ask(context, url, err);
	ok = reply && redis_info_check(reply->str ? reply->str : "", err);
	freeReplyObject(reply);
	redisFree(context);
	return ok;
}

bool redis_check(const char *text, const char *tls_ca, struct err *err)
{
	struct redis_url url;
	struct redis_tls *tls;
	bool ok;

	if (!redis_url_parse(text, &url, err) || !redis_tls_new(&url, tls_ca, &tls, err))
		return false;
	ok = look(&url, tls, err);
	redis_tls_free(tls);
	return ok;
}
