/* YAML (and so JSON) as a tree that remembers where everything stands. One document, without anchors, aliases and tags. */
#ifndef BURSAR_CLI_YAML_READ_H
#define BURSAR_CLI_YAML_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { YAML_DEPTH_MAX = 16, YAML_BYTES_MAX = 1 << 20 };

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

/* Of a map, keys[i] belongs to items[i], and no two are the same. All texts are terminated, and hold no NUL. */
struct yaml {
	enum yaml_kind kind;
	int line, column; /* from 1 */
	char *text; /* YAML_TEXT */
	bool quoted; /* written in quotes, or as a block: never a number or nothing */
	size_t count;
	struct yaml **keys, **items;
};

/* At most `most` bytes. Free with yaml_tree_free. NULL with ERR_INVALID, whose text begins with "LINE:COLUMN: ". */
struct yaml *yaml_tree_parse(const char *text, size_t len, size_t most, struct err *err);
void yaml_tree_free(struct yaml *yaml);

/* Is it a text that nobody wrote, as behind "teams:"? */
bool yaml_is_nothing(const struct yaml *yaml);

/* What a path of keys and places such as "prices[3].input" leads to, or the last on the way that is there. */
const struct yaml *yaml_find(const struct yaml *yaml, const char *path);

/* err_set with the place before it. Returns false, always. */
bool yaml_wrong(const struct yaml *at, struct err *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
