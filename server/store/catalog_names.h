/* Internals of the catalog: model names. All others include store/catalog.h. */
#ifndef BURSAR_STORE_CATALOG_NAMES_H
#define BURSAR_STORE_CATALOG_NAMES_H

#include "store/catalog_build.h"

/* For each tenant and `other`, finds which accounts belong to which models. Then sets the models of every tier's
 * limits. */
void catalog_names_make(const struct catalog *catalog, struct catalog_parts *parts, struct tenant *other);

void tenant_names_free(struct tenant *tenant);

#endif
