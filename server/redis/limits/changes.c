/*
 * struct changes_store on Redis. With RESP2, which hiredis 0.14 speaks, Redis sends the messages of CLIENT TRACKING to
 * another connection than the one that reads the keys: `hearing` subscribes to them, `asking` reads (EXISTS).
 *
 * Both belong together: when one ends, Redis no longer sends messages about what was read, so the other one ends too.
 * Signs of life: `hearing` subscribes once more (hiredis supports no PING there), which Redis answers after the messages
 * before it; `asking` asks for the time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "redis/limits/private.h"
#include "redis/connect/errors.h"
#include "redis/link/side.h"

#define CHANNEL "__redis__:invalidate"
#define UNUSED_US INT64_C(2000000) /* signs of life are asked for while somebody has looked this recently */
#define SILENT_US INT64_C(3000000) /* one that is not answered for so long ends the session */
enum { CONNECT_MS = 2000, PAUSE_MS = 100, FAILED_MS = 1000, REFUSED_MS = 60000, PERIOD_MIN_MS = 10 };

enum changes_state { CHANGES_DOWN, CHANGES_CONNECTING, CHANGES_UP };

/* The pending question for a sign of life, to both connections. */
struct sign {
	bool pending, heard, answered;
	int64_t sent_us, ahead_us, time_us;
};

struct redis_changes {
	struct changes_store store;
	struct redis_link *checks; /* the link that checks use */
	uint64_t connections; /* of it, when this session began */
	struct redis_flusher flusher;
	uv_timer_t timer; /* connects, ends an attempt, or asks for a sign of life */
	int open_handles;
	bool closing, refused;
	struct redis_side side;
	redisAsyncContext *hearing, *asking; /* NULL between sessions */
	enum changes_state state;
	int64_t period_ms, used_us;
	struct sign sign;
	struct changes_view view;
	uint64_t sessions, ticket;
	struct buf key;
};

static void on_timer(uv_timer_t *timer);

static void timer_in(struct redis_changes *changes, int64_t ms)
{
	uv_update_time(changes->timer.loop);
	uv_timer_start(&changes->timer, on_timer, (uint64_t)ms, 0);
}

/* Ends the session. The contexts may be ending by themselves: then hiredis frees them. */
static void session_end(struct redis_changes *changes, const redisAsyncContext *ended)
{
	redisAsyncContext *const contexts[] = {changes->hearing, changes->asking};
	int64_t pause_ms = changes->refused ? REFUSED_MS : changes->state == CHANGES_UP ? PAUSE_MS : FAILED_MS;

	changes->hearing = changes->asking = NULL;
	changes->state = CHANGES_DOWN;
	changes->view = (struct changes_view){0};
	changes->sign = (struct sign){0};
	for (int i = 0; i < 2; i++) {
		if (!contexts[i] || contexts[i] == ended)
			continue;
		contexts[i]->data = NULL;
		redisAsyncFree(contexts[i]);
	}
	if (!changes->closing)
		timer_in(changes, pause_ms);
}

/* Redis answered with an error. Another user's rights, or another Redis, may be better. */
static void refuse(struct redis_changes *changes, const char *text, const redisAsyncContext *ended)
{
	if (!redis_error_passes(redis_error_of(text))) {
		if (!changes->refused)
			log_warn("denials are not remembered: Redis does not report changes", F("why", text));
		changes->refused = true;
	}
	session_end(changes, ended);
}

/* The context's owner; NULL when the context no longer belongs to a session. Redis's errors end the session. */
static struct redis_changes *owner_of(const redisAsyncContext *context, const redisReply *reply)
{
	struct redis_changes *changes = context->data;

	if (!changes || !reply || (context != changes->hearing && context != changes->asking))
		return NULL;
	if (reply->type != REDIS_REPLY_ERROR)
		return changes;
	refuse(changes, reply->str, NULL);
	return NULL;
}

static void sign_come(struct redis_changes *changes)
{
	struct sign *sign = &changes->sign;

	if (!sign->heard || !sign->answered)
		return;
	sign->pending = false;
	if (clock_was_set(sign->ahead_us))
		return;
	changes->view.heard_us = sign->sent_us;
	changes->view.time_us = sign->time_us;
	changes->view.ahead_us = sign->ahead_us;
}

