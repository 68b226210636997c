/*
 * Reads YAML (and so JSON) into a tree that remembers the position of everything. One document, without anchors,
 * aliases and tags.
 */
#ifndef BURSAR_CLI_YAML_READ_H
#define BURSAR_CLI_YAML_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { YAML_DEPTH_MAX = 16, YAML_BYTES_MAX = 1 << 20 };

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

/* In a map, keys[i] belongs to items[i], and keys are unique. All texts are terminated and contain no NUL. */
struct yaml {
	enum yaml_kind kind;
	int line, column; /* from 1 */
	char *text; /* YAML_TEXT */
	bool quoted; /* written in quotes or as a block: never a number or an empty value */
	size_t count;
	struct yaml **keys, **items;
};

/*
 * Reads at most `most` bytes. Free with yaml_tree_free. NULL with ERR_INVALID, whose text begins with "LINE:COLUMN:
 * ".
 */
struct yaml *yaml_tree_parse(const char *text, size_t len, size_t most, struct err *err);
void yaml_tree_free(struct yaml *yaml);

/* Whether the value is missing, as after "teams:". */
bool yaml_is_nothing(const struct yaml *yaml);

/* The node at a path such as "prices[3].input", or the last existing node on the way. */
const struct yaml *yaml_find(const struct yaml *yaml, const char *path);

/* err_set with the position before the message. Always returns false. */
bool yaml_wrong(const struct yaml *at, struct err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
