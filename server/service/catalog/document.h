/* Works out what a document changes, without I/O, so that a dry run shows exactly what an apply does. */
#ifndef BURSAR_SERVICE_CATALOG_DOCUMENT_H
#define BURSAR_SERVICE_CATALOG_DOCUMENT_H

#include "store/document.h"

/*
 * For document_apply.compare: lists in op->change what turns `now` into op->wanted, in an order in which each change
 * finds what it refers to: tiers, settings, pools, accounts, texts, aliases, families, alerts, and with prune the removed tiers. Fills in the
 * stored secrets of wanted channels. ERR_INVALID with the
 * field's path ("document.accounts[2].tier") if `wanted` refers to something that will not exist; ERR_PRECONDITION if
 * op->expected is another fingerprint. The names of entries in `wanted` must be distinct.
 */
bool document_compare(struct document_apply *op, const struct document *now, struct err *err);

/* True if the entry sets nothing. Such an account equals one that does not exist. */
bool document_account_empty(const struct account_row *account);

#endif
