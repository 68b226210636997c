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
	/* Searches, images, ...: COUNTED_COUNT numbers of whoever made it; NULL: none, as in nearly all requests. */
	const int64_t *counted;
};

/* Arithmetic without what is counted by the piece: the result has that of `a`. */
static inline struct amounts amounts_plus(const struct amounts *a, const struct amounts *b)
{
#define ROW(NAME, name, ...) .name = a->name + b->name,
	return (struct amounts){AMOUNTS(ROW).counted = a->counted};
#undef ROW
}

static inline struct amounts amounts_minus(const struct amounts *a, const struct amounts *b)
{
#define ROW(NAME, name, ...) .name = a->name - b->name,
	return (struct amounts){AMOUNTS(ROW).counted = a->counted};
#undef ROW
}

/* The lesser of each. */
static inline struct amounts amounts_least(const struct amounts *a, const struct amounts *b)
{
#define ROW(NAME, name, ...) .name = a->name < b->name ? a->name : b->name,
	return (struct amounts){AMOUNTS(ROW).counted = a->counted};
#undef ROW
}

static inline bool amounts_any(const struct amounts *amounts)
{
#define ROW(NAME, name, ...) || amounts->name
	return amounts->counted AMOUNTS(ROW);
#undef ROW
}

/* Is anything used but the request itself? */
static inline bool amounts_any_used(const struct amounts *amounts)
{
#define ROW(NAME, name, ...) || amounts->name
	return amounts->counted AMOUNTS_USED(ROW);
#undef ROW
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
