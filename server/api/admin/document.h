/* Converts documents between protobuf and domain structs. Results live in the arena and point into their source. */
#ifndef BURSAR_API_ADMIN_DOCUMENT_H
#define BURSAR_API_ADMIN_DOCUMENT_H

#include "api/admin/private.h"
#include "store/document.h"

/* The whole document, without limit names that follow from other fields and without accounts that hold no settings. */
Bursar__V1__TenantDocument *document_message(struct arena *arena, const struct document *document);

/* One side of a change, as a document with that entry alone. */
Bursar__V1__TenantDocument *document_side_message(
	struct arena *arena, const char *tenant, const struct document_change *change, bool after);

/*
 * ERR_INVALID names the field's path within the document ("tiers[2].limits[0].amount"). Overrides that have ended are
 * dropped; a model may be given by any of its names in the catalog.
 */
bool document_from_message(const Bursar__V1__TenantDocument *message, const struct catalog *catalog, const char *tenant,
	int64_t now_us, struct arena *arena, struct document *out, struct err *err);

#endif
