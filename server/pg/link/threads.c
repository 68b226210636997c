/* The threads with their connections, their job queue, and the way back to the loops. */
#include "pg/link/threads.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "pg/link/link.h"

#define JOB_DEADLINE_US INT64_C(30000000)

struct pg_threads {
	char *conninfo;
	int wake_fd; /* made readable once, when the struct is freed */
	struct pg_outage outage;
	pthread_mutex_t lock;
	pthread_cond_t more; /* the queue has a job, or the threads are to stop */
	pthread_cond_t sooner; /* for the clerk: a job with an earlier deadline may have arrived */
	struct list queue;
	bool stopping;
	int count;
	pthread_t clerk;
	pthread_t threads[64];
};

struct pg_inbox {
	uv_async_t async;
	pthread_mutex_t lock;
	struct list finished;
};

static void job_tell(struct pg_job *job)
{
	static const char name[] = "job"; /* waiting for a thread, connecting and running */
	struct trace *outer = asked_answered(&job->asked, SPAN_POSTGRES, name, sizeof(name) - 1, !job->ok);

	job->done(job); /* may free it */
	trace_leave(outer);
}

static void inbox_wake(uv_async_t *async)
{
	struct pg_inbox *inbox = container_of(async, struct pg_inbox, async);
	struct list all;

	list_init(&all);
	pthread_mutex_lock(&inbox->lock);
	while (!list_empty(&inbox->finished))
		list_push_back(&all, list_pop_front(&inbox->finished));
	pthread_mutex_unlock(&inbox->lock);
	/* A callback may free the inbox, so it must not be touched from here on. */
	while (!list_empty(&all)) {
		job_tell(container_of(list_pop_front(&all), struct pg_job, queue));
	}
}

struct pg_inbox *pg_inbox_new(uv_loop_t *loop)
{
	struct pg_inbox *inbox = mem_zalloc(1, sizeof(*inbox));

	pthread_mutex_init(&inbox->lock, NULL);
	list_init(&inbox->finished);
	if (uv_async_init(loop, &inbox->async, inbox_wake) != 0)
		mem_exhausted(sizeof(*inbox));
	return inbox;
}

static void inbox_closed(uv_handle_t *handle)
{
	struct pg_inbox *inbox = container_of((uv_async_t *)handle, struct pg_inbox, async);

	pthread_mutex_destroy(&inbox->lock);
	free(inbox);
}

void pg_inbox_free(struct pg_inbox *inbox)
{
	if (!inbox)
		return;
	/* The thread that added the last job may still hold the lock, between the list and the wake-up. */
	pthread_mutex_lock(&inbox->lock);
	assert(list_empty(&inbox->finished));
	pthread_mutex_unlock(&inbox->lock);
	uv_close((uv_handle_t *)&inbox->async, inbox_closed);
}

static void job_finish(struct pg_job *job)
{
	struct pg_inbox *inbox = job->inbox;
	bool was_empty;

	pthread_mutex_lock(&inbox->lock);
	was_empty = list_empty(&inbox->finished);
	list_push_back(&inbox->finished, &job->queue);
	if (was_empty)
		uv_async_send(&inbox->async);
	pthread_mutex_unlock(&inbox->lock);
}

/* Tells callers only that PostgreSQL is away; the cause names hosts and paths, and is logged instead. */
static void hide_cause(struct err *err)
{
	static const char away[] = "PostgreSQL is away";

	if (err->code != ERR_UNAVAILABLE || strncmp(err->text, away, strlen(away)) != 0)
		return;
	log_warn("a job failed because PostgreSQL is away", F("why", err->text));
	err_set(err, ERR_UNAVAILABLE, "%s", away);
}

static bool job_attempt(void *arg, struct pg_link *link, struct err *err)
{
	struct pg_job *job = arg;

	return job->run(job, link, err);
}

static void job_run(struct pg_job *job, struct pg_link *link)
{
	link->deadline_us = job->deadline_us;
	/* Not entered: the trace is counted on its own loop, which keeps it until the job is done. */
	trace_now = job->asked.trace;
	job->err = (struct err){0};
	job->ok = pg_link_run(link, job_attempt, job, job->repeatable, &job->err);
	if (!job->ok)
		hide_cause(&job->err);
	pg_link_tidy(link);
	trace_now = NULL;
	job_finish(job);
}

static struct pg_job *queue_take(struct pg_threads *self)
{
	struct pg_job *job = NULL;

	pthread_mutex_lock(&self->lock);
	while (list_empty(&self->queue) && !self->stopping)
		pthread_cond_wait(&self->more, &self->lock);
	if (!self->stopping)
		job = container_of(list_pop_front(&self->queue), struct pg_job, queue);
	pthread_mutex_unlock(&self->lock);
	return job;
}

