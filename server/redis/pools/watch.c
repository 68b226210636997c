/*
 * The watch, using publish and subscribe of Redis. The subscribed channels show who is watching: `b:w`, on which
 * everything is published, and for each user watched by name one that nobody publishes on, `b:w:5:tenant:user`, with
 * the tenant's length in front, since ids may contain anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "redis/link/listener.h"
#include "redis/pools/private.h"

#define CHANNEL "b:w"
#define TIMEOUT_US INT64_C(2000000)
enum { USERS_READ = 1024 };

struct redis_watch {
	struct watch_store store;
	struct redis_link *link; /* the pools' */
	struct redis_listener *listener;
	struct arena arena; /* for one answer */
	void (*looked)(bool watched, const struct watch_user *user, int users, void *arg);
	void *looked_arg;
	void (*told)(int listeners, void *arg);
	void *told_arg;
	void (*heard)(const void *report, size_t len, void *arg);
	void (*listening)(void *arg);
	void *arg;
};

static struct redis_watch *watch_of(struct watch_store *store)
{
	return container_of(store, struct redis_watch, store);
}

static struct redis_command *begin(struct redis_watch *watch,
	void (*done)(struct redis_command *command, const redisReply *reply, const struct err *err))
{
	return redis_command_new(watch->link, done, watch);
}

/* "5:tenant:user" */
static bool user_read(const char *text, size_t len, struct arena *arena, struct watch_user *out)
{
	const char *colon = memchr(text, ':', len), *end = text + len;
	size_t tenant = 0;

	for (const char *p = text; colon && p < colon; p++) {
		if (*p < '0' || *p > '9' || tenant > ID_MAX)
			return false;
		tenant = tenant * 10 + (size_t)(*p - '0');
	}
	if (!colon || tenant > ID_MAX || (size_t)(end - colon) < tenant + 2 || colon[1 + tenant] != ':')
		return false;
	out->tenant = arena_strndup(arena, colon + 1, tenant);
	out->user = arena_strndup(arena, colon + tenant + 2, (size_t)(end - colon) - tenant - 2);
	return true;
}

/* Got the channels that have subscribers. */
static void look_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	static const size_t prefix = sizeof(CHANNEL) - 1;
	struct redis_watch *watch = command->user;
	struct watch_user *user = arena_zalloc(&watch->arena, USERS_READ, sizeof(*user));
	bool watched = false;
	int users = 0;

	for (size_t i = 0; !err && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		const redisReply *name = reply->element[i];
		size_t len = name->type == REDIS_REPLY_STRING ? (size_t)name->len : 0;

		if (len == prefix)
			watched = true;
		else if (len > prefix && name->str[prefix] == ':' && users < USERS_READ &&
			 user_read(name->str + prefix + 1, len - prefix - 1, &watch->arena, &user[users]))
			users++;
	}
	watch->looked(watched, user, users, watch->looked_arg);
	arena_reset(&watch->arena);
}

static void look(struct watch_store *store,
	void (*looked)(bool watched, const struct watch_user *user, int users, void *arg), void *arg)
{
	struct redis_watch *watch = watch_of(store);
	struct redis_command *command = begin(watch, look_done);

	watch->looked = looked;
	watch->looked_arg = arg;
	redis_arg_text(command, "PUBSUB");
	redis_arg_text(command, "CHANNELS");
	redis_arg_text(command, CHANNEL "*");
	redis_send(command, clock_mono_us() + TIMEOUT_US);
}

static void publish_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct redis_watch *watch = command->user;
	bool known = !err && reply->type == REDIS_REPLY_INTEGER;

	watch->told(known ? (int)reply->integer : -1, watch->told_arg);
}

static void tell(
	struct watch_store *store, const void *report, size_t len, void (*told)(int listeners, void *arg), void *arg)
{
	struct redis_watch *watch = watch_of(store);
	struct redis_command *command = begin(watch, publish_done);

	watch->told = told;
	watch->told_arg = arg;
	redis_arg_text(command, "PUBLISH");
	redis_arg_text(command, CHANNEL);
	redis_arg(command, report, len);
	redis_send(command, clock_mono_us() + TIMEOUT_US);
}

static void on_heard(const char *bytes, size_t len, void *arg)
{
	struct redis_watch *watch = arg;

	watch->heard(bytes, len, watch->arg);
}

static void on_listening(void *arg)
{
	struct redis_watch *watch = arg;

	watch->listening(watch->arg);
}

static void listen_(struct watch_store *store, void (*heard)(const void *report, size_t len, void *arg),
	void (*listening)(void *arg), void *arg)
{
	struct redis_watch *watch = watch_of(store);

	watch->heard = heard;
	watch->listening = listening;
	watch->arg = arg;
	redis_listener_start(watch->listener);
}

static void hush(struct watch_store *store)
{
	redis_listener_stop(watch_of(store)->listener);
}

static void channel_put(struct buf *out, const struct watch_user *user)
{
	buf_putf(out, CHANNEL ":%zu:%s:%s", strlen(user->tenant), user->tenant, user->user);
}

static void mind(struct watch_store *store, const struct watch_user *user)
{
	struct buf name = {0};

	channel_put(&name, user);
	redis_listener_add(watch_of(store)->listener, name.data, name.len);
	buf_release(&name);
}

static void forget(struct watch_store *store, const struct watch_user *user)
{
	struct buf name = {0};

	channel_put(&name, user);
	redis_listener_remove(watch_of(store)->listener, name.data, name.len);
	buf_release(&name);
}

static const struct watch_store_ops ops = {
	.look = look,
	.tell = tell,
	.listen = listen_,
	.hush = hush,
	.mind = mind,
	.forget = forget,
};

struct watch_store *redis_watch_new(const struct redis_options *options, struct pools_store *pools)
{
	struct redis_watch *watch = mem_zalloc(1, sizeof(*watch));

	watch->store.ops = &ops;
	watch->link = container_of(pools, struct redis_pools, store)->redis.link;
	watch->listener = redis_listener_new(&(struct redis_listener_options){
		.loop = options->loop,
		.url = options->url,
		.tls_ca = options->tls_ca,
		.channel = CHANNEL,
		.heard = on_heard,
		.listening = on_listening,
		.arg = watch,
	});
	return &watch->store;
}

void redis_watch_free(struct watch_store *store)
{
	struct redis_watch *watch = store ? watch_of(store) : NULL;

	if (!watch)
		return;
	redis_listener_free(watch->listener);
	arena_release(&watch->arena);
	free(watch);
}
