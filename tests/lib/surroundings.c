/*
 * What ctest sets in the environment of a test, for a program that is started by hand: the sanitizers' options, and where
 * the source is. The environment wins. The values are those of cmake/Surroundings.cmake.
 */
#include <stdlib.h>

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_options(void);
const char *__tsan_default_options(void);

/* The sanitizers ask before anything is set up, themselves included. */
#if defined(__clang__) || defined(__GNUC__)
#define BEFORE_ALL __attribute__((used, no_sanitize("address", "thread", "undefined")))
#endif

BEFORE_ALL const char *__asan_default_options(void)
{
	return TEST_ASAN_OPTIONS;
}

BEFORE_ALL const char *__ubsan_default_options(void)
{
	return TEST_UBSAN_OPTIONS;
}

BEFORE_ALL const char *__lsan_default_options(void)
{
	return TEST_LSAN_OPTIONS;
}

BEFORE_ALL const char *__tsan_default_options(void)
{
	return TEST_TSAN_OPTIONS;
}

__attribute__((constructor)) static void source_dir_set(void)
{
	setenv("BURSAR_SOURCE_DIR", TEST_SOURCE_DIR, 0);
}
