/* Opens connections that no link manages. */
#include "redis/link/side.h"

#include "base/observe/log.h"

/* In the clear if the url says so, and only then. */
static bool secure(struct redis_side *side, redisAsyncContext *context)
{
	struct err err;

	if (!side->url.tls)
		return true;
	if (!side->tls && !redis_tls_new(&side->url, side->tls_ca, &side->tls, &err)) {
		log_error("redis cannot be listened to", F("why", err.text));
		return false;
	}
	return redis_tls_begin(side->tls, &context->c);
}

static void introduce(const struct redis_side *side, redisAsyncContext *context)
{
	const struct redis_url *url = &side->url;

	if (url->password[0] && url->user[0])
		redisAsyncCommand(context, side->introduced, NULL, "AUTH %s %s", url->user, url->password);
	else if (url->password[0])
		redisAsyncCommand(context, side->introduced, NULL, "AUTH %s", url->password);
}

redisAsyncContext *redis_side_open(struct redis_side *side)
{
	redisAsyncContext *context = side->url.path[0] ? redisAsyncConnectUnix(side->url.path)
						       : redisAsyncConnect(side->url.host, side->url.port);

	if (!context || context->err || !secure(side, context) || !redis_attach(context, side->flusher)) {
		if (context)
			redisAsyncFree(context);
		return NULL;
	}
	context->data = side->data;
	redisAsyncSetConnectCallback(context, side->connected);
	redisAsyncSetDisconnectCallback(context, side->disconnected);
	introduce(side, context);
	return context;
}
