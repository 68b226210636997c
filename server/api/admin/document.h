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

/* document_alerts.c: the part of alerts, without secrets and what channels do. */
Bursar__V1__AlertDocument *document_alerts_message(struct arena *arena, const char *tenant,
	const struct alert_rule *rules, int rules_count, const struct alert_channel *channels, int channels_count);
/* Its error paths begin with "alerts". Channels are checked when their stored secrets are known. */
bool document_alerts_read(
	const Bursar__V1__AlertDocument *message, struct arena *arena, struct document *out, struct err *err);

/* document_alerts.c: whether an entry's own tenant, if it gives one, is the document's. */
bool document_tenant_check(const char *given, const char *tenant, const char *field, struct err *err);

#endif
