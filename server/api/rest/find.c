/* Finds the row of a request, and says what is wrong with a path or a method that no row has. */
#include <stdio.h>
#include <string.h>

#include "api/rest/tree.h"
#include "base/text/distance.h"
#include "base/utf8.h"

/* Bytes of a path that a message shows. */
enum { SHOWN_MAX = 100 };

static const struct rest_node *step(const struct rest_node *node, struct rest_segment segment, struct rest_match *match)
{
	for (node = node->child; node; node = node->next) {
		if (node->word[0] == '{' && segment.len) {
			match->variable[match->count++] = segment;
			return node;
		}
		if (node->len == segment.len && memcmp(node->word, segment.text, segment.len) == 0)
			return node;
	}
	return NULL;
}

/* How much a path differs from a row's: by segment, whatever a variable holds. SIZE_MAX when it is no typo of it. */
static size_t path_distance(const char *path, size_t len, const struct rest_row *row)
{
	const char *at = path, *end = path + len, *row_at = row->path, *row_end = row_at + strlen(row_at);
	struct rest_segment typed, word;
	size_t sum = 0;

	while (rest_segment_next(&row_at, row_end, &word)) {
		char name[64];
		size_t distance;

		if (!rest_segment_next(&at, end, &typed) || !typed.len)
			return SIZE_MAX;
		snprintf(name, sizeof(name), "%.*s", (int)word.len, word.text);
		if (name[0] == '{')
			continue;
		distance = typed.len < sizeof(name) ? text_distance(typed.text, typed.len, name) : SIZE_MAX;
		if (distance && distance >= text_distance_limit(typed.len))
			return SIZE_MAX;
		sum += distance;
	}
	/* A slash at the end is the usual mistake. */
	return at == end ? sum : at + 1 == end ? sum + 1 : SIZE_MAX;
}

static const struct rest_row *nearest(const char *path, size_t len)
{
	const struct rest_row *best = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < rest_rows_count; i++) {
		size_t distance = path_distance(path, len, &rest_rows[i]);

		if (distance < least) {
			least = distance;
			best = &rest_rows[i];
		}
	}
	return best;
}

/* The beginning of a path, for a message; what is not UTF-8 is not shown. */
static int shown(const char *path, size_t len)
{
	size_t most = len < SHOWN_MAX ? len : SHOWN_MAX;

	while (most && most < len && ((unsigned char)path[most] & 0xc0) == 0x80)
		most--;
	return utf8_valid(path, most) && !memchr(path, '\0', most) ? (int)most : 0;
}

static const struct rest_row *no_path(const char *path, size_t len, struct err *err)
{
	const struct rest_row *near = len <= REST_PATH_MAX ? nearest(path, len) : NULL;
	char meant[REST_SHOWN_MAX];
	int most = shown(path, len);

	if (near)
		err_set(err, ERR_NOT_FOUND, "%.*s: there is no such path; did you mean %s?", most, path,
			rest_shown(near, meant));
	else
		err_set(err, ERR_NOT_FOUND, "%.*s: there is no such path; /docs has them all", most, path);
	err_reason_of(err, "PATH_NOT_FOUND", "%.*s", most, path);
	return NULL;
}

static const struct rest_row *other_method(
	const char *method, const struct rest_node *node, struct rest_match *match, struct err *err)
{
	size_t len = 0;

	for (int verb = 0; verb < REST_VERBS; verb++)
		if (node->row[verb])
			len += (size_t)snprintf(match->allow + len, sizeof(match->allow) - len, "%s%s%s",
				len ? ", " : "", rest_verbs[verb], verb == REST_GET ? ", HEAD" : "");
	err_set(err, ERR_UNIMPLEMENTED, "%.*s: this path does not have the method; it has %s",
		shown(method, strnlen(method, 16)), method, match->allow);
	err_reason(err, "METHOD_NOT_ALLOWED");
	return NULL;
}

static bool ends_a_row(const struct rest_node *node)
{
	for (int verb = 0; verb < REST_VERBS; verb++)
		if (node->row[verb])
			return true;
	return false;
}

const struct rest_row *rest_find(
	const char *method, const char *path, size_t len, struct rest_match *match, struct err *err)
{
	const char *at = path, *end = path + len;
	const struct rest_node *node = len <= REST_PATH_MAX ? rest_tree() : NULL;
	enum rest_verb verb = rest_verb_of(method);
	struct rest_segment segment;

	match->count = 0;
	match->allow[0] = '\0';
	while (node && rest_segment_next(&at, end, &segment))
		node = step(node, segment, match);
	if (!node || at != end || !ends_a_row(node))
		return no_path(path, len, err);
	if (verb == REST_VERBS || !node->row[verb])
		return other_method(method, node, match, err);
	return node->row[verb];
}
