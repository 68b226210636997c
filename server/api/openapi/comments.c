/* Reads comments out of a FileDescriptorSet. The field numbers are those of google/protobuf/descriptor.proto. */
#include "api/openapi/comments.h"

#include <stdlib.h>
#include <string.h>

#include "api/health/descriptors.h"
#include "base/arena.h"

enum { FILE_PACKAGE = 2, FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6, FILE_SOURCE_INFO = 9 };
enum { OWN_NAME = 1, MEMBERS = 2 }; /* fields, values, methods: all have the number 2 */
enum { INFO_LOCATION = 1, LOCATION_PATH = 1, LOCATION_LEADING = 3, LOCATION_TRAILING = 4 };

/* A location's path is {FILE_MESSAGE, index} or {FILE_MESSAGE, index, MEMBERS, index}; longer ones are of parts of those. */
enum { PATH_MAX_LEN = 4 };
struct location {
	unsigned path[PATH_MAX_LEN], len;
	struct piece leading, trailing;
};
struct type {
	struct piece name, descriptor;
	size_t locations, locations_end; /* of its file */
	unsigned path[2];
};

struct comments {
	struct location *location;
	struct type *type;
	size_t locations, types;
};

static void *more(void *list, size_t count, size_t size)
{
	return count & (count - 1) ? list : mem_realloc(list, (count ? 2 * count : 1) * size);
}

static void add_location(struct comments *comments, struct piece piece)
{
	struct location location = {
		.leading = piece_first(piece, LOCATION_LEADING), .trailing = piece_first(piece, LOCATION_TRAILING)};
	struct piece path = piece_first(piece, LOCATION_PATH);
	const uint8_t *at = path.data, *end = at + path.len;

	while (at < end) {
		unsigned number = (unsigned)piece_varint(&at, end);

		if (location.len == PATH_MAX_LEN)
			return;
		location.path[location.len++] = number;
	}
	if (!location.leading.len && !location.trailing.len)
		return;
	comments->location = more(comments->location, comments->locations, sizeof(location));
	comments->location[comments->locations++] = location;
}

static void add_types(struct comments *comments, struct piece file, size_t from)
{
	unsigned index[FILE_SERVICE + 1] = {0}, number;
	struct piece value;

	while (piece_next(&file, &number, &value)) {
		if (number != FILE_MESSAGE && number != FILE_ENUM && number != FILE_SERVICE)
			continue;
		comments->type = more(comments->type, comments->types, sizeof(*comments->type));
		comments->type[comments->types++] = (struct type){.name = piece_first(value, OWN_NAME),
			.descriptor = value,
			.locations = from,
			.locations_end = comments->locations,
			.path = {number, index[number]++}};
	}
}

struct comments *comments_read(void)
{
	static const char package[] = "bursar.v1";
	struct comments *comments = mem_zalloc(1, sizeof(*comments));
	struct piece set = descriptors_all(), file, location;
	unsigned number;

	while (piece_next(&set, &number, &file)) {
		struct piece name = piece_first(file, FILE_PACKAGE), info = piece_first(file, FILE_SOURCE_INFO);
		size_t from = comments->locations;

		if (name.len != strlen(package) || memcmp(name.data, package, name.len) != 0)
			continue;
		while (piece_next(&info, &number, &location))
			if (number == INFO_LOCATION)
				add_location(comments, location);
		add_types(comments, file, from);
	}
	return comments;
}

void comments_free(struct comments *comments)
{
	free(comments->location);
	free(comments->type);
	free(comments);
}

static bool is(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && memcmp(piece.data, text, piece.len) == 0;
}

/* The index of a member; false when there is none of that name. */
static bool member_at(struct piece descriptor, const char *name, unsigned *index)
{
	struct piece value;
	unsigned number;

	*index = 0;
	while (piece_next(&descriptor, &number, &value)) {
		if (number != MEMBERS)
			continue;
		if (is(piece_first(value, OWN_NAME), name))
			return true;
		++*index;
	}
	return false;
}

/* Adds the words of a comment, whose lines begin with a space, as one line. */
static void put(struct buf *out, struct piece text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = (char)text.data[i];
		bool space = c == ' ' || c == '\n';

		if (space && (!out->len || out->data[out->len - 1] == ' '))
			continue;
		buf_put_u8(out, (uint8_t)(space ? ' ' : !out->len && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
	}
}

static void put_location(const struct location *location, struct buf *out)
{
	put(out, location->leading);
	if (location->leading.len && location->trailing.len)
		put(out, (struct piece){.data = (const uint8_t *)" ", .len = 1});
	put(out, location->trailing);
	while (out->len && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

void comments_put(const struct comments *comments, const char *name, const char *member, struct buf *out)
{
	const char *own = strrchr(name, '.');
	const struct type *type = NULL;
	unsigned path[PATH_MAX_LEN] = {0}, len = member ? 4 : 2;

	for (size_t i = 0; i < comments->types && !type; i++)
		if (is(comments->type[i].name, own ? own + 1 : name))
			type = &comments->type[i];
	if (!type || (member && !member_at(type->descriptor, member, &path[3])))
		return;
	path[0] = type->path[0];
	path[1] = type->path[1];
	path[2] = member ? MEMBERS : 0;
	for (size_t i = type->locations; i < type->locations_end; i++)
		if (comments->location[i].len == len &&
			memcmp(comments->location[i].path, path, len * sizeof(path[0])) == 0) {
			put_location(&comments->location[i], out);
			return;
		}
}
