/* JSON as a tree whose numbers keep their text, so that no decimal passes through a floating point number. */
#ifndef BURSAR_DOMAIN_USAGE_RAW_JSON_H
#define BURSAR_DOMAIN_USAGE_RAW_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
	RAW_JSON_BYTES_MAX = 65536,
	RAW_JSON_DEPTH_MAX = 32,
	RAW_JSON_VALUES_MAX = 4096,
	RAW_JSON_MEMBERS_MAX = 256 /* of one object */
};

enum raw_json_type {
	RAW_JSON_NULL,
	RAW_JSON_FALSE,
	RAW_JSON_TRUE,
	RAW_JSON_NUMBER,
	RAW_JSON_STRING,
	RAW_JSON_ARRAY,
	RAW_JSON_OBJECT
};

struct raw_json {
	enum raw_json_type type;
	bool read; /* for the reader of the tree: this number was understood */
	const char *key; /* of a member, as written; not terminated */
	size_t key_len;
	const char *text; /* of a number; of a string what is between the quotes, as written; not terminated */
	size_t len;
	struct raw_json *child; /* of an array or object: the first value */
	struct raw_json *next;
};

/*
 * Reads one value, into the arena; its texts are in `json`. ERR_INVALID says what is wrong and where: not JSON, a member that
 * occurs twice, or more than the limits above.
 */
bool raw_json_parse(const char *json, size_t len, struct arena *arena, struct raw_json **out, struct err *err);

/* The text of a string without its escapes, terminated. NULL for other types, and if it would contain a NUL or half a surrogate pair. */
const char *raw_json_string(const struct raw_json *value, struct arena *arena);

/* Compares names, or words, without regard to case and underscores: promptTokenCount is prompt_token_count. */
bool raw_json_same_name(const char *a, size_t a_len, const char *b, size_t b_len);

/*
 * Text of a JSON number, or of such a number in a string, as a whole number of 10^-scale, rounded up: "0.00014" with scale 9 is
 * 140000. False when it is negative, or above 2^53-1 then.
 */
bool raw_json_decimal(const char *text, size_t len, int scale, int64_t *out);
/* Is it a number as JSON writes it? */
bool raw_json_is_number(const char *text, size_t len);

#endif
