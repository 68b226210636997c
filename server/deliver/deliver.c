/* The threads that send, their queue, and the way back to the loop. */
#include "deliver/deliver.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/list.h"
#include "deliver/private.h"

struct pool {
	struct deliverer deliverer; /* first */
	struct sender sender;
	uv_async_t async; /* something is finished, or the last callbacks are to run */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list queue, finished; /* protected by the lock */
	bool ending; /* likewise: the threads end when the queue is empty */
	bool closing; /* of the loop */
	int count;
	pthread_t thread[];
};

/* What a job's `impl` holds. */
struct ticket {
	struct list queue;
};
_Static_assert(sizeof(struct ticket) <= sizeof(((struct deliver_job *)NULL)->impl), "fits");

static struct ticket *ticket_of(struct deliver_job *job)
{
	return (struct ticket *)(void *)job->impl;
}

static struct deliver_job *job_of(struct list *queue)
{
	return container_of((void **)(void *)container_of(queue, struct ticket, queue), struct deliver_job, impl[0]);
}

static void job_send(struct sender *sender, struct deliver_job *job)
{
	int64_t begun_us = clock_mono_us();

	if (atomic_load(&sender->stopping))
		job_aborted(job);
	else if (job->channel->kind == CHANNEL_EMAIL)
		smtp_send(sender, job);
	else if (job->channel->kind == CHANNEL_COMMAND)
		command_run(sender, job);
	else
		http_send(sender, job);
	job_hide_secrets(job);
	job->took_us = clock_mono_us() - begun_us;
}

static struct deliver_job *queue_take(struct pool *pool)
{
	struct deliver_job *job = NULL;

	pthread_mutex_lock(&pool->lock);
	while (list_empty(&pool->queue) && !pool->ending)
		pthread_cond_wait(&pool->more, &pool->lock);
	if (!list_empty(&pool->queue))
		job = job_of(list_pop_front(&pool->queue));
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void *run(void *arg)
{
	struct pool *pool = arg;
	struct deliver_job *job;

	while ((job = queue_take(pool))) {
		job_send(&pool->sender, job);
		pthread_mutex_lock(&pool->lock);
		list_push_back(&pool->finished, &ticket_of(job)->queue);
		uv_async_send(&pool->async);
		pthread_mutex_unlock(&pool->lock);
	}
	return NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct pool *pool = container_of((uv_async_t *)handle, struct pool, async);

	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->sender.taken.lock);
	close(pool->sender.stop_fd);
	curl_global_cleanup();
	free(pool);
}

static void on_async(uv_async_t *async)
{
	struct pool *pool = container_of(async, struct pool, async);
	struct list all;

	list_init(&all);
	pthread_mutex_lock(&pool->lock);
	while (!list_empty(&pool->finished))
		list_push_back(&all, list_pop_front(&pool->finished));
	pthread_mutex_unlock(&pool->lock);
	if (pool->closing)
		uv_close((uv_handle_t *)async, on_closed);
	while (!list_empty(&all)) {
		struct deliver_job *job = job_of(list_pop_front(&all));

		job->done(job); /* may free it */
	}
}

static void pool_start(struct deliverer *deliverer, struct deliver_job *job)
{
	struct pool *pool = container_of(deliverer, struct pool, deliverer);

	job->outcome = DELIVER_RETRY;
	job->status = 0;
	job->retry_after_us = job->took_us = 0;
	job->error[0] = '\0';
	pthread_mutex_lock(&pool->lock);
	list_push_back(&pool->queue, &ticket_of(job)->queue);
	pthread_cond_signal(&pool->more);
	pthread_mutex_unlock(&pool->lock);
}

struct deliverer *deliver_new(const struct conf *conf, uv_loop_t *loop, int threads, struct err *err)
{
	struct pool *pool;

	if (!smtp_options_check(conf, err) || !command_options_check(conf, err))
		return NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	pool = mem_zalloc(1, sizeof(*pool) + (size_t)threads * sizeof(pool->thread[0]));
	pool->deliverer.start = pool_start;
	pool->sender.conf = conf;
	pool->sender.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	taken_init(&pool->sender.taken);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	list_init(&pool->queue);
	list_init(&pool->finished);
	if (pool->sender.stop_fd < 0 || uv_async_init(loop, &pool->async, on_async) != 0)
		mem_exhausted(sizeof(*pool));
	for (; pool->count < threads; pool->count++)
		if (pthread_create(&pool->thread[pool->count], NULL, run, pool) != 0)
			mem_exhausted(sizeof(pthread_t));
	return &pool->deliverer;
}

void deliver_abort(struct deliverer *deliverer)
{
	struct pool *pool = container_of(deliverer, struct pool, deliverer);

	atomic_store(&pool->sender.stopping, true);
	eventfd_write(pool->sender.stop_fd, 1);
}

void deliver_free(struct deliverer *deliverer)
{
	struct pool *pool;

	if (!deliverer)
		return;
	pool = container_of(deliverer, struct pool, deliverer);
	deliver_abort(deliverer);
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	/* They finish what is in the queue, too, at once. */
	for (int i = 0; i < pool->count; i++)
		pthread_join(pool->thread[i], NULL);
	pool->closing = true;
	uv_async_send(&pool->async);
}
