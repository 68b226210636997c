/*
 * How a test is written:
 *
 *	TEST(a_full_bucket_stays_full)
 *	{
 *		assert_...
 *	}
 *
 * The name is said once. The test registers itself before main() (tests/lib/runner.c), which runs the tests in the order
 * of the file. A file whose tests share a fixture names it once: #define SERVED(name) TEST_WITH(name, set_up, tear_down).
 */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct registered_test {
	struct CMUnitTest test;
	int line;
	struct registered_test *next;
};

void test_register(struct registered_test *test);
void test_register_group(CMFixtureFunction set_up, CMFixtureFunction tear_down);

#define TEST(name) TEST_WITH(name, NULL, NULL)

/* A test between its own set_up and tear_down. Its argument is `void **state`, as cmocka has it. */
#define TEST_WITH(name, set_up, tear_down) \
	static void name(void **state); \
	__attribute__((constructor)) static void register_##name(void) \
	{ \
		static struct registered_test self = { \
			.test = cmocka_unit_test_setup_teardown(name, set_up, tear_down), .line = __LINE__}; \
		test_register(&self); \
	} \
	static void name(__attribute__((unused)) void **state)

/* What runs once, before the first test of the program and after the last. */
#define TEST_GROUP(set_up, tear_down) \
	__attribute__((constructor)) static void register_group(void) \
	{ \
		test_register_group(set_up, tear_down); \
	} \
	_Static_assert(1, "takes the semicolon")

/* A set_up: local time is UTC. */
int tests_in_utc(void **state);

#endif
