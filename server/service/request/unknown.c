/* A table of hashes of the models that were said to have no price (service/request/unknown.h). It never grows. */
#include "service/request/unknown.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/observe/log.h"
#include "domain/limit/name.h"

enum { SEEN_MAX = 1024, PROBES = 64 };

static _Atomic uint64_t seen[SEEN_MAX]; /* 0: free */

static uint64_t hash_of(const char *tenant, const char *model)
{
	char key[ID_MAX + 1], text[2 * ID_MAX + 2];
	int len;

	model_fold(model, key);
	len = snprintf(text, sizeof(text), "%s\n%s", tenant, key);
	return hash64(text, (size_t)len) | 1;
}

bool unknown_model_first(const char *tenant, const char *model)
{
	uint64_t hash = hash_of(tenant, model);

	for (unsigned i = 0; i < PROBES; i++) {
		_Atomic uint64_t *slot = &seen[(hash / 2 + i) % SEEN_MAX];
		uint64_t was = *slot;

		if (was == 0 && atomic_compare_exchange_strong(slot, &was, hash))
			return true;
		if (was == hash)
			return false;
	}
	return false;
}

void unknown_model_log(const char *tenant, const char *model, const struct price *price, bool refused)
{
	if (!unknown_model_first(tenant, model))
		return;
	if (refused)
		log_warn("refused a model without a price: set one (bursar price put), or an alias (bursar model alias "
			 "put)",
			F("tenant", tenant), F("model", model));
	else
		log_warn("charged a model without a price, flagged: set one (bursar price put), or an alias (bursar "
			 "model alias put)",
			F("tenant", tenant), F("model", model), F("as_provider", price ? price->provider : ""),
			F("as_model", price ? price->model : "nothing"));
}
