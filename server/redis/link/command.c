/* Commands over a link: arguments, deadlines, resending, the breaker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/metrics.h"
#include "base/observe/spans.h"
#include "redis/link/link_private.h"

enum { HEAD_ROOM = 16 };
#define AGAIN_US INT64_C(5000)
/* Pause before an owed command is sent again: it has time. */
#define OWED_AGAIN_US INT64_C(100000)
/* Pause before reconnecting after meeting a replica: the address may lead to the new master then. */
enum { REPLICA_MS = 50 };
/* After this long without an answer, while commands wait, the connection is considered dead. */
#define SILENCE_US INT64_C(3000000)

struct redis_command *redis_command_new(struct redis_link *link,
	void (*done)(struct redis_command *command, const redisReply *reply, const struct err *err), void *user)
{
	struct list *unused = list_pop_front(&link->unused);
	struct redis_command *command =
		unused ? container_of(unused, struct redis_command, link) : mem_zalloc(1, sizeof(*command));
	struct buf bytes = command->bytes;

	*command = (struct redis_command){.user = user, .done = done, .owner = link, .bytes = bytes};
	list_init(&command->link);
	buf_reset(&command->bytes);
	buf_reserve(&command->bytes, HEAD_ROOM);
	command->bytes.len = HEAD_ROOM;
	return command;
}

static void command_free(struct redis_command *command)
{
	buf_release(&command->bytes);
	free(command);
}

static void command_release(struct redis_command *command)
{
	list_remove(&command->link);
	list_push_back(&command->owner->unused, &command->link);
}

/* Sees to it that the timer fires by then. */
static void link_wake_at(struct redis_link *link, int64_t at_us)
{
	int64_t wait_us;

	if (link->closing || (link->timer_at_us && link->timer_at_us <= at_us))
		return;
	wait_us = at_us - clock_mono_us();
	link->timer_at_us = at_us;
	/* The loop's time does not advance while callbacks run; timers count from it. */
	uv_update_time(link->deadlines.loop);
	uv_timer_start(&link->deadlines, commands_timer, wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0, 0);
}

/* Inserts into a list ordered by deadline; new ones belong near the end. */
static void insert_by_deadline(struct list *list, struct redis_command *command)
{
	struct list *at = list->prev;

	while (at != list && container_of(at, struct redis_command, link)->deadline_us > command->deadline_us)
		at = at->prev;
	list_remove(&command->link);
	list_insert(at->next, &command->link);
}

static void fail_soon(struct redis_command *command, unsigned cause, enum err_code code, const char *text)
{
	struct redis_link *link = command->owner;

	metric_inc(METRIC_redis_errors_total, cause, 0);
	err_set(&command->err, code, "%s", text);
	list_remove(&command->link);
	list_push_back(&link->failing, &command->link);
	link_wake_at(link, clock_mono_us());
}

static bool breaker_open(struct redis_link *link, int64_t now_us)
{
	if (link->failures < link->breaker_failures)
		return false;
	if (now_us < link->breaker_until_us)
		return true;
	/* Lets one command through as a test; the others wait for its result. */
	link->breaker_until_us = now_us + link->breaker_us;
	return false;
}

static void breaker_failed(struct redis_link *link, int64_t now_us)
{
	if (++link->failures != link->breaker_failures)
		return;
	link->breaker_until_us = now_us + link->breaker_us;
	probe_soon(link);
}

static void command_push(struct redis_command *command)
{
	struct redis_link *link = command->owner;

	insert_by_deadline(&link->open, command);
	if (link->open.next == link->open.prev && list_empty(&link->given_up))
		link->heard_us = clock_mono_us(); /* the first one to wait: silence begins now */
	link_wake_at(link, command->deadline_us);
	link_wake_at(link, link->heard_us + SILENCE_US + 1000);
	command->sent = redisAsyncFormattedCommand(link->context, command_answered, command,
				command->bytes.data + command->start, command->bytes.len - command->start) == REDIS_OK;
	if (!command->sent)
		fail_soon(command, METRIC_REDIS_ERROR_LOST, ERR_UNAVAILABLE, "redis: the connection is closing");
}

/* Fails with what the link knows about this Redis. */
static void fail_unasked(struct redis_command *command, unsigned cause)
{
	struct err why;

	if (redis_link_ready(command->owner, &why))
		err_set(&why, ERR_UNAVAILABLE, "redis: not asked, because it has not answered recently");
	fail_soon(command, cause, why.code, why.text);
}

