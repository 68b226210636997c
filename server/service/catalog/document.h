/* What a document changes: pure, so that what is shown and what is done is the same. */
#ifndef BURSAR_SERVICE_CATALOG_DOCUMENT_H
#define BURSAR_SERVICE_CATALOG_DOCUMENT_H

#include "store/document.h"

/*
 * For document_apply.compare: lists in op->change what has to be done to make `now` as op->wanted says, in an order in which each
 * finds what it names: tiers, settings, pools, accounts, texts, and with prune the tiers that go. What `wanted` names has to exist then
 * (ERR_INVALID with the field's path, "document.accounts[2].tier"); ERR_PRECONDITION when op->expected is another fingerprint.
 * Entries of `wanted` have distinct names.
 */
bool document_compare(struct document_apply *op, const struct document *now, struct err *err);

/* Does the entry say nothing? An account that does not exist is the same as one that says nothing. */
bool document_account_empty(const struct account_row *account);

#endif
