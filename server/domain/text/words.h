/* Numbers, amounts and durations in the words of one language. Only for texts.c. */
#ifndef BURSAR_DOMAIN_TEXT_WORDS_H
#define BURSAR_DOMAIN_TEXT_WORDS_H

#include "domain/text/texts_language.h"

/* Digits, grouped from five on. A negative number is 0. */
void words_number(const struct language *language, int64_t n, struct buf *out);
/* A number and its noun, in the form that goes with the number: "3 requests". */
void words_counted(const struct language *language, int64_t n, enum noun noun, struct buf *out);
/* `n` of a dimension; money is in nano-dollars: "$0.25". */
void words_amount(const struct language *language, enum dimension dimension, int64_t n, struct buf *out);
/* The two largest units of a span, rounded up: "1 hour 5 minutes". At least a second. */
void words_duration(const struct language *language, int64_t us, struct buf *out);
/* The span that a limit counts over: "per day", "at once". */
void words_per(const struct language *language, const struct limit *limit, struct buf *out);

#endif
