/* Prices and what a request costs: integers throughout. pico-USD per unit of a meter; per token = micro-USD per 1M tokens. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_H
#define BURSAR_DOMAIN_PRICE_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "domain/record/entry.h"
#include "domain/time/tz.h"

#define PRICE_NONE INT64_C(-1) /* a meter without a price of its own */
#define PRICE_MAX INT64_C(1000000000000) /* per token, token-hour, character: 1,000,000 USD per 1M */
#define PRICE_OTHER_MAX INT64_C(1000000000000000) /* per call, second, image, page: 1,000 USD for one */
#define PRICE_SOURCE_MAX 511
#define CONTEXT_TIERS_MAX 4
#define MODES_MAX 6
#define MODE_RATES_MAX 48
#define REGIONS_MAX 8
#define HOURS_MAX 6
#define ALLOWANCES_MAX 4
#define ALLOWANCE_NAME_MAX 32
#define RATIO_MAX 10000 /* of a mode's numerator and denominator */
#define RATIO_MORE_MAX 1000 /* of those of regions and hours */

struct rates {
	int64_t pico[METER_COUNT]; /* pico-USD per unit, or PRICE_NONE */
};
/* One rate of a mode that does not follow from its ratio. */
struct mode_rate {
	uint8_t mode; /* index in price.mode */
	uint8_t meter;
	int64_t above_tokens; /* of the context tier, or 0: the base rate */
	int64_t pico;
};
/* A time of day at which the price is another one. */
struct price_hours {
	int16_t offset_minutes; /* east of UTC, of the times and days: -840..840 */
	char zone[ZONE_NAME_MAX + 1]; /* in place of the offset; "" = none */
	uint8_t days; /* bit 0 = Monday; of the day on which the time begins */
	int16_t from_minute, to_minute; /* [from, to) of the day, 0..1440; to <= from: until then on the next day */
	int32_t num, den;
};
/* So many of a meter are free in each period: price_allowance.h. */
struct price_allowance {
	int64_t amount;
	uint8_t meter, unit; /* enum window_unit */
	char zone[ZONE_NAME_MAX + 1]; /* "" = UTC */
	char shared[ALLOWANCE_NAME_MAX + 1]; /* prices that name the same one share it; "" = the model's own */
};
struct price {
	char provider[ID_MAX + 1], model[ID_MAX + 1];
	char account[ID_MAX + 1]; /* a user's own price; "" = for all users of the tenant */
	char tenant[ID_MAX + 1]; /* "" = all tenants */
	int64_t from_us, to_us; /* in force in [from, to); 0 = open */
	struct rates base;
	int context_tiers; /* ascending */
	struct {
		int64_t above_tokens; /* with more input (all input meters) than this, the whole request uses these rates */
		struct rates rates; /* PRICE_NONE = the base rate */
	} context[CONTEXT_TIERS_MAX];
	int modes;
	struct {
		char name[16];
		int32_t num, den;
	} mode[MODES_MAX];
	int mode_rates;
	struct mode_rate mode_rate[MODE_RATES_MAX];
	int regions; /* where the model runs: a ratio on top of the mode's */
	struct {
		char name[16];
		int32_t num, den;
	} region[REGIONS_MAX];
	int hours; /* the first one that contains the time of the check counts */
	struct price_hours hour[HOURS_MAX];
	int allowances; /* at most one for each meter */
	struct price_allowance allowance[ALLOWANCES_MAX];
	char source[PRICE_SOURCE_MAX + 1];
};

/* How and when a request is bought. */
struct purchase {
	const char *mode; /* "" or "standard"; "batch"; "@us": in a region; "batch@us" */
	int64_t at_us; /* the time of the check */
};

/* What a request cost, line by line. */
struct cost {
	int64_t nano; /* rounded up once; at most COUNT_MAX */
	int64_t pico_line[METER_COUNT]; /* saturating; set where the count is not 0 */
	int64_t rate[METER_COUNT]; /* likewise: after tier, mode, region and hours */
	uint32_t flags; /* FLAG_... of domain/record/entry.h */
};

/*
 * "0.075" USD per 1M tokens -> 75000 pico-USD per token, or per whatever the meter's prices are (meter_unit_rows): "10" USD
 * per 1,000 calls. ERR_INVALID when it is not a price, is finer than a pico-USD or above the meter's maximum; "" -> PRICE_NONE.
 */
bool price_parse(const char *text, enum meter meter, const char *field, int64_t *out, struct err *err);
/* The shortest decimal text; "" for PRICE_NONE. */
void price_format(int64_t pico, enum meter meter, char out[32]);
/* Nano-USD as "12.34" (at least 2 decimals, up to 9). */
void money_format(int64_t nano, char out[40]);

/* No rates at all. */
void rates_clear(struct rates *rates);
bool price_check(const struct price *price, struct err *err);

/*
 * The cost of `meters`. For an unknown mode or region ERR_INVALID lists the known ones; a price without regions ignores
 * them. Estimates and records get the same numbers. Fails otherwise only for a cost above COUNT_MAX (ERR_INVALID).
 */
bool price_cost(const struct price *price, const struct meters *meters, struct purchase purchase, struct cost *out,
	struct err *err);

/*
 * The same for what was used already and must be charged: an unknown mode or region at the standard rate, a cost above
 * COUNT_MAX as COUNT_MAX, both flagged. `meters` must have been checked.
 */
void price_charge(const struct price *price, const struct meters *meters, struct purchase purchase, struct cost *out);

/* By how much less `meters` cost if `covered` of them, no more than there are, are free. */
int64_t price_worth(
	const struct price *price, const struct meters *meters, const struct meters *covered, struct purchase purchase);

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

/* The alias of exactly this tenant ('': the general one); NULL when there is none. */
const struct price_alias *price_alias_of(const struct price_book *book, const char *tenant, const char *alias);

/* All aliases, by alias and tenant. */
const struct price_alias *price_aliases(const struct price_book *book, int *count);

/* Do several providers have the id at `at_us`, among the tenant's prices or the general ones? */
bool price_has_providers(const struct price_book *book, const char *tenant, const char *model, int64_t at_us);

/* The last moment within (after_us, until_us] at which a price or a family's rule begins or ends; after_us when there is none. */
int64_t price_last_turn(const struct price_book *book, int64_t after_us, int64_t until_us);

/* Up to `max` ids most similar to `model`, for the error text. Returns how many. */
int price_nearest(const struct price_book *book, const char *tenant, const char *model, const char *out[], int max);

#endif
