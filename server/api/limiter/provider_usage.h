/* What providers sent about the use of a request, in records and estimates. */
#ifndef BURSAR_API_LIMITER_PROVIDER_USAGE_H
#define BURSAR_API_LIMITER_PROVIDER_USAGE_H

#include "base/arena.h"
#include "bursar/v1/limiter.pb-c.h"
#include "domain/usage/usage.h"
#include "service/request/settle.h"

/* Reads it. ERR_INVALID names the field below provider_usage. Logs members that are not known. */
bool provider_usage_read(
	const Bursar__V1__ProviderUsage *sent, struct arena *arena, struct usage_reading *out, struct err *err);

/*
 * For a record, which is never refused for its shape: fills meters, reading, usage_problem, the provider's cost, and model and mode
 * where the question has none.
 */
void provider_usage_fill(const Bursar__V1__ProviderUsage *sent, struct arena *arena, struct settle_question *question);

#endif
