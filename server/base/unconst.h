/* Dropping const, in one place. */
#ifndef BURSAR_BASE_UNCONST_H
#define BURSAR_BASE_UNCONST_H

#include <stdint.h>

/* For interfaces that take char * and do not write through it: protobuf-c, gRPC, argument vectors. */
static inline char *unconst(const char *text)
{
	return (char *)(uintptr_t)text;
}

#endif
