/* Compares the books. The comparison is made here, without relying on the server's verdict. */
#ifndef BURSAR_CLI_PROOF_H
#define BURSAR_CLI_PROOF_H

#include <stdbool.h>

#include "base/buf.h"
#include "bursar/v1/admin.pb-c.h"

/* A client's own count of acknowledged records. */
struct acknowledged {
	int64_t requests, tokens, cost_nano;
	int64_t unsure; /* calls that ended without an answer: the books may or may not include them */
};

/*
 * True when ledger, roll-ups and counters agree in requests, tokens and cost, and with `own` (may be NULL), and nothing
 * is undrained. Appends "proof: ok (...)" or "proof: FAILED (...)" with what differs, and a line end. With unsure calls
 * the books may hold more than `own`, never less.
 */
bool proof_put(struct buf *out, const Bursar__V1__Proof *proof, const struct acknowledged *own);

#endif
