/* The rows of conf.def as data: only for the files of this folder. */
#ifndef BURSAR_BASE_CONF_TABLE_H
#define BURSAR_BASE_CONF_TABLE_H

#include "base/conf/conf.h"

enum conf_type { CONF_TYPE_GROUP, CONF_TYPE_TEXT, CONF_TYPE_INT, CONF_TYPE_BOOL, CONF_TYPE_CHOICE, CONF_TYPE_SET };
enum { CONF_WORDS = 4 };

struct conf_row {
	enum conf_type type;
	const char *name; /* a group's title, or the option's name with '_' */
	const char *initial;
	const char *doc;
	size_t offset;
	bool secret;
	bool bytes; /* an INT that accepts KiB and MiB */
	int64_t least, most;
	const char *words[CONF_WORDS];
	bool (*check)(const char *value, struct err *err);
};

extern const struct conf_row conf_rows[];
extern const size_t conf_row_count;

/* The option called `name` ('-' and '_' are equal), `len` bytes long; NULL when there is none. */
const struct conf_row *conf_find(const char *name, size_t len);

/* The option with the most similar name; NULL when none is similar enough to be a typo of it. */
const struct conf_row *conf_nearest(const char *name, size_t len);

/* Sets one option. `where` is the option as it was given ("--drain-ms", "bursar.conf:3: drain_ms"), for the error. */
bool conf_set_row(struct conf *conf, const struct conf_row *row, const char *value, const char *where, struct err *err)
	__attribute__((warn_unused_result));

/* Appends the option's value as text, including the passwords in a secret. */
void conf_value(const struct conf *conf, const struct conf_row *row, struct buf *out);

/* Appends the values that an option accepts: "0 to 600000", "admit or refuse". */
void conf_row_range(const struct conf_row *row, struct buf *out);

#endif