/* Waits until there is a connection, and until it is known whether this Redis may be used. */
static void command_wait(struct redis_command *command)
{
	insert_by_deadline(&command->owner->again, command);
	link_wake_at(command->owner, command->deadline_us);
}

/* Owed commands wait for a link that is away or refuses; others only while one is being established. */
static bool has_to_wait(const struct redis_command *command, const struct redis_link *link)
{
	if (command->owed && !link->closing && (!link->context || link->refused.code))
		return true;
	return link->context && link->state != LINK_UP && !link->refused.code;
}

/* Puts "*", the number of arguments and the end of the line right before the first argument. */
static void head_put(struct redis_command *command)
{
	char digits[DEC_MAX];
	size_t len = dec_put(digits, command->argc);
	char *head = command->bytes.data + HEAD_ROOM - len - 3;

	head[0] = '*';
	memcpy(head + 1, digits, len);
	memcpy(head + 1 + len, "\r\n", 2);
	command->start = (size_t)(head - command->bytes.data);
}

void redis_send(struct redis_command *command, int64_t deadline_us)
{
	struct redis_link *link = command->owner;
	int64_t now_us = clock_mono_us();

	head_put(command);
	command->sent_us = now_us;
	command->trace = trace_keep(trace_now);
	command->deadline_us = deadline_us ? deadline_us : now_us + link->timeout_us;
	if (link->refused.code && !command->even_refused && !has_to_wait(command, link))
		fail_unasked(command, METRIC_REDIS_ERROR_REFUSED);
	else if (!command->owed && breaker_open(link, now_us))
		fail_unasked(command, METRIC_REDIS_ERROR_BREAKER);
	else if (has_to_wait(command, link))
		command_wait(command);
	else if (!link->context)
		fail_unasked(command, METRIC_REDIS_ERROR_LOST);
	else
		command_push(command);
}

static void send_again(struct redis_command *command, int64_t after_us, const char *why)
{
	struct redis_link *link = command->owner;
	int64_t now_us = clock_mono_us();

	if (now_us + after_us >= command->deadline_us) {
		fail_soon(command, METRIC_REDIS_ERROR_LOST, ERR_UNAVAILABLE, why);
		return;
	}
	err_set(&command->err, ERR_UNAVAILABLE, "%s", why);
	command->sent = false;
	insert_by_deadline(&link->again, command);
	if (!link->again_at_us || link->again_at_us > now_us + after_us)
		link->again_at_us = now_us + after_us;
	link_wake_at(link, link->again_at_us);
}

/* Its name, and that of the function it calls. */
static void command_span(const struct redis_command *command, bool failed)
{
	const char *bytes = command->bytes.data;
	char name[SPAN_NAME_MAX + 1];
	int len = (int)command->arg[0].len, more = command->argc > 1 ? (int)command->arg[1].len : 0;
	bool calls = len == 5 && more > 0 && memcmp(bytes + command->arg[0].at, "FCALL", 5) == 0;

	snprintf(name, sizeof(name), "%.*s%s%.*s", len, bytes + command->arg[0].at, calls ? " " : "", calls ? more : 0,
		calls ? bytes + command->arg[1].at : "");
	span_asked(command->trace, SPAN_REDIS, name, strlen(name), command->sent_us, failed);
}

static void command_tell(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct trace *trace = command->trace, *outer;

	if (span_wanted(trace))
		command_span(command, !reply);
	command->trace = NULL;
	outer = trace_enter(trace);
	trace_drop(trace);
	command->done(command, reply, err);
	trace_leave(outer);
}

static void command_end(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	command_tell(command, reply, err);
	command_release(command);
}

/* Functions that Redis refused to load are not sent again with every call: the probe does that. */
static void command_unknown(struct redis_command *command)
{
	struct redis_link *link = command->owner;

	if (link->unloaded.code && !command->owed) {
		fail_soon(command, METRIC_REDIS_ERROR_REFUSED, link->unloaded.code, link->unloaded.text);
		return;
	}
	link_load_library(link);
	send_again(command, 0, "redis: the functions are not loaded");
}

static void command_refused(struct redis_command *command, const char *text)
{
	struct redis_link *link = command->owner;
	enum redis_error error = redis_error_of(text);
	struct err why;

	if (strstr(text, "Function not found")) {
		command_unknown(command);
		return;
	}
	redis_error_set(&why, text);
	probe_soon(link);
	if (!redis_error_passes(error) && !command->owed) {
		fail_soon(command, METRIC_REDIS_ERROR_REFUSED, why.code, why.text);
		return;
	}
	breaker_failed(link, clock_mono_us());
	if (error == REDIS_ERROR_READONLY) {
		link->backoff_ms = REPLICA_MS;
		link_drop(link, why.text);
	}
	send_again(command, command->owed ? OWED_AGAIN_US : AGAIN_US, why.text);
}

