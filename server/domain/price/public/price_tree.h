/*
 * The values of a JSON text as a tree in which numbers stay as they are written, so that a price is never a double. The same for
 * the list of Python constructors in which the package genai-prices ships its data: ModelPrice(input_mtok=Decimal('8')) is an
 * object with a member, Decimal('8') a number, any other call an object whose positional arguments have the name "".
 */
#ifndef BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_TREE_H
#define BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define TREE_DEPTH_MAX 32
#define TREE_NODES_MAX (1 << 19)

enum tree_kind { TREE_NULL, TREE_FALSE, TREE_TRUE, TREE_NUMBER, TREE_TEXT, TREE_LIST, TREE_OBJECT };

struct tree {
	enum tree_kind kind;
	int line; /* where it begins, from 1 */
	const char *name; /* of a member of an object; else "" */
	const char *text; /* of a number, as it is written; of a text; of a call in Python, its name */
	const struct tree *first, *next; /* of a list's or object's values, in order */
};

/* Everything lives in the arena, except that `text` may be freed. ERR_INVALID names the line. */
bool tree_parse(const char *text, size_t len, struct arena *arena, const struct tree **out, struct err *err)
	__attribute__((warn_unused_result));

/* The first member of that name; NULL if there is none, or `object` is NULL or not an object. */
const struct tree *tree_member(const struct tree *object, const char *name);
/* The text of that member; "" if it is missing or not a text. */
const char *tree_text(const struct tree *object, const char *name);

/* A number as it is written, times 10^scale, as an integer. */
enum decimal {
	DECIMAL_OK,
	DECIMAL_BAD, /* not a number, or below 0 */
	DECIMAL_FINE, /* has a fraction */
	DECIMAL_LARGE /* 10^18 or more */
};
enum decimal decimal_scale(const char *text, int scale, int64_t *out);

#endif
