/* Inside the catalog: what it makes of names of models. Everybody else includes store/catalog.h. */
#ifndef BURSAR_STORE_CATALOG_NAMES_H
#define BURSAR_STORE_CATALOG_NAMES_H

#include "store/catalog_build.h"

/* Of each tenant, and of `other`: which accounts stand for which models. Then every tier's limits get the models they name. */
void catalog_names_make(const struct catalog *catalog, struct catalog_parts *parts, struct tenant *other);

void tenant_names_free(struct tenant *tenant);

#endif
