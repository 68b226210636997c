/* Inside the reader of litellm's list (price_litellm.c): what its fields are. */
#ifndef BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_LITELLM_H
#define BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_LITELLM_H

#include "domain/price/public/price_draft.h"

/* A model of the list. */
struct litellm_model {
	struct draft draft;
	const struct tree *fields;
	const char *does; /* its `mode` */
	bool inclusive; /* a tier begins at its threshold, not above it */
};

/* What a field is. */
enum litellm_found {
	LITELLM_RATE, /* *place and *scale are set */
	LITELLM_NEVER, /* *why says why it cannot be part of a price; NULL: it need not be */
	LITELLM_UNKNOWN
};
enum litellm_found litellm_field(
	const struct litellm_model *model, const char *name, struct place *place, int *scale, const char **why);

#endif
