/*
 * What the fuzz targets share. Each reads bytes as an outsider would send them and checks the promises of the code
 * under test against a second, simpler implementation. With PLANTED_BUG, the target contains a typical mistake: a
 * fuzzer that does not find it within seconds does not reach the code. tests/run builds and runs both.
 */
#ifndef BURSAR_TESTS_FUZZ_H
#define BURSAR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise: if it is broken, it is printed with the stack, and the input is kept. */
#define HOLDS(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif
