/* Setting and showing one option. */
#include "base/conf/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text/distance.h"

/* An option; what follows `doc_` is what its type needs besides. */
#define ROW(type_, name_, initial_, doc_, ...) \
	{.type = (type_), \
		.name = #name_, \
		.initial = (initial_), \
		.doc = (doc_), \
		.offset = offsetof(struct conf, name_), \
		__VA_ARGS__},
const struct conf_row conf_rows[] = {
#define CONF_GROUP(title) {.type = CONF_TYPE_GROUP, .name = (title)},
#define CONF_TEXT(name_, initial_, check_, doc_) ROW(CONF_TYPE_TEXT, name_, initial_, doc_, .check = (check_))
#define CONF_SECRET(name_, initial_, check_, doc_) \
	ROW(CONF_TYPE_TEXT, name_, initial_, doc_, .check = (check_), .secret = true)
#define CONF_INT(name_, initial_, least_, most_, doc_) \
	ROW(CONF_TYPE_INT, name_, #initial_, doc_, .least = (least_), .most = (most_))
#define CONF_SIZE(name_, initial_, least_, most_, doc_) \
	ROW(CONF_TYPE_INT, name_, #initial_, doc_, .least = (least_), .most = (most_), .bytes = true)
#define CONF_BOOL(name_, initial_, doc_) ROW(CONF_TYPE_BOOL, name_, #initial_, doc_, )
#define CHOICE(name_, initial_, doc_, ...) ROW(CONF_TYPE_CHOICE, name_, #initial_, doc_, .words = {__VA_ARGS__})
#define CONF_CHOICE2(name_, initial_, a, b, doc_) CHOICE(name_, initial_, doc_, #a, #b)
#define CONF_CHOICE3(name_, initial_, a, b, c, doc_) CHOICE(name_, initial_, doc_, #a, #b, #c)
#define CONF_CHOICE4(name_, initial_, a, b, c, d, doc_) CHOICE(name_, initial_, doc_, #a, #b, #c, #d)
#define CONF_SET4(name_, initial_, a, b, c, d, doc_) \
	ROW(CONF_TYPE_SET, name_, initial_, doc_, .words = {#a, #b, #c, #d})
#include "base/conf/conf.def"
#include "base/conf/undef.h"
};
const size_t conf_row_count = sizeof(conf_rows) / sizeof(conf_rows[0]);

static void *place(const struct conf *conf, const struct conf_row *row)
{
	return (char *)(uintptr_t)conf + row->offset;
}

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

const struct conf_row *conf_find(const char *name, size_t len)
{
	for (size_t i = 0; i < conf_row_count; i++) {
		const struct conf_row *row = &conf_rows[i];
		size_t at = 0;

		if (row->type == CONF_TYPE_GROUP || strlen(row->name) != len)
			continue;
		while (at < len && fold(name[at]) == row->name[at])
			at++;
		if (at == len)
			return row;
	}
	return NULL;
}

const struct conf_row *conf_nearest(const char *name, size_t len)
{
	const struct conf_row *nearest = NULL;
	size_t least = text_distance_limit(len);

	for (size_t i = 0; i < conf_row_count; i++) {
		size_t d =
			conf_rows[i].type == CONF_TYPE_GROUP ? SIZE_MAX : text_distance(name, len, conf_rows[i].name);

		if (d < least) {
			least = d;
			nearest = &conf_rows[i];
		}
	}
	return nearest;
}

void conf_row_range(const struct conf_row *row, struct buf *out)
{
	switch (row->type) {
	case CONF_TYPE_INT:
		buf_putf(out, "%" PRId64 " to %" PRId64, row->least, row->most);
		break;
	case CONF_TYPE_BOOL:
		buf_put_str(out, "true or false");
		break;
	case CONF_TYPE_CHOICE:
	case CONF_TYPE_SET:
		for (int i = 0; i < CONF_WORDS && row->words[i]; i++) {
			bool last = i + 1 == CONF_WORDS || !row->words[i + 1];

			buf_putf(out, "%s%s", i == 0 ? "" : last ? " or " : ", ", row->words[i]);
		}
		if (row->type == CONF_TYPE_SET)
			buf_put_str(out, ", or several of them separated by commas");
		break;
	case CONF_TYPE_TEXT:
		buf_put_str(out, "text");
		break;
	case CONF_TYPE_GROUP:
		break;
	}
}

static bool refuse(const struct conf_row *row, const char *value, const char *where, struct err *err)
{
	struct buf range = {0};

	conf_row_range(row, &range);
	err_invalid(err, where, "invalid value \"%.80s\"; allowed: %s", value, buf_str(&range));
	buf_release(&range);
	return false;
}

static bool parse_int(const struct conf_row *row, const char *value, int64_t *number)
{
	long long parsed;
	int64_t unit = 1;
	char *rest;

	errno = 0;
	parsed = strtoll(value, &rest, 10);
	if (rest == value || errno)
		return false;
	if (row->bytes && strcmp(rest, "KiB") == 0)
		unit = 1024;
	else if (row->bytes && strcmp(rest, "MiB") == 0)
		unit = INT64_C(1024) * 1024;
	else if (*rest)
		return false;
	if (__builtin_mul_overflow(parsed, unit, number))
		return false;
	return *number >= row->least && *number <= row->most;
}

static int word_index(const struct conf_row *row, const char *word, size_t len)
{
	for (int i = 0; i < CONF_WORDS && row->words[i]; i++)
		if (strlen(row->words[i]) == len && memcmp(row->words[i], word, len) == 0)
			return i;
	return -1;
}

static bool parse_set(const struct conf_row *row, const char *value, unsigned *bits)
{
	unsigned set = 0;

	for (;;) {
		size_t len = strcspn(value, ",");
		int index = word_index(row, value, len);

		if (index < 0)
			return false;
		set |= 1u << index;
		if (!value[len])
			break;
		value += len + 1;
	}
	*bits = set;
	return true;
}

static bool parse_bool(const char *value, bool *flag)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "1") == 0)
		*flag = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "no") == 0 || strcmp(value, "0") == 0)
		*flag = false;
	else
		return false;
	return true;
}

