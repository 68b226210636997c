/* main() of the programs whose tests register themselves: see test.h. */
#include <stdlib.h>
#include <time.h>

#include "lib/test.h"

static struct registered_test *first;
static size_t count;
static CMFixtureFunction group_set_up, group_tear_down;

/* Constructors run in an order of the linker's choice; the tests run in that of the file. */
void test_register(struct registered_test *test)
{
	struct registered_test **at = &first;

	while (*at && (*at)->line < test->line)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
	count++;
}

void test_register_group(CMFixtureFunction set_up, CMFixtureFunction tear_down)
{
	group_set_up = set_up;
	group_tear_down = tear_down;
}

int tests_in_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

int main(void)
{
	struct CMUnitTest *tests = calloc(count + 1, sizeof(*tests));
	size_t n = 0;
	int failed;

	if (!tests || !count)
		abort();
	for (struct registered_test *test = first; test; test = test->next)
		tests[n++] = test->test;
	failed = _cmocka_run_group_tests("tests", tests, count, group_set_up, group_tear_down);
	free(tests);
	return failed;
}
