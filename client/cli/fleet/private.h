/* Shared by the readers of a fleet's document. */
#ifndef BURSAR_CLI_FLEET_PRIVATE_H
#define BURSAR_CLI_FLEET_PRIVATE_H

#include "cli/fleet/fleet.h"

struct reading;
struct path;
/* texts.c: the document's map of languages and codes. */
bool fleet_read_texts(struct reading *r, const struct yaml *at);
/* Likewise: the maps of aliases, and of families. */
bool fleet_read_aliases(struct reading *r, const struct yaml *at);
bool fleet_read_families(struct reading *r, const struct yaml *at);
/* alerts.c: channels and rules, by name. */
bool fleet_read_alerts(struct reading *r, const struct yaml *at);
/* lists.c: a list of plain values; NULL: empty. */
json_t *fleet_list_json(
	const struct fleet_field *row, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *entry);

/* The current position, as a path in the API and in the document. */
struct path {
	char field[96], shown[256];
};

struct reading {
	struct fleet *fleet;
	struct err *err;
};

/* A new, initialised message, and a copy of a text. Never NULL. */
void *fleet_message(const ProtobufCMessageDescriptor *descriptor);
char *fleet_copy(const char *text);
/* Appends to the list of pointers that `items` points to. */
void fleet_list_add(void *items, size_t *count, void *item);

/* Remembers the position of a node. */
void fleet_note(struct reading *r, const struct path *path, const struct yaml *at);
/* Reports what is wrong, and where. Always returns false. */
bool fleet_wrong(struct reading *r, const struct path *path, const struct yaml *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct path fleet_path_key(const struct path *path, const char *field, const char *key);

/* The most similar of the words tried; NULL when none is similar. */
struct nearest {
	const char *text, *word;
	size_t least;
};
void nearest_try(struct nearest *nearest, const char *word);
/* Reports an unknown key and suggests a similar one. Always returns false. */
bool fleet_unknown_key(struct reading *r, const struct path *path, const struct yaml *key, const char *nearest);

bool fleet_read_text(struct reading *r, const struct path *path, const struct yaml *at, char **out);
/* Reads the keys of a map into the fields of a message. */
bool fleet_read_entry(struct reading *r, const struct path *path, const struct yaml *at,
	const struct fleet_table *table, ProtobufCMessage *entry);

#endif
