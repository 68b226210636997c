/* A worker's cache of accounts: what it forgets when it is full. */
#include <stdio.h>

#include "lib/test.h"
#include "service/cache/accounts.h"

enum { ROOM = 16 };

static const struct account_profile plain = {.tier = "pro", .version = 1};

static void put(struct account_cache *cache, int number)
{
	char id[16];

	snprintf(id, sizeof(id), "user%d", number);
	account_cache_put(cache, ACCOUNT_USER, "default", id, &plain);
}

static bool has(struct account_cache *cache, int number)
{
	struct arena arena = {0};
	char id[16];
	bool found;

	snprintf(id, sizeof(id), "user%d", number);
	found = account_cache_get(cache, ACCOUNT_USER, "default", id, &arena) != NULL;
	arena_release(&arena);
	return found;
}

TEST(a_full_cache_forgets_the_account_that_was_not_used_for_longest)
{
	struct account_cache *cache = account_cache_new(ROOM);

	for (int i = 0; i < ROOM; i++)
		put(cache, i);
	assert_true(has(cache, 0)); /* used last */
	put(cache, ROOM);
	assert_true(has(cache, 0));
	assert_false(has(cache, 1));
	for (int i = 2; i <= ROOM; i++)
		assert_true(has(cache, i));
	account_cache_free(cache);
}

TEST(a_cache_that_was_filled_many_times_has_the_accounts_of_the_last_time)
{
	struct account_cache *cache = account_cache_new(ROOM);

	for (int i = 0; i < 100 * ROOM; i++)
		put(cache, i);
	for (int i = 0; i < 99 * ROOM; i++)
		assert_false(has(cache, i));
	for (int i = 99 * ROOM; i < 100 * ROOM; i++)
		assert_true(has(cache, i));
	account_cache_free(cache);
}
