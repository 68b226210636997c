/* What a limit is, and the set of limits (the policy) that an account has. Pure data: no I/O, no clock. */
#ifndef BURSAR_DOMAIN_LIMIT_LIMIT_H
#define BURSAR_DOMAIN_LIMIT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/utf8.h"
#include "domain/limit/dimensions.h"
#include "domain/limit/name.h"

#define COUNT_MAX ((INT64_C(1) << 53) - 1) /* Lua's doubles count exactly up to here */
#define LIMITS_MAX 32 /* limits of one policy: each has a bit in the masks of a decision */
#define LIMIT_NAME_MAX 64
#define WARN_PERCENT_DEFAULT 80
/* The longest debt: a bucket's full_at is never further ahead. 100 years. */
#define SPAN_MAX_US INT64_C(3155760000000000)

/* Redis and PostgreSQL store these numbers: only ever add. */
enum dimension {
#define ROW(NAME, number, ...) DIM_##NAME = (number),
	DIMENSIONS(ROW)
#undef ROW
		DIM_COUNT
};
/* What limits count by the piece. */
enum counted {
#define ROW(NAME) COUNTED_##NAME,
	COUNTED_METERS(ROW)
#undef ROW
		COUNTED_COUNT
};
enum dimension counted_dimension(enum counted counted);
/* The COUNTED_ of a dimension, or -1. */
int counted_find(enum dimension dimension);

/* Redis and PostgreSQL store these numbers: only ever add. */
enum limit_kind { KIND_BUCKET = 0, KIND_CALENDAR = 1, KIND_LEVEL = 2 };
enum window_unit { WINDOW_DAY = 0, WINDOW_WEEK = 1, WINDOW_MONTH = 2, WINDOW_COUNT };

struct limit {
	char name[LIMIT_NAME_MAX + 1];
	uint32_t id; /* hash of the name; keeps the limit's state across policy changes. Set by limit_prepare. */
	enum dimension dimension;
	enum limit_kind kind;
	enum window_unit unit; /* KIND_CALENDAR */
	int64_t amount; /* count, tokens or nano-USD */
	int64_t period_us; /* KIND_BUCKET */
	int64_t burst; /* KIND_BUCKET; limit_prepare turns 0 into amount */
	char interface[ID_MAX + 1]; /* "" = all; limit_prepare folds it */
	char model[ID_MAX + 1]; /* "" = all; as the admin wrote it: any of the model's names */
	bool shadow;
	bool notify; /* KIND_CALENDAR */
	int warn_percent; /* limit_prepare turns 0 into WARN_PERCENT_DEFAULT */
	int64_t until_us; /* when an override ends; 0: never. Not part of the policy's content. */
	/* Set by limit_prepare. One unit of a bucket takes num/den microseconds to flow in (period/amount, reduced). */
	int64_t num, den;
	int64_t burst_us, burst_rem; /* time of a whole burst: burst_us + burst_rem/den */
	uint64_t interface_hash; /* selector_hash; 0 = all */
	uint64_t model_hash; /* the same of the model's key: of the text above until limit_model_is sets another */
};

/* The limits of a tier, or of an account with overrides, in a fixed order, with a hash of their content. */
struct policy {
	int count;
	uint8_t pid[8]; /* hash of the packed limits: equal content, equal pid */
	struct limit limits[LIMITS_MAX];
};

/*
 * Checks one limit and fills in the derived members (name when empty, id, burst, num/den, hashes). Errors: ERR_INVALID
 * naming the field ("amount", "period_us", "burst", "name", "window", ...) and what would be valid.
 */
bool limit_prepare(struct limit *limit, struct err *err);

/* Does the limit have the name that limit_prepare would derive from the other members? */
bool limit_name_is_made(const struct limit *limit);

/* Applies limit_prepare to each, refuses two with one name (or id), computes pid. Field paths: "limits[3].amount". */
bool policy_prepare(struct policy *policy, struct err *err);

/* `tier` with each override replacing the limit of the same name, or appended. Both must be prepared; so is the result. */
bool policy_merge(
	const struct policy *tier, const struct limit *overrides, int count, struct policy *out, struct err *err);

/* NULL when no limit has this id. */
const struct limit *policy_find(const struct policy *policy, uint32_t id);

/*
 * Makes the limit count requests whose model has this key (model_fold of what its selector resolves to), whatever the
 * selector's text. Seal the policy again afterwards.
 */
void limit_model_is(struct limit *limit, const char *key);

/* Recomputes the pid. */
void policy_seal(struct policy *policy);

/* Does a request of this interface and model (selector_hash of each; 0 = not given) count on the limit? */
bool limit_matches(const struct limit *limit, uint64_t interface_hash, uint64_t model_hash);

/* True for an override whose end has passed: it no longer counts. */
bool limit_ended(const struct limit *limit, int64_t now_us);

/* With grace: amount + floor(amount * percent / 100), at most COUNT_MAX. Only KIND_CALENDAR has grace. */
int64_t limit_effective(const struct limit *limit, int grace_percent);

/* The names that people and the API use: "requests", "bucket", "day". NULL or false when there is none. */
const char *dimension_name(enum dimension dimension);
/* Are its amounts nano-USD, to be shown as USD? */
bool dimension_is_money(enum dimension dimension);
const char *window_unit_name(enum window_unit unit);
bool dimension_parse(const char *text, enum dimension *out);
bool limit_kind_parse(const char *text, enum limit_kind *out);
bool window_unit_parse(const char *text, enum window_unit *out);

#endif
