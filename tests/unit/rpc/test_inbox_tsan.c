/* Tags pushed by several threads arrive intact, once, and in each thread's order; every one of them wakes the taker. */

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

#include "lib/test.h"
#include "rpc/inbox.h"

enum { THREADS = 3, TAGS = 20000 };

struct numbered {
	struct tag tag;
	int thread;
	int number;
};

static struct inbox inbox;
static sem_t woken;
static struct numbered tags[THREADS][TAGS];

static void *push_all(void *arg)
{
	struct numbered *own = arg;

	for (int i = 0; i < TAGS; i++) {
		own[i].number = i;
		if (inbox_push(&inbox, &own[i].tag))
			sem_post(&woken);
	}
	return NULL;
}

TEST(nothing_is_lost_or_doubled_between_threads)
{
	pthread_t threads[THREADS];
	int next[THREADS] = {0};
	int left = THREADS * TAGS;

	sem_init(&woken, 0, 0);
	for (int t = 0; t < THREADS; t++) {
		for (int i = 0; i < TAGS; i++)
			tags[t][i].thread = t;
		assert_int_equal(pthread_create(&threads[t], NULL, push_all, tags[t]), 0);
	}
	while (left > 0) {
		sem_wait(&woken);
		for (struct tag *tag = inbox_take(&inbox); tag; left--) {
			struct numbered *numbered = (struct numbered *)(void *)tag;

			tag = tag->next;
			assert_int_equal(numbered->number, next[numbered->thread]++);
		}
	}
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	assert_null(inbox_take(&inbox));
}

TEST(only_the_first_push_wakes)
{
	struct tag a = {0};
	struct tag b = {0};

	assert_true(inbox_push(&inbox, &a));
	assert_false(inbox_push(&inbox, &b));
	assert_ptr_equal(inbox_take(&inbox), &a);
	assert_ptr_equal(a.next, &b);
	assert_null(b.next);
	assert_true(inbox_push(&inbox, &a));
	inbox_take(&inbox);
}
