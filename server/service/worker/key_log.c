/* A small table that is copied for each write, so that new uses can be noted while the write is in flight. */
#include "service/worker/key_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/list.h"

/* WRITE_MAX_US bounds how long a write, and therefore a stop that waits for it, may take. */
enum { WRITE_US = 5000000, WRITE_MAX_US = 4000000 };

struct key_log {
	struct worker *worker;
	struct key_use use[KEY_USES_MAX], writing[KEY_USES_MAX];
	int count;
	bool waiting, submitted, stopped;
	struct wait wait;
	struct key_uses op;
	struct arena arena;
};

static void write_later(struct key_log *log);

/* A failed write is not retried: the next use of the key is noted again anyway. */
static void written(struct admin_job *job)
{
	struct key_log *log = container_of(container_of(job, struct key_uses, job), struct key_log, op);

	log->submitted = false;
	arena_reset(&log->arena);
	if (log->count)
		write_later(log);
}

static int compare_uses(const void *a, const void *b)
{
	int64_t x = ((const struct key_use *)a)->key, y = ((const struct key_use *)b)->key;

	return (x > y) - (x < y);
}

static void write_now(struct wait *wait)
{
	struct key_log *log = container_of(wait, struct key_log, wait);
	struct admin_store *admin = log->worker->parts.admin;

	log->waiting = false;
	if (log->submitted || log->stopped || !log->count)
		return;
	memcpy(log->writing, log->use, sizeof(log->use[0]) * (size_t)log->count);
	qsort(log->writing, (size_t)log->count, sizeof(log->writing[0]), compare_uses);
	log->op = (struct key_uses){
		.job = {.arena = &log->arena,
			.done = written,
			.actor = "bursard",
			.reason = "",
			.deadline_us = clock_mono_us() + WRITE_MAX_US},
		.count = log->count,
		.use = log->writing,
	};
	log->count = 0;
	log->submitted = true;
	admin->ops->key_uses(admin, &log->op);
}

static void write_later(struct key_log *log)
{
	if (log->waiting || log->submitted)
		return;
	log->waiting = true;
	log->wait = (struct wait){.due = write_now};
	log->worker->parts.timers->start(log->worker->parts.timers, &log->wait, WRITE_US);
}

struct key_log *key_log_new(struct worker *worker)
{
	struct key_log *log = mem_zalloc(1, sizeof(*log));

	log->worker = worker;
	return log;
}

bool key_log_stop(struct key_log *log)
{
	log->stopped = true;
	return !log->submitted;
}

/* The worker's timers must already be closed, so that a pending one does not run afterwards. */
void key_log_free(struct key_log *log)
{
	if (!log)
		return;
	arena_release(&log->arena);
	free(log);
}

/* Keys that do not fit are skipped until the next round: "last used" is approximate. */
void key_log_note(struct key_log *log, int64_t key, const char *peer)
{
	int at = 0;

	while (at < log->count && log->use[at].key != key)
		at++;
	if (at == KEY_USES_MAX)
		return;
	if (at == log->count)
		log->use[log->count++].key = key;
	log->use[at].at_us = clock_wall_us();
	if (strncmp(log->use[at].peer, peer, sizeof(log->use[at].peer) - 1) != 0) {
		strncpy(log->use[at].peer, peer, sizeof(log->use[at].peer) - 1);
		log->use[at].peer[sizeof(log->use[at].peer) - 1] = '\0';
	}
	write_later(log);
}
