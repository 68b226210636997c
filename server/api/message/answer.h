/* The answer to a check as a message: figures, the text for the user, and headers for the bot's own response. */
#ifndef BURSAR_API_MESSAGE_ANSWER_H
#define BURSAR_API_MESSAGE_ANSWER_H

#include "bursar/v1/limiter.pb-c.h"
#include "service/request/check.h"

/*
 * What a caller wants to be told. An allowed request usually has no use for its limits or for headers, and making them
 * costs more than the rest of the answer. A denial has its headers in any case.
 */
struct answer_form {
	const char *language; /* "" = the tenant's */
	bool limits; /* every limit, not only failed and warning ones */
	bool headers;
};
struct answer_form answer_form_of(const Bursar__V1__CheckRequest *request);

/* The message points into the check's snapshot: pack it before check_release. */
Bursar__V1__CheckResponse *answer_to_message(const struct check *check, const struct answer_form *form);

#endif
