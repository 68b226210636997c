/*
 * How a link checks itself. Behind a balancer nobody calls a bursard that is not ready, so its readiness must not
 * depend on anything that only a call would reveal. The probe calls a function that does nothing but is declared as
 * writing: Redis refuses it for the same reasons as a check (full, a replica, loading, ...). What Redis is (evicting, a
 * cluster) is asked from time to time, by INFO.
 */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "base/units.h"
#include "redis/link/link_private.h"

enum { WELL_MS = 1000, ILL_MS = 250 };
#define IDLE_US INT64_C(900000)
#define LATE_US SECOND_US /* without an answer: not ready */
#define SILENCE_US INT64_C(3000000) /* the connection is considered dead */
#define CONNECT_US SECOND_US /* for the other machine to accept the connection */
#define INTRODUCE_US INT64_C(10000000) /* for the first answer of Redis: if it hangs, its machine still accepts */
#define AGAIN_US INT64_C(500000) /* between two introductions to a Redis that is refused */
#define INFO_US INT64_C(5000000)
#define SAY_US INT64_C(30000000)

/* Each trouble is logged once when it begins, every half minute while it lasts, and when it ends, however many links
 * have it. */
static struct {
	pthread_mutex_t lock;
	int links[REDIS_ERROR_COUNT];
	int64_t said_us[REDIS_ERROR_COUNT];
} told = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void tell(enum redis_error error, const struct err *why, int links)
{
	int64_t now_us = clock_mono_us();
	bool begins, ends, repeats;

	if (error == REDIS_ERROR_COUNT)
		return;
	pthread_mutex_lock(&told.lock);
	begins = links > 0 && told.links[error] == 0;
	told.links[error] += links;
	ends = links < 0 && told.links[error] == 0;
	repeats = links == 0 && now_us - told.said_us[error] >= SAY_US;
	if (begins || repeats)
		told.said_us[error] = now_us;
	pthread_mutex_unlock(&told.lock);
	if (begins || repeats)
		log_error("redis refuses calls", F("why", why->text));
	if (ends)
		log_info("redis accepts calls again", F("why", why->text));
}

void probe_clear(struct redis_link *link)
{
	struct redis_probe *probe = &link->probe;

	if (!probe->trouble.code)
		return;
	tell(probe->error, &probe->trouble, -1);
	probe->trouble = (struct err){0};
	probe->error = REDIS_ERROR_COUNT;
}

void probe_trouble(struct redis_link *link, const char *text, const struct err *why)
{
	struct redis_probe *probe = &link->probe;
	enum redis_error error = redis_error_of(text);
	bool same = probe->trouble.code && probe->error == error;

	if (!same)
		probe_clear(link);
	probe->trouble = *why;
	probe->error = error;
	tell(error, &probe->trouble, same ? 0 : 1);
}

static void next_look(struct redis_link *link);

static void answered_well(struct redis_link *link, int64_t now_us)
{
	struct redis_probe *probe = &link->probe;

	probe_clear(link);
	probe->well_us = now_us;
	/* A slow Redis is worse than none: only one that is fast enough for calls closes the breaker. */
	if (now_us - probe->sent_us <= link->timeout_us)
		link->failures = 0;
}

static void on_answer(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_link *link = context->data;
	const redisReply *reply = data;
	int64_t now_us = clock_mono_us();
	struct err why;

	(void)privdata;
	if (!reply || link->context != context)
		return;
	link->heard_us = now_us;
	if (reply->type != REDIS_REPLY_ERROR) {
		answered_well(link, now_us);
	} else if (strstr(reply->str, "Function not found")) {
		link->probe.well_us = 0;
		link_load_library(link);
	} else {
		redis_error_set(&why, reply->str);
		probe_trouble(link, reply->str, &why);
	}
	link->probe.sent_us = 0;
	if (link->probe.trouble.code && link->probe.error == REDIS_ERROR_READONLY) {
		link->backoff_ms = ILL_MS; /* the address may lead to the new master then */
		link_drop(link, link->probe.trouble.text);
	}
	next_look(link);
}

static void ask(struct redis_link *link, int64_t now_us)
{
	const char *name = link->library->names[FUNCTION_READY];

	if (redisAsyncCommand(link->context, on_answer, NULL, "FCALL %s 0", name) == REDIS_OK)
		link->probe.sent_us = now_us;
}

static void look_connecting(struct redis_link *link, int64_t now_us)
{
	bool taken = link->context->c.flags & REDIS_CONNECTED;

	if (link->introduced_us <= link->probe.info_us) {
		if (now_us - link->introduced_us >= AGAIN_US)
			link_introduce(link);
	} else if (!taken && now_us - link->begun_us >= CONNECT_US) {
		link_drop(link, REDIS_UNREACHABLE);
	} else if (now_us - link->introduced_us >= INTRODUCE_US) {
		link_drop(link, "redis: does not answer");
	}
}

static void look_up(struct redis_link *link, int64_t now_us)
{
	struct redis_probe *probe = &link->probe;
	bool introducing = link->introduced_us > probe->info_us;

	if (probe->sent_us && now_us - probe->sent_us >= SILENCE_US) {
		link_drop(link, "redis: does not answer");
		return;
	}
	if (!introducing && now_us - link->introduced_us >= (link->refused.code ? AGAIN_US : INFO_US))
		link_introduce(link);
	if (!probe->sent_us && (!redis_link_ready(link, NULL) || now_us - link->heard_us >= IDLE_US))
		ask(link, now_us);
}

static void on_look(uv_timer_t *timer)
{
	struct redis_link *link = container_of(timer, struct redis_link, probe.timer);
	int64_t now_us = clock_mono_us();

	if (link->state == LINK_CONNECTING)
		look_connecting(link, now_us);
	else if (link->state == LINK_UP)
		look_up(link, now_us);
	next_look(link);
}

static void next_look(struct redis_link *link)
{
	if (!link->closing)
		uv_timer_start(&link->probe.timer, on_look, redis_link_ready(link, NULL) ? WELL_MS : ILL_MS, 0);
}

void probe_init(struct redis_link *link, uv_loop_t *loop)
{
	link->probe.error = REDIS_ERROR_COUNT;
	uv_timer_init(loop, &link->probe.timer);
	next_look(link);
}

void probe_begin(struct redis_link *link)
{
	if (link->state == LINK_UP && !link->probe.sent_us)
		ask(link, clock_mono_us());
}

void probe_end(struct redis_link *link)
{
	link->probe.sent_us = link->probe.well_us = 0;
	if (link->closing)
		probe_clear(link);
}

void probe_soon(struct redis_link *link)
{
	if (!link->probe.trouble.code)
		probe_begin(link);
}

static bool fails(struct err *why, const struct err *because)
{
	if (why)
		*why = *because;
	return false;
}

bool redis_link_ready(const struct redis_link *link, struct err *why)
{
	const struct redis_probe *probe = &link->probe;
	bool late = probe->sent_us && clock_mono_us() - probe->sent_us >= LATE_US;

	if (link->refused.code)
		return fails(why, &link->refused);
	if (probe->trouble.code)
		return fails(why, &probe->trouble);
	if (link->state != LINK_UP && link->lost.code)
		return fails(why, &link->lost);
	if (link->state != LINK_UP || !probe->well_us)
		return err_set(why, ERR_UNAVAILABLE, "redis: has not answered yet");
	if (late || link->failures >= link->breaker_failures)
		return err_set(why, ERR_UNAVAILABLE, "redis: does not answer in time");
	return true;
}
