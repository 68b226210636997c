/*
 * Walks through a serialized google.protobuf.FileDescriptorSet. Nothing is cached: reflection serves people who explore
 * the API, and scanning 100 kB takes no time. The field numbers are those of google/protobuf/descriptor.proto.
 */
#include "api/health/descriptors.h"

#include <string.h>

#include "base/embedded.h"

enum { SET_FILE = 1 };
enum { FILE_NAME = 1, FILE_PACKAGE = 2, FILE_IMPORT = 3, FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6 };
enum { OWN_NAME = 1 }; /* the same in every descriptor that has a name */
enum { MESSAGE_FIELD = 2, MESSAGE_MESSAGE = 3, MESSAGE_ENUM = 4, MESSAGE_ONEOF = 8 };
enum { SERVICE_METHOD = 2 };

enum what { A_MESSAGE, AN_ENUM, A_SERVICE, A_LEAF };

static bool is(struct piece piece, const char *text, size_t len)
{
	return piece.len == len && memcmp(piece.data, text, len) == 0;
}

/* The part of `symbol` after `name` and a dot: "" when it is `name` itself, NULL when it is not inside it. */
static const char *behind(const char *symbol, struct piece name)
{
	if (strncmp(symbol, (const char *)name.data, name.len) != 0)
		return NULL;
	symbol += name.len;
	return !*symbol ? symbol : symbol[0] == '.' && symbol[1] ? symbol + 1 : NULL;
}

/* Which kind of thing a field with that number describes inside a thing of kind `of`; false when it has no name. */
static bool is_named(enum what of, unsigned number, enum what *out)
{
	static const struct {
		enum what of;
		unsigned number;
		enum what what;
	} rows[] = {
		{A_MESSAGE, MESSAGE_FIELD, A_LEAF},
		{A_MESSAGE, MESSAGE_MESSAGE, A_MESSAGE},
		{A_MESSAGE, MESSAGE_ENUM, AN_ENUM},
		{A_MESSAGE, MESSAGE_ONEOF, A_LEAF},
		{A_SERVICE, SERVICE_METHOD, A_LEAF},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*out = rows[i].what;
		if (rows[i].of == of && rows[i].number == number)
			return true;
	}
	return false;
}

/* Whether `symbol` is the thing or something inside it. Recurses as deep as our messages nest, whatever the symbol. */
static bool defines(struct piece thing, enum what kind, const char *symbol)
{
	const char *rest = behind(symbol, piece_first(thing, OWN_NAME));
	struct piece value;
	unsigned number;
	enum what what;

	if (!rest || !*rest)
		return rest != NULL;
	while (piece_next(&thing, &number, &value))
		if (is_named(kind, number, &what) && defines(value, what, rest))
			return true;
	return false;
}

static bool file_kind(unsigned number, enum what *out)
{
	*out = number == FILE_MESSAGE ? A_MESSAGE : number == FILE_ENUM ? AN_ENUM : A_SERVICE;
	return number == FILE_MESSAGE || number == FILE_ENUM || number == FILE_SERVICE;
}

struct piece descriptors_all(void)
{
	return (struct piece){.data = bursar_descriptors, .len = bursar_descriptors_size};
}

static bool file_of(const char *name, size_t len, struct piece *out)
{
	struct piece set = descriptors_all(), file;
	unsigned number;

	while (piece_next(&set, &number, &file)) {
		if (number != SET_FILE || !is(piece_first(file, FILE_NAME), name, len))
			continue;
		*out = file;
		return true;
	}
	return false;
}

bool descriptors_file(const char *name, struct piece *out)
{
	return file_of(name, strlen(name), out);
}

bool descriptors_symbol(const char *symbol, struct piece *out)
{
	struct piece set = descriptors_all(), file, value;
	unsigned number;
	enum what what;

	while (piece_next(&set, &number, &file)) {
		const char *rest = behind(symbol, piece_first(file, FILE_PACKAGE));

		if (!rest || !*rest)
			continue;
		for (struct piece left = file; piece_next(&left, &number, &value);) {
			if (!file_kind(number, &what) || !defines(value, what, rest))
				continue;
			*out = file;
			return true;
		}
	}
	return false;
}

static bool has_message(struct piece of, unsigned member, const char *name)
{
	struct piece value;
	unsigned number;

	while (piece_next(&of, &number, &value)) {
		const char *rest = number == member ? behind(name, piece_first(value, OWN_NAME)) : NULL;

		if (rest && (!*rest || has_message(value, MESSAGE_MESSAGE, rest)))
			return true;
	}
	return false;
}

bool descriptors_has_message(const char *name)
{
	struct piece file;

	if (!descriptors_symbol(name, &file))
		return false;
	return has_message(file, FILE_MESSAGE, behind(name, piece_first(file, FILE_PACKAGE)));
}

static bool is_in(const struct piece *list, size_t count, struct piece piece)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].data == piece.data)
			return true;
	return false;
}

/* Breadth first; `out` doubles as the queue. */
size_t descriptors_with_imports(struct piece file, struct piece out[DESCRIPTORS_MAX])
{
	size_t count = 1;

	out[0] = file;
	for (size_t at = 0; at < count; at++) {
		struct piece left = out[at], name, import;
		unsigned number;

		while (piece_next(&left, &number, &name))
			if (number == FILE_IMPORT && file_of((const char *)name.data, name.len, &import) &&
				!is_in(out, count, import) && count < DESCRIPTORS_MAX)
				out[count++] = import;
	}
	return count;
}

void descriptors_services(void (*each)(const char *name, size_t len, void *arg), void *arg)
{
	struct piece set = descriptors_all(), file, value;
	unsigned number;

	while (piece_next(&set, &number, &file)) {
		struct piece package = piece_first(file, FILE_PACKAGE);

		for (struct piece left = file; piece_next(&left, &number, &value);) {
			struct piece own = piece_first(value, OWN_NAME);
			char name[256];

			if (number != FILE_SERVICE || package.len + own.len + 2 > sizeof(name))
				continue;
			memcpy(name, package.data, package.len);
			name[package.len] = '.';
			memcpy(name + package.len + 1, own.data, own.len);
			name[package.len + 1 + own.len] = '\0';
			each(name, package.len + 1 + own.len, arg);
		}
	}
}