static void *worker_thread(void *arg)
{
	struct pg_threads *self = arg;
	struct pg_link link;
	struct pg_job *job;

	pg_link_init(&link, self->conninfo, self->wake_fd);
	link.outage = &self->outage;
	while ((job = queue_take(self)))
		job_run(job, &link);
	pg_link_close(&link);
	return NULL;
}

/* Moves jobs that waited too long (or all, when stopping) to `late`; returns the next deadline of the rest, or 0. */
static int64_t queue_sweep(struct pg_threads *self, struct list *late)
{
	int64_t now_us = clock_mono_us(), earliest_us = 0;

	list_each (&self->queue, at, after) {
		struct pg_job *job = container_of(at, struct pg_job, queue);
		if (self->stopping || job->deadline_us <= now_us) {
			list_remove(at);
			list_push_back(late, at);
		} else if (earliest_us == 0 || job->deadline_us < earliest_us) {
			earliest_us = job->deadline_us;
		}
	}
	return earliest_us;
}

static void clerk_wait(struct pg_threads *self, int64_t until_us)
{
	struct timespec until;

	if (until_us == 0) {
		pthread_cond_wait(&self->sooner, &self->lock);
		return;
	}
	until = (struct timespec){.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
	pthread_cond_timedwait(&self->sooner, &self->lock, &until);
}

/* A separate thread enforces the deadlines of queued jobs while all other threads are busy. */
static void *clerk_thread(void *arg)
{
	struct pg_threads *self = arg;
	struct list late;

	list_init(&late);
	pthread_mutex_lock(&self->lock);
	for (;;) {
		int64_t next_us = queue_sweep(self, &late);
		bool stopping = self->stopping;
		if (list_empty(&late)) {
			if (stopping)
				break;
			clerk_wait(self, next_us);
			continue;
		}
		pthread_mutex_unlock(&self->lock);
		while (!list_empty(&late)) {
			struct pg_job *job = container_of(list_pop_front(&late), struct pg_job, queue);
			job->ok = false;
			if (stopping)
				err_set(&job->err, ERR_UNAVAILABLE, "the server is stopping");
			else
				err_set(&job->err, ERR_DEADLINE, "no connection to PostgreSQL became free in time");
			job_finish(job);
		}
		pthread_mutex_lock(&self->lock);
	}
	pthread_mutex_unlock(&self->lock);
	return NULL;
}

static void thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	if (pthread_create(thread, NULL, run, arg) != 0)
		mem_exhausted(0);
}

struct pg_threads *pg_threads_new(const char *conninfo, int threads, struct err *err)
{
	pthread_condattr_t monotonic;
	struct pg_threads *self;
	size_t size;

	if (!pg_conninfo_check(conninfo, err))
		return NULL;
	assert(threads >= 1 && threads <= 64);
	self = mem_zalloc(1, sizeof(*self));
	self->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (self->wake_fd < 0) {
		free(self);
		err_set(err, ERR_INTERNAL, "eventfd: %s", strerror(errno));
		return NULL;
	}
	size = strlen(conninfo) + 1;
	self->conninfo = memcpy(mem_zalloc(size, 1), conninfo, size);
	pthread_mutex_init(&self->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&self->more, NULL);
	pthread_cond_init(&self->sooner, &monotonic);
	pthread_condattr_destroy(&monotonic);
	list_init(&self->queue);
	self->count = threads;
	for (int i = 0; i < threads; i++)
		thread_start(&self->threads[i], worker_thread, self);
	thread_start(&self->clerk, clerk_thread, self);
	return self;
}

void pg_threads_free(struct pg_threads *self)
{
	if (!self)
		return;
	pthread_mutex_lock(&self->lock);
	self->stopping = true;
	pthread_cond_broadcast(&self->more);
	pthread_cond_broadcast(&self->sooner);
	pthread_mutex_unlock(&self->lock);
	if (write(self->wake_fd, &(uint64_t){1}, 8) != 8)
		abort(); /* cannot happen: an eventfd at 0 accepts a 1 */
	for (int i = 0; i < self->count; i++)
		pthread_join(self->threads[i], NULL);
	pthread_join(self->clerk, NULL);
	pthread_cond_destroy(&self->more);
	pthread_cond_destroy(&self->sooner);
	pthread_mutex_destroy(&self->lock);
	close(self->wake_fd);
	free(self->conninfo);
	free(self);
}

void pg_threads_submit(struct pg_threads *self, struct pg_inbox *inbox, struct pg_job *job)
{
	job->inbox = inbox;
	job->asked = asked_now();
	if (job->deadline_us == 0)
		job->deadline_us = job->asked.at_us + JOB_DEADLINE_US;
	pthread_mutex_lock(&self->lock);
	list_push_back(&self->queue, &job->queue);
	pthread_cond_signal(&self->more);
	pthread_cond_signal(&self->sooner);
	pthread_mutex_unlock(&self->lock);
}