static bool set_text(const struct conf_row *row, const char *value, char **text, const char *where, struct err *err)
{
	size_t len = strlen(value);
	char *copy;

	if (row->check && len && !row->check(value, err))
		return err_prefix(err, "%s: ", where);
	copy = mem_zalloc(1, len + 1);
	memcpy(copy, value, len);
	free(*text);
	*text = copy;
	return true;
}

bool conf_set_row(struct conf *conf, const struct conf_row *row, const char *value, const char *where, struct err *err)
{
	int index;

	switch (row->type) {
	case CONF_TYPE_TEXT:
		return set_text(row, value, place(conf, row), where, err);
	case CONF_TYPE_INT:
		if (!parse_int(row, value, place(conf, row)))
			return refuse(row, value, where, err);
		return true;
	case CONF_TYPE_BOOL:
		if (!parse_bool(value, place(conf, row)))
			return refuse(row, value, where, err);
		return true;
	case CONF_TYPE_CHOICE:
		index = word_index(row, value, strlen(value));
		if (index < 0)
			return refuse(row, value, where, err);
		/* The enumerations of conf.h count from 0, so the compiler stores all of them as unsigned int. */
		*(unsigned *)place(conf, row) = (unsigned)index;
		return true;
	case CONF_TYPE_SET:
		if (!parse_set(row, value, place(conf, row)))
			return refuse(row, value, where, err);
		return true;
	case CONF_TYPE_GROUP:
		break;
	}
	return err_invalid(err, where, "unknown option");
}

void conf_value(const struct conf *conf, const struct conf_row *row, struct buf *out)
{
	const void *at = place(conf, row);
	bool any = false;

	switch (row->type) {
	case CONF_TYPE_TEXT:
		buf_put_str(out, *(char *const *)at);
		break;
	case CONF_TYPE_INT:
		buf_putf(out, "%" PRId64, *(const int64_t *)at);
		break;
	case CONF_TYPE_BOOL:
		buf_put_str(out, *(const bool *)at ? "true" : "false");
		break;
	case CONF_TYPE_CHOICE:
		buf_put_str(out, row->words[*(const unsigned *)at]);
		break;
	case CONF_TYPE_SET:
		for (int i = 0; i < CONF_WORDS; i++) {
			if (!(*(const unsigned *)at & 1u << i))
				continue;
			buf_putf(out, "%s%s", any ? "," : "", row->words[i]);
			any = true;
		}
		break;
	case CONF_TYPE_GROUP:
		break;
	}
}

void conf_init(struct conf *conf)
{
	struct err err;

	*conf = (struct conf){0};
	for (size_t i = 0; i < conf_row_count; i++) {
		const struct conf_row *row = &conf_rows[i];

		/* A default that fails its own check is a bug in the table. */
		if (row->type != CONF_TYPE_GROUP && !conf_set_row(conf, row, row->initial, row->name, &err))
			abort();
	}
}

void conf_release(struct conf *conf)
{
	for (size_t i = 0; i < conf_row_count; i++)
		if (conf_rows[i].type == CONF_TYPE_TEXT)
			free(*(char **)place(conf, &conf_rows[i]));
	*conf = (struct conf){0};
}
