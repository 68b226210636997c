/* The zones' cache, filled by many threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "domain/window.h"

enum { THREADS = 8, ROUNDS = 200 };

static const char *const names[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Sydney",
	"America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "Nowhere/Land"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* Asks for all zones, each thread from another one on, and returns a sum of what it was told. */
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

static void threads_are_told_the_same(void **state)
{
	pthread_t threads[THREADS];
	void *told[THREADS];

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, (void *)(i / 2)), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], &told[i]);
	for (size_t i = 0; i < THREADS; i += 2) {
		assert_ptr_equal(told[i], told[i + 1]);
		assert_non_null(told[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_are_told_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
