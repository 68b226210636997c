/* Explains a decision in sentences. */
#ifndef BURSAR_API_MESSAGE_EXPLAIN_H
#define BURSAR_API_MESSAGE_EXPLAIN_H

#include <stddef.h>

#include "service/request/check.h"

/* Texts in the check's arena; returns how many. */
size_t explain_steps(const struct check *check, char ***out);

#endif
