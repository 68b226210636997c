/* What a request asks or used, by what is measured (AMOUNTS in dimensions.h), and the arithmetic of it. */
#ifndef BURSAR_DOMAIN_LIMIT_AMOUNTS_H
#define BURSAR_DOMAIN_LIMIT_AMOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/limit/dimensions.h"

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
};

static inline struct amounts amounts_plus(const struct amounts *a, const struct amounts *b)
{
#define ROW(NAME, name, ...) .name = a->name + b->name,
	return (struct amounts){AMOUNTS(ROW)};
#undef ROW
}

static inline struct amounts amounts_minus(const struct amounts *a, const struct amounts *b)
{
#define ROW(NAME, name, ...) .name = a->name - b->name,
	return (struct amounts){AMOUNTS(ROW)};
#undef ROW
}

/* The lesser of each. */
static inline struct amounts amounts_least(const struct amounts *a, const struct amounts *b)
{
#define ROW(NAME, name, ...) .name = a->name < b->name ? a->name : b->name,
	return (struct amounts){AMOUNTS(ROW)};
#undef ROW
}

static inline bool amounts_any(const struct amounts *amounts)
{
#define ROW(NAME, name, ...) || amounts->name
	return false AMOUNTS(ROW);
#undef ROW
}

/* Is anything used but the request itself? */
static inline bool amounts_any_used(const struct amounts *amounts)
{
#define ROW(NAME, name, ...) || amounts->name
	return false AMOUNTS_USED(ROW);
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

#endif
