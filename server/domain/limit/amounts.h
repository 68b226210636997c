/* What a request asks or used, by what is measured (AMOUNTS in dimensions.h), and the arithmetic of it. */
#ifndef BURSAR_DOMAIN_LIMIT_AMOUNTS_H
#define BURSAR_DOMAIN_LIMIT_AMOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/limit/limit.h"

enum amount {
#define ROW(NAME, name, ...) AMOUNT_##NAME,
	AMOUNTS(ROW)
#undef ROW
		AMOUNT_COUNT
};

struct amounts {
#define ROW(NAME, name, ...) int64_t name;
	AMOUNTS(ROW)
#undef ROW
	int64_t counted[COUNTED_COUNT]; /* searches, images, ...: few requests have any */
};

static inline struct amounts amounts_plus(const struct amounts *a, const struct amounts *b)
{
	struct amounts sum = *a;

#define ROW(NAME, name, ...) sum.name += b->name;
	AMOUNTS(ROW)
#undef ROW
	for (int i = 0; i < COUNTED_COUNT; i++)
		sum.counted[i] += b->counted[i];
	return sum;
}

static inline struct amounts amounts_minus(const struct amounts *a, const struct amounts *b)
{
	struct amounts rest = *a;

#define ROW(NAME, name, ...) rest.name -= b->name;
	AMOUNTS(ROW)
#undef ROW
	for (int i = 0; i < COUNTED_COUNT; i++)
		rest.counted[i] -= b->counted[i];
	return rest;
}

/* The lesser of each. */
static inline struct amounts amounts_least(const struct amounts *a, const struct amounts *b)
{
	struct amounts least = *a;

#define ROW(NAME, name, ...) least.name = b->name < a->name ? b->name : a->name;
	AMOUNTS(ROW)
#undef ROW
	for (int i = 0; i < COUNTED_COUNT; i++)
		least.counted[i] = b->counted[i] < a->counted[i] ? b->counted[i] : a->counted[i];
	return least;
}

static inline bool amounts_any_counted(const struct amounts *amounts)
{
	int64_t any = 0;

	for (int i = 0; i < COUNTED_COUNT; i++)
		any |= amounts->counted[i];
	return any != 0;
}

/* Is anything used but the request itself? */
static inline bool amounts_any_used(const struct amounts *amounts)
{
#define ROW(NAME, name, ...) || amounts->name
	return amounts_any_counted(amounts) AMOUNTS_USED(ROW);
#undef ROW
}

static inline bool amounts_any(const struct amounts *amounts)
{
	return amounts->requests || amounts_any_used(amounts);
}

/* As Lua reads and writes them (docs/store.md): an i7 each. */
static inline void amounts_put(struct buf *out, const struct amounts *amounts)
{
#define ROW(NAME, name, ...) buf_put_int(out, amounts->name, 7);
	AMOUNTS(ROW)
#undef ROW
}

static inline void amounts_cut_used(struct cut *cut, struct amounts *out)
{
#define ROW(NAME, name, ...) out->name = cut_int(cut, 7);
	AMOUNTS_USED(ROW)
#undef ROW
}

static inline void amounts_cut(struct cut *cut, struct amounts *out)
{
	out->requests = cut_int(cut, 7);
	amounts_cut_used(cut, out);
}

/*
 * What is counted by the piece, likewise: `B n, n x (B dimension, i7 amount)`, or nothing at all. `told`: also the amounts of 0 whose
 * bits are set.
 */
void counted_put(struct buf *out, const struct amounts *amounts, uint32_t told);

#endif
