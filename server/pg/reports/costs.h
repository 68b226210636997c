/* The part of bills that comes from usage_costs. */
#ifndef BURSAR_PG_REPORTS_COSTS_H
#define BURSAR_PG_REPORTS_COSTS_H

#include "pg/link/link.h"
#include "store/admin.h"

/* Adds to the page's lines what re-ratings changed and what providers said. */
bool report_costs_add(struct report_page *op, struct pg_link *link, struct err *err);

#endif
