/* The cache of time zones, filled by many threads at once while the files are being replaced. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain/limit/window.h"
#include "domain/time/zone_file.h"
#include "lib/test.h"
#include "zone_copy.h"

enum { THREADS = 8, ROUNDS = 200 };

static const char *const names[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney",
	"America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "Nowhere/Land"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* Asks for all zones, each thread starting at a different one, and returns a sum of the answers. */
static void *ask(void *arg)
{
	size_t first = (size_t)(uintptr_t)arg;
	uint64_t sum = 0;

	for (size_t i = 0; i < ROUNDS * NAMES; i++) {
		struct zone zone = {0};
		struct windows windows;

		snprintf(zone.name, sizeof(zone.name), "%s", names[(first + i) % NAMES]);
		if (windows_at(&zone, INT64_C(1795435200000000) + (int64_t)i * 3600000000, &windows, NULL))
			sum += (uint64_t)windows.at[WINDOW_DAY][1] / 1000000 * (i / NAMES + 1) % 1000003;
	}
	return (void *)(uintptr_t)sum;
}

static char folder[] = "/tmp/zones-XXXXXX";
static atomic_bool answered;

/* Repeatedly replaces each zone with itself: readers see it before or after, but the same zone. */
static void *replace(void *arg)
{
	int *changed = arg;

	while (!atomic_load(&answered)) {
		for (size_t i = 0; i < NAMES; i++)
			zone_copy(folder, names[i], names[i]);
		*changed += zones_refresh();
	}
	return NULL;
}

TEST(all_threads_get_the_same_answer)
{
	pthread_t threads[THREADS], replacing;
	void *told[THREADS];
	int changed = 0;

	assert_int_equal(pthread_create(&replacing, NULL, replace, &changed), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, (void *)(i / 2)), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], &told[i]);
	atomic_store(&answered, true);
	pthread_join(replacing, NULL);
	for (size_t i = 0; i < NAMES; i++)
		zone_copy(folder, names[i], names[i]);
	assert_true(changed + zones_refresh() > 0);
	for (size_t i = 0; i < THREADS; i += 2) {
		assert_ptr_equal(told[i], told[i + 1]);
		assert_non_null(told[i]);
	}
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || setenv("TZDIR", folder, 1) != 0)
		return -1;
	for (size_t i = 0; i < NAMES; i++)
		zone_copy(folder, names[i], names[i]);
	return 0;
}

static int teardown(void **state)
{
	char path[300];

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
		*strrchr(path, '/') = '\0';
		rmdir(path); /* the last of its zones */
	}
	return rmdir(folder);
}

TEST_GROUP(setup, teardown);
