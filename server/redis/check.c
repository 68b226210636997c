/* One look at Redis before a process starts: is it one that Bursar may run on? */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "redis/stores.h"
#include "redis/url.h"

enum { OLDEST_MAJOR = 7 };

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

static redisReply *ask(redisContext *context, const struct redis_url *url)
{
	redisReply *reply = NULL;

	if (url->password[0] && url->user[0])
		reply = redisCommand(context, "AUTH %s %s", url->user, url->password);
	else if (url->password[0])
		reply = redisCommand(context, "AUTH %s", url->password);
	if (reply)
		freeReplyObject(reply);
	return redisCommand(context, "INFO");
}

/* The text behind "name:" in the answer to INFO; "" when it is not there. */
static const char *info_of(const char *info, const char *name, size_t *len)
{
	size_t name_len = strlen(name);

	for (const char *line = info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
			*len = strcspn(line + name_len + 1, "\r\n");
			return line + name_len + 1;
		}
	}
	*len = 0;
	return "";
}

static bool info_check(const char *info, struct err *err)
{
	size_t version_len, policy_len;
	const char *version = info_of(info, "redis_version", &version_len);
	const char *policy = info_of(info, "maxmemory_policy", &policy_len);

	if (version_len && strtol(version, NULL, 10) < OLDEST_MAJOR)
		return err_set(err, ERR_PRECONDITION, "redis: is version %.*s; Bursar needs 7.0 or newer (functions)",
			(int)version_len, version);
	if (policy_len && (policy_len != strlen("noeviction") || strncmp(policy, "noeviction", policy_len) != 0))
		return err_set(err, ERR_PRECONDITION,
			"redis: its maxmemory-policy is %.*s, which drops limits; set it to noeviction",
			(int)policy_len, policy);
	return true;
}

bool redis_check(const char *text, struct err *err)
{
	struct redis_url url;
	redisContext *context;
	redisReply *reply;
	bool ok = true;

	if (!redis_url_parse(text, &url, err))
		return false;
	context = dial(&url);
	if (!context)
		return true;
	reply = ask(context, &url);
	if (reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOAUTH", 6) == 0)
		ok = err_set(err, ERR_PRECONDITION, "redis: wants a password; put it into the option redis");
	else if (reply && (reply->type == REDIS_REPLY_STRING))
		ok = info_check(reply->str, err);
	if (reply)
		freeReplyObject(reply);
	redisFree(context);
	return ok;
}