static void on_time(redisAsyncContext *context, void *data, void *privdata)
{
	const redisReply *reply = data;
	struct redis_changes *changes = owner_of(context, reply);

	(void)privdata;
	if (!changes || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return;
	changes->sign.time_us =
		strtoll(reply->element[0]->str, NULL, 10) * 1000000 + strtoll(reply->element[1]->str, NULL, 10);
	changes->sign.answered = true;
	sign_come(changes);
}

static void key_changed(const redisReply *key)
{
	enum account_kind kind;
	char tenant[ID_MAX + 1], id[ID_MAX + 1];

	if (key->type == REDIS_REPLY_STRING && key_account_parse(key->str, (size_t)key->len, &kind, tenant, id))
		change_note(kind, tenant, id);
}

/* ["subscribe", channel, 1] or ["message", channel, keys]; nil in place of the keys: all keys are gone. */
static void on_message(redisAsyncContext *context, void *data, void *privdata)
{
	const redisReply *reply = data;
	struct redis_changes *changes = owner_of(context, reply);

	(void)privdata;
	if (!changes || reply->type != REDIS_REPLY_ARRAY || reply->elements < 3)
		return;
	if (strcmp(reply->element[0]->str, "subscribe") == 0) {
		if (!changes->sign.pending)
			return;
		changes->sign.heard = true;
		sign_come(changes);
	} else if (reply->element[2]->type != REDIS_REPLY_ARRAY) {
		session_end(changes, NULL);
	} else {
		for (size_t i = 0; i < reply->element[2]->elements; i++)
			key_changed(reply->element[2]->element[i]);
	}
}

static void subscribe(struct redis_changes *changes)
{
	redisAsyncCommand(changes->hearing, on_message, NULL, "SUBSCRIBE " CHANNEL);
}

static void sign_ask(struct redis_changes *changes)
{
	changes->sign = (struct sign){.pending = true, .sent_us = clock_mono_us(), .ahead_us = clock_ahead_us()};
	subscribe(changes);
	redisAsyncCommand(changes->asking, on_time, NULL, "TIME");
}

/* Redis tracks what `asking` reads from now on. */
static void on_tracking(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_changes *changes = owner_of(context, data);

	(void)privdata;
	if (!changes)
		return;
	changes->refused = false;
	if (redis_link_connections(changes->checks) != changes->connections) {
		session_end(changes, NULL);
		return;
	}
	changes->state = CHANGES_UP;
	changes->view = (struct changes_view){.session = ++changes->sessions, .in_effect = changes->ticket};
	sign_ask(changes);
	timer_in(changes, changes->period_ms);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	struct redis_changes *changes = context->data;

	if (!changes || (context != changes->hearing && context != changes->asking))
		return;
	/* A refused SUBSCRIBE: hiredis ends the connection with the error's text. */
	if (status != REDIS_OK && redis_error_of(context->errstr) != REDIS_ERROR_COUNT)
		refuse(changes, context->errstr, context);
	else
		session_end(changes, context);
}

static void on_connect(const redisAsyncContext *context, int status)
{
	if (status != REDIS_OK)
		on_disconnect(context, status);
}

static void on_introduced(redisAsyncContext *context, void *data, void *privdata)
{
	(void)privdata;
	(void)owner_of(context, data);
}

/* Got the number of the connection to which the messages are to go. */
static void on_client_id(redisAsyncContext *context, void *data, void *privdata)
{
	const redisReply *reply = data;
	struct redis_changes *changes = owner_of(context, reply);

	(void)privdata;
	if (!changes)
		return;
	changes->asking = redis_side_open(&changes->side);
	if (!changes->asking) {
		session_end(changes, NULL);
		return;
	}
	redisAsyncCommand(
		changes->asking, on_tracking, NULL, "CLIENT TRACKING on REDIRECT %lld", (long long)reply->integer);
}

static void session_begin(struct redis_changes *changes)
{
	changes->connections = redis_link_connections(changes->checks);
	changes->hearing = redis_side_open(&changes->side);
	if (!changes->hearing) {
		session_end(changes, NULL);
		return;
	}
	changes->state = CHANGES_CONNECTING;
	redisAsyncCommand(changes->hearing, on_client_id, NULL, "CLIENT ID");
	subscribe(changes);
	timer_in(changes, CONNECT_MS);
}

static void on_timer(uv_timer_t *timer)
{
	struct redis_changes *changes = timer->data;
	int64_t now_us = clock_mono_us();
	bool used = now_us - changes->used_us < UNUSED_US;

	if (changes->state == CHANGES_CONNECTING ||
		(changes->state == CHANGES_UP && changes->sign.pending && now_us - changes->sign.sent_us > SILENT_US)) {
		session_end(changes, NULL);
	} else if (changes->state == CHANGES_DOWN) {
		if (used)
			session_begin(changes);
	} else if (used || changes->sign.pending) {
		if (!changes->sign.pending)
			sign_ask(changes);
		timer_in(changes, changes->period_ms);
	}
}

/* Wakes what rests while nobody looks. */
static void use(struct redis_changes *changes)
{
	changes->used_us = clock_mono_us();
	if (changes->state == CHANGES_UP && redis_link_connections(changes->checks) != changes->connections)
		session_end(changes, NULL);
	if (!uv_is_active((uv_handle_t *)&changes->timer))
		on_timer(&changes->timer);
}

static struct redis_changes *changes_of_store(struct changes_store *store)
{
	return container_of(store, struct redis_changes, store);
}

static void view(struct changes_store *store, struct changes_view *out)
{
	struct redis_changes *changes = changes_of_store(store);

	use(changes);
	*out = changes->view;
}

static void on_followed(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_changes *changes = owner_of(context, data);

	if (changes)
		changes->view.in_effect = (uint64_t)(uintptr_t)privdata;
}

static uint64_t follow(struct changes_store *store, const struct changes_account *account, int count)
{
	struct redis_changes *changes = changes_of_store(store);
	const char *argv[1 + ACCOUNTS_MAX] = {"EXISTS"};
	size_t lengths[1 + ACCOUNTS_MAX] = {6}, ends[ACCOUNTS_MAX] = {0};

	use(changes);
	if (changes->state != CHANGES_UP)
		return 0;
	buf_reset(&changes->key);
	for (int i = 0; i < count; i++) {
		key_account(&changes->key, account[i].kind, account[i].tenant, account[i].id);
		ends[i] = changes->key.len;
	}
	for (int i = 0; i < count; i++) {
		size_t begin = i ? ends[i - 1] : 0;

		argv[1 + i] = (const char *)changes->key.data + begin;
		lengths[1 + i] = ends[i] - begin;
	}
	changes->ticket++;
	redisAsyncCommandArgv(
		changes->asking, on_followed, (void *)(uintptr_t)changes->ticket, 1 + count, argv, lengths);
	return changes->ticket;
}

struct changes_store *redis_changes_new(const struct redis_options *options, struct limits_store *limits)
{
	static const struct changes_store_ops ops = {.follow = follow, .view = view};
	struct redis_changes *changes = mem_zalloc(1, sizeof(*changes));
	struct err err;

	changes->side = (struct redis_side){.flusher = &changes->flusher,
		.tls_ca = options->tls_ca,
		.connected = on_connect,
		.disconnected = on_disconnect,
		.introduced = on_introduced,
		.data = changes};
	if (!redis_url_parse(options->url, &changes->side.url, &err))
		abort(); /* `limits` was created with the same url */
	changes->store.ops = &ops;
	changes->checks = redis_limits_of(limits)->redis.link;
	changes->period_ms = options->changes_ms / 4 < PERIOD_MIN_MS ? PERIOD_MIN_MS : options->changes_ms / 4;
	redis_flusher_init(&changes->flusher, options->loop);
	uv_timer_init(options->loop, &changes->timer);
	changes->timer.data = changes;
	return &changes->store;
}

static void on_closed(uv_handle_t *handle)
{
	struct redis_changes *changes = handle->data;

	if (--changes->open_handles > 0)
		return;
	redis_tls_free(changes->side.tls);
	buf_release(&changes->key);
	free(changes);
}

void redis_changes_free(struct changes_store *store)
{
	struct redis_changes *changes = store ? changes_of_store(store) : NULL;
	uv_handle_t *handles[3];

	if (!changes)
		return;
	handles[0] = (uv_handle_t *)&changes->flusher.prepare;
	handles[1] = (uv_handle_t *)&changes->flusher.hold;
	handles[2] = (uv_handle_t *)&changes->timer;
	changes->closing = true;
	session_end(changes, NULL);
	changes->open_handles = 3;
	for (int i = 0; i < 3; i++) {
		handles[i]->data = changes;
		uv_close(handles[i], on_closed);
	}
}
