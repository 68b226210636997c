/* What the readers of a fleet's document share. */
#ifndef BURSAR_CLI_FLEET_PRIVATE_H
#define BURSAR_CLI_FLEET_PRIVATE_H

#include "cli/fleet/fleet.h"

/* texts: the document's map of languages and codes. */
json_t *fleet_texts_json(const Bursar__V1__TenantDocument *document);
struct reading;
bool fleet_read_texts(struct reading *r, const struct yaml *at);

/* Where we are, in the words of the API and of the document. */
struct path {
	char field[96], shown[256];
};

struct reading {
	struct fleet *fleet;
	struct err *err;
};

/* malloc's, initialised; and a copy of a text. Never NULL. */
void *fleet_message(const ProtobufCMessageDescriptor *descriptor);
char *fleet_copy(const char *text);
/* Appends to the list of pointers that `items` points to. */
void fleet_list_add(void *items, size_t *count, void *item);

/* Remembers where it stands. */
void fleet_note(struct reading *r, const struct path *path, const struct yaml *at);
/* Says what is wrong, and where. Returns false, always. */
bool fleet_wrong(struct reading *r, const struct path *path, const struct yaml *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
struct path fleet_path_key(const struct path *path, const char *field, const char *key);

/* Of the words tried the one that looks most like the text; NULL when none does. */
struct nearest {
	const char *text, *word;
	size_t least;
};
void nearest_try(struct nearest *nearest, const char *word);
/* Says that there is no such key, and which one may be meant. Returns false, always. */
bool fleet_unknown_key(struct reading *r, const struct path *path, const struct yaml *key, const char *nearest);

bool fleet_read_text(struct reading *r, const struct path *path, const struct yaml *at, char **out);
/* The keys of a map to the fields of a message. */
bool fleet_read_entry(struct reading *r, const struct path *path, const struct yaml *at,
	const struct fleet_table *table, ProtobufCMessage *entry);

#endif
