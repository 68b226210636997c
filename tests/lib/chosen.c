/*
 * Which tests of a program run: `PROGRAM NAME...` runs those whose names contain NAME, or match it where it has a * or a ?;
 * `PROGRAM --list` prints the names. Linked into every test program in place of cmocka's _cmocka_run_group_tests (--wrap),
 * so that neither runner.c nor a main() of its own needs to know about it.
 */
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int __real__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, const size_t count,
	CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, const size_t count,
	CMFixtureFunction setup, CMFixtureFunction teardown);

static char **patterns;
static int pattern_count;

/* glibc passes a constructor what main() gets. */
__attribute__((constructor)) static void arguments_keep(int argc, char **argv)
{
	patterns = argv + 1;
	pattern_count = argc - 1;
}

static int chosen(const char *name)
{
	for (int i = 0; i < pattern_count; i++)
		if (strpbrk(patterns[i], "*?") ? fnmatch(patterns[i], name, 0) == 0 : strstr(name, patterns[i]) != NULL)
			return 1;
	return 0;
}

static void list(FILE *out, const struct CMUnitTest *tests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\n", tests[i].name);
}

static int run_chosen(const char *group, const struct CMUnitTest *tests, const size_t count, CMFixtureFunction setup,
	CMFixtureFunction teardown)
{
	struct CMUnitTest *some = calloc(count, sizeof(*some));
	size_t left = 0;
	int failed = 1;

	if (!some)
		abort();
	for (size_t i = 0; i < count; i++)
		if (chosen(tests[i].name))
			some[left++] = tests[i];
	if (left) {
		failed = __real__cmocka_run_group_tests(group, some, left, setup, teardown);
	} else {
		fprintf(stderr, "%s: no test of that name; the names are:\n", patterns[0]);
		list(stderr, tests, count);
	}
	free(some);
	return failed;
}

int __wrap__cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests, const size_t count,
	CMFixtureFunction setup, CMFixtureFunction teardown)
{
	if (pattern_count <= 0)
		return __real__cmocka_run_group_tests(group, tests, count, setup, teardown);
	if (strcmp(patterns[0], "--list") == 0) {
		list(stdout, tests, count);
		return 0;
	}
	if (patterns[0][0] == '-') {
		fprintf(stderr, "usage: PROGRAM [--list | NAME...]; NAME: a part of a test's name, or a pattern with * "
				"and ?\n");
		return 2;
	}
	return run_chosen(group, tests, count, setup, teardown);
}