void command_answered(redisAsyncContext *context, void *data, void *privdata)
{
	struct redis_command *command = privdata;
	struct redis_link *link = command->owner;
	const redisReply *reply = data;

	(void)context;
	command->sent = false;
	if (reply)
		link->heard_us = clock_mono_us();
	if (command->given_up) {
		command_release(command);
	} else if (!reply) {
		command->in_doubt = true;
		send_again(command, 0, link->lost.code ? link->lost.text : REDIS_UNREACHABLE);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		command_refused(command, reply->str);
	} else {
		link->failures = 0;
		metric_observe(METRIC_redis_call_seconds, 0, 0, link->heard_us - command->sent_us);
		command_end(command, reply, NULL);
	}
}

void commands_resend(struct redis_link *link)
{
	link->again_at_us = 0;
	list_each (&link->again, at, after)
		command_push(container_of(at, struct redis_command, link));
}

static void expire(struct redis_link *link, struct list *list, int64_t now_us)
{
	while (!list_empty(list)) {
		struct redis_command *command = container_of(list->next, struct redis_command, link);
		struct err err;

		if (command->deadline_us > now_us)
			return;
		metric_inc(METRIC_redis_errors_total, METRIC_REDIS_ERROR_DEADLINE, 0);
		if (!command->owed)
			breaker_failed(link, now_us);
		if (command->err.code) /* the reason for sending it again */
			err = command->err;
		else if (command->sent || redis_link_ready(link, &err))
			err_set(&err, ERR_DEADLINE, "redis: no answer in time");
		command->given_up = true;
		list_remove(&command->link);
		if (command->sent) {
			command->in_doubt = true;
			list_push_back(&link->given_up, &command->link);
			command_tell(command, NULL, &err);
		} else {
			command_end(command, NULL, &err);
		}
	}
}

void commands_timer(uv_timer_t *timer)
{
	struct redis_link *link = container_of(timer, struct redis_link, deadlines);
	int64_t now_us = clock_mono_us();
	struct list failing;

	link->timer_at_us = 0;
	list_init(&failing);
	while (!list_empty(&link->failing))
		list_push_back(&failing, list_pop_front(&link->failing));
	while (!list_empty(&failing)) {
		struct redis_command *command = container_of(list_pop_front(&failing), struct redis_command, link);

		command_end(command, NULL, &command->err);
	}
	expire(link, &link->open, now_us);
	expire(link, &link->again, now_us);
	if (link->again_at_us && link->again_at_us <= now_us && link->state == LINK_UP)
		commands_resend(link);
	if ((!list_empty(&link->open) || !list_empty(&link->given_up)) && now_us - link->heard_us > SILENCE_US)
		link_drop(link, "redis: does not answer");

	if (!list_empty(&link->failing))
		link_wake_at(link, now_us);
	if (!list_empty(&link->open))
		link_wake_at(link, container_of(link->open.next, struct redis_command, link)->deadline_us);
	if (!list_empty(&link->open) || !list_empty(&link->given_up))
		link_wake_at(link, link->heard_us + SILENCE_US + 1000);
	if (!list_empty(&link->again))
		link_wake_at(link, container_of(link->again.next, struct redis_command, link)->deadline_us);
	if (link->again_at_us && link->state == LINK_UP)
		link_wake_at(link, link->again_at_us);
}

/* At the end, when hiredis has released all commands. */
void commands_fail_all(struct redis_link *link, const char *why)
{
	struct list *const lists[] = {&link->open, &link->again, &link->failing};
	struct err err;

	err_set(&err, ERR_UNAVAILABLE, "%s", why);
	/* `failing` last: it also gets what callbacks send now. */
	for (int i = 0; i < 3; i++)
		while (!list_empty(lists[i]))
			command_end(container_of(list_pop_front(lists[i]), struct redis_command, link), NULL, &err);
}

void commands_release(struct redis_link *link)
{
	struct list *const lists[] = {&link->unused, &link->given_up};

	for (int i = 0; i < 2; i++)
		list_each (lists[i], at, after)
			command_free(container_of(at, struct redis_command, link));
}
