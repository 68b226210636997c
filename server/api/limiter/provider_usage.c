/* Reads providers' usage objects for records and estimates (api/limiter/provider_usage.h). */
#include "api/limiter/provider_usage.h"

#include <string.h>

#include "base/observe/log.h"

bool provider_usage_read(
	const Bursar__V1__ProviderUsage *sent, struct arena *arena, struct usage_reading *out, struct err *err)
{
	if (!usage_read(sent->provider, sent->json, strlen(sent->json), arena, out, err))
		return err_prefix(err, "provider_usage.");
	if (out->unknown[0])
		log_warn("a provider's usage has members that are not known", F("format", out->format),
			F("members", out->unknown));
	return true;
}

static const char *problem_of(const struct usage_reading *reading)
{
	if (reading->estimated)
		return "provider_usage.json: does not say what was used; charged as estimated";
	if (reading->inconsistent)
		return "provider_usage.json: the numbers contradict each other; the larger reading was charged";
	return NULL;
}

void provider_usage_fill(const Bursar__V1__ProviderUsage *sent, struct arena *arena, struct settle_question *question)
{
	struct usage_reading *reading = arena_zalloc(arena, 1, sizeof(*reading));
	struct err err;

	if (provider_usage_read(sent, arena, reading, &err)) {
		question->usage_problem = problem_of(reading);
	} else {
		*reading =
			(struct usage_reading){.format = "", .model = "", .mode = "", .region = "", .estimated = true};
		question->usage_problem = arena_printf(arena, "%s; charged as estimated", err.text);
	}
	if (question->usage_problem)
		log_warn("a provider's usage does not say what was used", F("provider", sent->provider),
			F("why", question->usage_problem));
	question->reading = reading;
	question->meters = reading->meters;
	if (!question->served[0])
		question->served = reading->model;
	question->provider_cost_known = reading->cost_known;
	question->provider_cost_nano = reading->cost_nano;
}
