/* The most frequent names, in bounded memory. */
#include <stdio.h>

#include "cli/live/top.h"
#include "lib/test.h"

static struct hot hot;

static int empty(void **state)
{
	(void)state;
	hot = (struct hot){0};
	return 0;
}

TEST_WITH(the_most_frequent_come_first_with_their_denials, empty, NULL)
{
	hot_add(&hot, "bob", 1000, false);
	hot_add(&hot, "alice", 2000, false);
	hot_add(&hot, "bob", 3000, true);
	hot_sort(&hot);
	assert_int_equal(hot.count, 2);
	assert_string_equal(hot.place[0].name, "bob");
	assert_int_equal(hot.place[0].milli, 4000);
	assert_int_equal(hot.place[0].denied_milli, 3000);
	assert_string_equal(hot.place[1].name, "alice");
}

TEST_WITH(a_hot_name_is_found_among_many_more_than_there_are_places, empty, NULL)
{
	char name[32];

	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		hot_add(&hot, i % 20 ? name : "hot", 1000, false);
	}
	hot_sort(&hot);
	assert_int_equal(hot.count, HOT_PLACES);
	assert_string_equal(hot.place[0].name, "hot");
	assert_true(hot.place[0].milli >= 1000 * 1000);
}

TEST_WITH(what_is_over_fades, empty, NULL)
{
	hot_add(&hot, "bob", 1000, false);
	hot_fade(&hot);
	assert_int_equal(hot.place[0].milli, 900);
	for (int i = 0; i < 100; i++)
		hot_fade(&hot);
	assert_int_equal(hot.count, 0);
}
