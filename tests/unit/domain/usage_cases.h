/* Cases of usage objects: what was sent, and what is read from it. */
#ifndef TESTS_UNIT_DOMAIN_USAGE_CASES_H
#define TESTS_UNIT_DOMAIN_USAGE_CASES_H

#include <stddef.h>
#include <stdint.h>

struct usage_case {
	const char *about, *provider;
	const char *json; /* with ' in place of " */
	/*
	 * The meters that are not 0, in the order of METERS; then what else is told: "input=3 output=4 model=m mode=flex region=us
	 * cost=5 rounds=2 estimated inconsistent unknown:a=1"
	 */
	const char *reads;
	int64_t nano; /* at the prices of usage_case_price: worked out beside the table, not by the code */
};

/* Fails with the case's name. */
void usage_cases_check(const struct usage_case *cases, size_t count);

/* ' becomes ". Owned by the caller. */
char *usage_case_json(const char *text);

#endif
