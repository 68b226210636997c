/* Prices and what a request costs: integers throughout. pico-USD per token = micro-USD per 1M tokens. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_H
#define BURSAR_DOMAIN_PRICE_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/record/entry.h"

#define PRICE_NONE INT64_C(-1) /* a class without a price of its own */
#define PRICE_MAX INT64_C(1000000000000) /* 1,000,000 USD per 1M tokens */
#define PRICE_SOURCE_MAX 511
#define CONTEXT_TIERS_MAX 4
#define MODES_MAX 6

struct rates {
	int64_t pico[TOKEN_CLASS_COUNT]; /* pico-USD per token, or PRICE_NONE */
};
struct price {
	char provider[ID_MAX + 1], model[ID_MAX + 1];
	char account[ID_MAX + 1]; /* a user's own price; "" = for all users of the tenant */
	char tenant[ID_MAX + 1]; /* "" = all tenants */
	int64_t from_us, to_us; /* in force in [from, to); 0 = open */
	struct rates base;
	int context_tiers; /* ascending */
	struct {
		int64_t above_tokens; /* with more input (all input classes) than this, the whole request uses these rates */
		struct rates rates; /* PRICE_NONE = the base rate */
	} context[CONTEXT_TIERS_MAX];
	int modes;
	struct {
		char name[16];
		int32_t num, den;
	} mode[MODES_MAX];
	char source[PRICE_SOURCE_MAX + 1];
};

/* What a request cost, line by line. */
struct cost {
	int64_t nano; /* rounded up once; at most COUNT_MAX */
	int64_t pico_line[TOKEN_CLASS_COUNT]; /* saturating */
	int64_t rate[TOKEN_CLASS_COUNT]; /* after tier and mode */
	uint32_t flags; /* FLAG_... of domain/record/entry.h */
};

/* "0.075" USD per 1M tokens -> 75000 pico-USD per token. ERR_INVALID when it is not a price, is finer than 10^-6 or
 * above PRICE_MAX; "" -> PRICE_NONE. */
bool price_parse(const char *text, const char *field, int64_t *out, struct err *err);
/* The shortest decimal text; "" for PRICE_NONE. */
void price_format(int64_t pico, char out[32]);
/* Nano-USD as "12.34" (at least 2 decimals, up to 9). */
void money_format(int64_t nano, char out[40]);

bool price_check(const struct price *price, struct err *err);

/*
 * The cost of `tokens`. `mode` "" = standard; for an unknown mode ERR_INVALID lists the known ones. Estimates and
 * records get the same numbers. Fails otherwise only for a cost above COUNT_MAX (ERR_INVALID).
 */
bool price_cost(
	const struct price *price, const struct tokens *tokens, const char *mode, struct cost *out, struct err *err);

/*
 * The same for tokens that were used already and must be charged: an unknown mode at the standard rate, a cost above
 * COUNT_MAX as COUNT_MAX, both flagged. `tokens` must have been checked.
 */
void price_charge(const struct price *price, const struct tokens *tokens, const char *mode, struct cost *out);

/* Prices by model, built once, read by many threads. Owns copies of its input. */
struct price_book;
struct price_alias {
	char tenant[ID_MAX + 1]; /* "" = all tenants; a tenant's own alias wins */
	char alias[ID_MAX + 1], provider[ID_MAX + 1], model[ID_MAX + 1];
};
struct price_book *price_book_new(
	const struct price *prices, int count, const struct price_alias *aliases, int alias_count);
void price_book_free(struct price_book *book);

/*
 * The price in force at `at_us`. `model` is "provider/id" or a bare id; exact ids first, then aliases, then both again
 * under the spellings of resellers (price_name.h), never fuzzy. A
 * bare id that several providers have: the row whose provider is the id's own vendor is an explicit alias, else openai,
 * anthropic, google, mistral, deepseek, xai, groq, cohere, ollama, then by name. The account's price comes before the
 * tenant's, and that before the general one. NULL when there is none.
 */
const struct price *price_find(
	const struct price_book *book, const char *tenant, const char *account, const char *model, int64_t at_us);

/*
 * The price whose own id is `model`, with its provider or without, as price_find looks it up before any alias. *several:
 * other providers have the id too.
 */
const struct price *price_find_id(
	const struct price_book *book, const char *tenant, const char *model, int64_t at_us, bool *several);

/* All aliases, by alias and tenant. */
const struct price_alias *price_aliases(const struct price_book *book, int *count);

/* Do several providers have the id at `at_us`, among the tenant's prices or the general ones? */
bool price_has_providers(const struct price_book *book, const char *tenant, const char *model, int64_t at_us);

/* The last moment within (after_us, until_us] at which a price or a family's rule begins or ends; after_us when there is none. */
int64_t price_last_turn(const struct price_book *book, int64_t after_us, int64_t until_us);

/* Up to `max` ids most similar to `model`, for the error text. Returns how many. */
int price_nearest(const struct price_book *book, const char *tenant, const char *model, const char *out[], int max);

#endif
