/*
 * A fleet as a document: what `bursar export` writes and `bursar apply` reads. The tables map the keys of the document
 * to fields of the API's messages; reading, writing and comparing all use them.
 */
#ifndef BURSAR_CLI_FLEET_H
#define BURSAR_CLI_FLEET_H

#include <jansson.h>

#include "bursar/v1/admin.pb-c.h"
#include "cli/core/command.h"
#include "cli/encoding/yaml_read.h"

enum fleet_kind {
	FLEET_TEXT,
	FLEET_COUNT,
	FLEET_TRUTH,
	FLEET_WORD, /* an enum: the name after `prefix`, in lower case */
	FLEET_DURATION,
	FLEET_SLOTS, /* a count, or "option" for the server's option */
	FLEET_LIMITS, /* a list of limits, in the syntax of limit_spec.h */
	FLEET_LEVELS, /* a list of fleet_level entries */
	FLEET_SECONDS, /* a duration, in seconds */
	FLEET_MINUTE, /* a time of the day, such as 22:00 */
	FLEET_NUMBERS, /* a list of counts */
	FLEET_NAMES, /* a list of texts */
	FLEET_WORDS, /* a list of an enum's names */
};
struct fleet_field {
	const char *key, *field;
	enum fleet_kind kind;
	const char *prefix;
};
struct fleet_table {
	const ProtobufCMessageDescriptor *message;
	const struct fleet_field *fields;
	size_t count;
};
extern const struct fleet_table fleet_settings, fleet_tier, fleet_pool, fleet_level, fleet_account, fleet_text,
	fleet_alias, fleet_family, fleet_channel, fleet_rule;

/* The beginning of a family's rule that begins at no time. */
#define FLEET_ALWAYS "always"

/* The keys of the document that hold entries by name, and their kind of account (0: not accounts). */
struct fleet_section {
	const char *key, *title; /* "teams", "team" */
	const struct fleet_table *table;
	Bursar__V1__AccountKind kind;
	const char *path; /* the list in the API's document */
};
extern const struct fleet_section fleet_sections[];
extern const size_t fleet_sections_count;

/* An entry, in the table's order, without what is empty, 0 or false. `names`: includes the names of limits. */
json_t *fleet_entry_json(const struct fleet_table *table, const ProtobufCMessage *entry, bool names);
/* The whole document, as export writes it. */
json_t *fleet_json(const Bursar__V1__TenantDocument *document);

/* A document that was read, and the positions of its parts. All zeros is empty; free it with fleet_release. */
struct fleet {
	char *tenant; /* from the document; NULL: it names none */
	Bursar__V1__TenantDocument *document;
	size_t places;
	struct fleet_place {
		char *field; /* the path in the API: "document.tiers[2].limits[0]" */
		char *path; /* the path in the document: "tiers.pro.limits[0]" */
		int line, column;
	} * place;
};

/* Reads a document. False with ERR_INVALID "LINE:COLUMN: PATH: what is wrong". */
bool fleet_read(const struct yaml *root, struct fleet *out, struct err *err);
void fleet_release(struct fleet *fleet);
/* The position that the server's error is about; NULL for none. */
const struct fleet_place *fleet_find(const struct fleet *fleet, const char *field);

/* Appends what changes, entry by entry and field by field, and the totals. */
void fleet_show(struct cli *cli, const Bursar__V1__ApplyResponse *answer);

#endif
