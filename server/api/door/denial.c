/* A check's answer: a denial is 429 with the headers by which SDKs decide whether and when to try again. */
#include <string.h>

#include "api/door/private.h"
#include "bursar/v1/limiter.pb-c.h"

static bool is_legacy(const char *name)
{
	return strncmp(name, "X-RateLimit-", 12) == 0;
}

static bool is_draft(const char *name)
{
	return strncmp(name, "RateLimit", 9) == 0;
}

static bool is_wanted(const char *name, const char *set)
{
	bool only_legacy = strcmp(set, "legacy") == 0, only_draft = strcmp(set, "draft") == 0;
	bool none = strcmp(set, "none") == 0;

	if (is_legacy(name))
		return !only_draft && !none;
	if (is_draft(name))
		return !only_legacy && !none;
	return true;
}

void door_check(struct http_exchange *exchange, const ProtobufCMessage *message)
{
	const Bursar__V1__CheckResponse *answer = (const Bursar__V1__CheckResponse *)message;
	const struct door_state *state = exchange->state;

	if (!answer->allowed)
		exchange->status = state->deny_status;
	for (size_t i = answer->n_headers; i > 0; i--)
		if (is_wanted(answer->headers[i - 1]->name, state->headers))
			http_header_add(exchange, answer->headers[i - 1]->name, answer->headers[i - 1]->value);
}
