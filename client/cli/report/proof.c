/* Compares the books (proof.h). */
#include "cli/report/proof.h"

#include <inttypes.h>

#include "cli/text/format.h"

static const Bursar__V1__ProofSum none = BURSAR__V1__PROOF_SUM__INIT;

static void put_sum(struct buf *out, int64_t requests, int64_t tokens, int64_t cost_nano)
{
	put_count(out, requests);
	buf_put_str(out, requests == 1 ? " request, " : " requests, ");
	put_count(out, tokens);
	buf_put_str(out, " tokens, ");
	put_money(out, cost_nano);
}

/* Appends "; NAME: ..." when the sum differs from the ledger's. */
static bool compare(
	struct buf *out, const char *name, const Bursar__V1__ProofSum *sum, const Bursar__V1__ProofSum *ledger)
{
	if (sum->requests == ledger->requests && sum->tokens == ledger->tokens &&
		sum->cost_nano_usd == ledger->cost_nano_usd)
		return true;
	buf_putf(out, "; %s: ", name);
	put_sum(out, sum->requests, sum->tokens, sum->cost_nano_usd);
	return false;
}

static bool compare_own(struct buf *out, const struct acknowledged *own, const Bursar__V1__ProofSum *ledger)
{
	bool less = ledger->requests < own->requests || ledger->tokens < own->tokens ||
		    ledger->cost_nano_usd < own->cost_nano;
	bool same = ledger->requests == own->requests && ledger->tokens == own->tokens &&
		    ledger->cost_nano_usd == own->cost_nano;

	if (same || (!less && own->unsure > 0 && ledger->requests <= own->requests + own->unsure))
		return true;
	buf_put_str(out, "; acknowledged: ");
	put_sum(out, own->requests, own->tokens, own->cost_nano);
	if (own->unsure > 0)
		buf_putf(out, " and %" PRId64 " calls without an answer", own->unsure);
	return false;
}

/* Compares the counters with the ledger's sums of the same windows; an older server sends only the sums. */
static bool compare_counters(struct buf *out, const Bursar__V1__Proof *proof, const Bursar__V1__ProofSum *ledger)
{
	if (!proof->windows)
		return compare(out, "counters", proof->counters ? proof->counters : &none, ledger);
	if (!proof->differing)
		return true;
	buf_putf(out, "; %" PRId64 " counter%s from the ledger:", proof->differing,
		proof->differing == 1 ? " differs" : "s differ");
	for (size_t i = 0; i < proof->n_differences; i++) {
		const Bursar__V1__ProofDifference *difference = proof->differences[i];

		buf_putf(
			out, "%s %s %s ", i ? "," : "", difference->ref ? difference->ref->id : "?", difference->limit);
		put_count(out, difference->counted);
		buf_put_str(out, " for ");
		put_count(out, difference->ledger);
	}
	return false;
}

static bool sums_equal(const Bursar__V1__ProofSum *a, const Bursar__V1__ProofSum *b)
{
	return a->requests == b->requests && a->tokens == b->tokens && a->cost_nano_usd == b->cost_nano_usd;
}

bool proof_put(struct buf *out, const Bursar__V1__Proof *proof, const struct acknowledged *own)
{
	const Bursar__V1__ProofSum *ledger = proof->ledger ? proof->ledger : &none;
	const Bursar__V1__ProofSum *counters = proof->counters ? proof->counters : &none;
	struct buf differences = {0};
	bool right = true;

	right &= compare(&differences, "roll-ups", proof->rollups ? proof->rollups : &none, ledger);
	right &= !proof->shared || compare(&differences, "shared roll-ups", proof->shared, ledger);
	right &= compare_counters(&differences, proof, ledger);
	if (own)
		right &= compare_own(&differences, own, ledger);
	if (proof->undrained != 0) {
		buf_putf(&differences, "; %" PRId64 " entries are not in the ledger yet", proof->undrained);
		right = false;
	}
	buf_put_str(out, right ? "proof: ok (ledger = roll-ups" : "proof: FAILED (ledger: ");
	if (right) {
		buf_put_str(out, sums_equal(counters, ledger) ? " = counters" : "");
		buf_put_str(out, own ? " = acknowledged: " : ": ");
	}
	put_sum(out, ledger->requests, ledger->tokens, ledger->cost_nano_usd);
	if (right && !sums_equal(counters, ledger)) {
		buf_put_str(out, "; counters = the windows that run: ");
		put_sum(out, counters->requests, counters->tokens, counters->cost_nano_usd);
	}
	buf_putf(out, "%s)\n", buf_str(&differences));
	buf_release(&differences);
	return right;
}
