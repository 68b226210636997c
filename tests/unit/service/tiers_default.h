/*
 * The shipped tiers as a table: what migrations 0003 inserts, minus what 0013 removes. The fakes' catalog has them too.
 */
#ifndef TESTS_SERVICE_TIERS_DEFAULT_H
#define TESTS_SERVICE_TIERS_DEFAULT_H

#include <stdbool.h>

#include "base/err.h"
#include "domain/limit/limit.h"

#define TIERS_DEFAULT 3
#define TIERS_DEFAULT_OUTPUT_TOKENS 1000 /* held if a check sets no max_output_tokens */

struct tier_default {
	const char *name; /* "free", "pro", "enterprise" */
	const char *upgrade_to; /* "" = none */
	int pool_priority, pool_concurrent;
	int64_t requests_per_minute, tokens_per_minute, requests_per_day, requests_per_month;
	int64_t cost_per_day, cost_per_month; /* nano-USD */
};

/* From the lowest to the highest. */
extern const struct tier_default tiers_default[TIERS_DEFAULT];

/* NULL if it is not a shipped tier. */
const struct tier_default *tier_default_find(const char *name);

/*
 * The tier's limits, prepared: requests_per_minute, tokens_per_minute, requests_per_day, requests_per_month,
 * cost_per_day, cost_per_month, tokens_per_month (shadow), in this order.
 */
bool tier_default_policy(const struct tier_default *tier, struct policy *out, struct err *err)
	__attribute__((warn_unused_result));

#endif
