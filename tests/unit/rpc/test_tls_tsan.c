/* TLS sessions of several threads, which share the certificates, while these are replaced. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/test.h"
#include "tls_link.h"

#define SERVED_TLS(name) TEST_WITH(name, served_tls_open, served_tls_close)

enum { THREADS = 3, REPLACEMENTS = 20 };

struct caller {
	pthread_t thread;
	struct tls_server *server;
	atomic_bool *stop;
	sem_t *made;
	unsigned failed;
};

static bool talks(struct link *link)
{
	return SSL_write(link->client, "ping", 4) == 4 && (link_move(link), link->plain.len == 4);
}

static void *keep_connecting(void *arg)
{
	struct caller *caller = arg;

	while (!atomic_load(caller->stop)) {
		struct link link;

		if (!link_up(&link, caller->server, &(struct link_options){0}) || !talks(&link))
			caller->failed++;
		link_end(&link);
		sem_post(caller->made);
	}
	return NULL;
}

SERVED_TLS(certificates_are_replaced_while_threads_connect)
{
	struct caller callers[THREADS];
	atomic_bool stop = false;
	unsigned failed = 0;
	sem_t made;

	memset(callers, 0, sizeof(callers));
	sem_init(&made, 0, 0);
	for (size_t i = 0; i < THREADS; i++) {
		callers[i].server = i ? callers[0].server : serve(NULL, false);
		callers[i].stop = &stop;
		callers[i].made = &made;
		assert_int_equal(pthread_create(&callers[i].thread, NULL, keep_connecting, &callers[i]), 0);
	}
	for (unsigned i = 0; i < REPLACEMENTS; i++) {
		authority_issue(NULL, &(struct subject){.name = "bursard"}, "cert", "key");
		while (sem_trywait(&made) == 0)
			continue;
		/* At least one of these has begun with the new files. */
		for (size_t j = 0; j < THREADS + 1; j++)
			sem_wait(&made);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(callers[i].thread, NULL);
		failed += callers[i].failed;
	}
	sem_destroy(&made);
	assert_int_equal(failed, 0);
}
