/* From the numbers at a format's paths to disjoint meters. */
#ifndef BURSAR_DOMAIN_USAGE_RESOLVE_H
#define BURSAR_DOMAIN_USAGE_RESOLVE_H

#include "domain/usage/formats.h"

/* What an object tells, by the rules of its format. */
struct usage_told {
	bool told[USAGE_RULES_MAX];
	int64_t value[USAGE_RULES_MAX];
};

struct usage_sum {
	struct meters meters; /* may exceed what meters_check allows */
	int64_t tokens;
	bool inconsistent;
	bool total_known;
	int64_t total; /* as in struct usage_reading */
};

void usage_resolve(const struct usage_format *format, const struct usage_told *told, struct usage_sum *out);

/* The tokens of all meters. */
int64_t usage_tokens(const struct meters *meters);

#endif
