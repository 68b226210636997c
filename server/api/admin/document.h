/* Documents between protobuf and the words of the domain. What is made lies in the arena, and points into what it is made of. */
#ifndef BURSAR_API_ADMIN_DOCUMENT_H
#define BURSAR_API_ADMIN_DOCUMENT_H

#include "api/admin/private.h"
#include "store/document.h"

/* The whole document; names of limits that follow from the rest are left out, accounts that say nothing, too. */
Bursar__V1__TenantDocument *document_message(struct arena *arena, const struct document *document);

/* One side of a change, as a document of that entry alone. */
Bursar__V1__TenantDocument *document_side_message(
	struct arena *arena, const char *tenant, const struct document_change *change, bool after);

/*
 * ERR_INVALID with the field's path within the document ("tiers[2].limits[0].amount"). Overrides that have ended are left out; models are
 * meant by any of the names that the catalog has.
 */
bool document_from_message(const Bursar__V1__TenantDocument *message, const struct catalog *catalog, const char *tenant,
	int64_t now_us, struct arena *arena, struct document *out, struct err *err);

#endif
