/*
 * A fleet as a document: what `bursar export` writes and `bursar apply` reads. The tables say which key of the document is which field of
 * the API's messages; reading, writing and comparing all go by them.
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
	FLEET_WORD, /* an enum: the name behind `prefix`, in small letters */
	FLEET_DURATION,
	FLEET_SLOTS, /* a count, or "option": the server's */
	FLEET_LIMITS, /* a list of limits as limit_spec.h has them */
	FLEET_LEVELS, /* a list of entries of fleet_level */
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
extern const struct fleet_table fleet_settings, fleet_tier, fleet_pool, fleet_level, fleet_account, fleet_text;

/* The keys of the document that hold entries by name, and what kind of account each is (0: none). */
struct fleet_section {
	const char *key, *title; /* "teams", "team" */
	const struct fleet_table *table;
	Bursar__V1__AccountKind kind;
	const char *path; /* of the list in the API's document */
};
extern const struct fleet_section fleet_sections[];
extern const size_t fleet_sections_count;

/* What is in an entry, in the table's order; what is empty, 0 or false is left out. `names`: those of limits, too. */
json_t *fleet_entry_json(const struct fleet_table *table, const ProtobufCMessage *entry, bool names);
/* The whole document, as it is written. */
json_t *fleet_json(const Bursar__V1__TenantDocument *document);

/* A document that was read, and where its parts stand. All zeros is empty; fleet_release frees what there is. */
struct fleet {
	char *tenant; /* as the document says; NULL: it does not */
	Bursar__V1__TenantDocument *document;
	size_t places;
	struct fleet_place {
		char *field; /* as the API names it: "document.tiers[2].limits[0]" */
		char *path; /* as the document does: "tiers.pro.limits[0]" */
		int line, column;
	} * place;
};

/* ERR_INVALID, whose text is "LINE:COLUMN: PATH: what is wrong". */
bool fleet_read(const struct yaml *root, struct fleet *out, struct err *err);
void fleet_release(struct fleet *fleet);
/* The place that the server's error is about; NULL for none. */
const struct fleet_place *fleet_find(const struct fleet *fleet, const char *field);

/* Appends what changes, entry by entry and field by field, and the sum. */
void fleet_show(struct cli *cli, const Bursar__V1__ApplyResponse *answer);

#endif
