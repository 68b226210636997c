/* The answer to a check as a message: figures, the text for the user, and headers for the bot's own response. */
#ifndef BURSAR_API_MESSAGE_ANSWER_H
#define BURSAR_API_MESSAGE_ANSWER_H

#include "bursar/v1/limiter.pb-c.h"
#include "service/request/check.h"

/* `language` "" = the tenant's. The message points into the check's snapshot: pack it before check_release. */
Bursar__V1__CheckResponse *answer_to_message(const struct check *check, const char *language, bool verbose);

#endif
