/* The tenants' texts, for the catalog. */
#ifndef BURSAR_PG_LOOKUP_TEXTS_H
#define BURSAR_PG_LOOKUP_TEXTS_H

#include <libpq-fe.h>

#include "store/catalog_build.h"

#define TEXTS_SQL "SELECT tenant, code, language, text FROM texts ORDER BY tenant"

/* Takes what TEXTS_SQL answers. A template that is not valid is left out and logged. */
void catalog_texts_load(struct catalog_parts *parts, const PGresult *texts);

#endif
