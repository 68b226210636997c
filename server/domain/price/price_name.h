/*
 * The spellings under which the same model is called through gateways and clouds, as exact rules: azure/gpt-5,
 * openrouter/anthropic/claude-opus-4.5, us.anthropic.claude-opus-4-5-20251101-v1:0, claude-opus-4-5@20251101. No rule
 * drops a date: a dated snapshot may cost something else than the model of today.
 */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_NAME_H
#define BURSAR_DOMAIN_PRICE_PRICE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "domain/record/entry.h"

/* One spelling of a name. */
struct price_name {
	char text[ID_MAX + 1]; /* without what the rules have taken off */
	const char *reseller; /* who serves it: prices of this provider come first; NULL: nobody named */
	const char *vendor; /* the provider who made it, as the spelling says; NULL: it does not say */
};

/* The name as it is written. `text` has at most ID_MAX bytes; a longer one has no other spellings. */
void price_name_init(struct price_name *name, const char *text);

/* Applies the first rule that applies; false when there is none. Each call shortens or changes the text for good. */
bool price_name_next(struct price_name *name);

/* Is the provider one that sells its own models? Prices of others, such as hosts of open models, are theirs alone. */
bool price_is_vendor(const char *provider);

/* The length of `text` without a final date (-2025-09-29, -20250929) or -latest; 0 if it has neither. */
size_t price_name_undated(const char *text);

#endif
