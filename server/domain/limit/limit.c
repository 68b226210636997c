/* Limits and policies: which ones are valid, and the values derived from them. */
#include "domain/limit/limit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto/hash.h"
#include "base/units.h"
#include "domain/limit/name.h"
#include "domain/limit/policy_pack.h"

#define PERIOD_MIN_US INT64_C(1000)
#define PERIOD_MAX_US (366 * DAY_US)
/* "requests, tokens, ...": the table's names behind a comma each, without the first comma. */
#define COMMA_NAME(NAME, number, name, ...) ", " name
#define DIMENSION_NAMES &(DIMENSIONS(COMMA_NAME))[2]
#define NAME_RULE "use 1 to 64 of a-z 0-9 _ -"

#define ONE(...) +1
_Static_assert(DIM_COUNT == 0 DIMENSIONS(ONE), "dimensions.h: the numbers of the rows rise by 1 from 0 on");

static const char *const dimension_names[DIM_COUNT] = {
#define ROW(NAME, number, name, ...) [DIM_##NAME] = name,
	DIMENSIONS(ROW)
#undef ROW
};
static const char *const kind_names[] = {"bucket", "calendar", "level"};
static const char *const unit_names[] = {"day", "week", "month"};

static const char *name_of(const char *const names[], int count, int index)
{
	return index >= 0 && index < count ? names[index] : NULL;
}

static int index_of(const char *const names[], int count, const char *text)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return -1;
}

const char *dimension_name(enum dimension dimension)
{
	return name_of(dimension_names, DIM_COUNT, (int)dimension);
}

bool dimension_is_money(enum dimension dimension)
{
	enum { SHOWN_COUNT = false, SHOWN_MONEY = true };
	static const bool is_money[DIM_COUNT] = {
#define ROW(NAME, number, name, unit, shown, ...) [DIM_##NAME] = shown,
		DIMENSIONS(ROW)
#undef ROW
	};

	return (unsigned)dimension < DIM_COUNT && is_money[dimension];
}

static const enum dimension counted_dimensions[COUNTED_COUNT] = {
#define ROW(NAME) [COUNTED_##NAME] = DIM_##NAME,
	COUNTED_METERS(ROW)
#undef ROW
};

enum dimension counted_dimension(enum counted counted)
{
	return counted_dimensions[counted];
}

int counted_find(enum dimension dimension)
{
	for (int i = 0; i < COUNTED_COUNT; i++)
		if (counted_dimensions[i] == dimension)
			return i;
	return -1;
}

static const char *limit_kind_name(enum limit_kind kind)
{
	return name_of(kind_names, 3, (int)kind);
}

const char *window_unit_name(enum window_unit unit)
{
	return name_of(unit_names, WINDOW_COUNT, (int)unit);
}

bool dimension_parse(const char *text, enum dimension *out)
{
	int i = index_of(dimension_names, DIM_COUNT, text);

	if (i >= 0)
		*out = (enum dimension)i;
	return i >= 0;
}

bool limit_kind_parse(const char *text, enum limit_kind *out)
{
	int i = index_of(kind_names, 3, text);

	if (i >= 0)
		*out = (enum limit_kind)i;
	return i >= 0;
}

bool window_unit_parse(const char *text, enum window_unit *out)
{
	int i = index_of(unit_names, WINDOW_COUNT, text);

	if (i >= 0)
		*out = (enum window_unit)i;
	return i >= 0;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* "minute" for periods that have a word, else "90s", "24h": a bucket's name must differ from a calendar window's. */
static void period_text(int64_t period_us, char out[32])
{
	if (period_us == SECOND_US)
		snprintf(out, 32, "second");
	else if (period_us == 60 * SECOND_US)
		snprintf(out, 32, "minute");
	else if (period_us == 3600 * SECOND_US)
		snprintf(out, 32, "hour");
	else if (period_us % (3600 * SECOND_US) == 0)
		snprintf(out, 32, "%" PRId64 "h", period_us / (3600 * SECOND_US));
	else if (period_us % SECOND_US == 0)
		snprintf(out, 32, "%" PRId64 "s", period_us / SECOND_US);
	else
		snprintf(out, 32, "%" PRId64 "us", period_us);
}

/* Appends a selector to a generated name: its text when it is short and valid in a name, else its hash. */
static void name_add_selector(char name[LIMIT_NAME_MAX + 1], const char *text)
{
	size_t used = strlen(name);
	size_t len = strlen(text);
	bool plain = len <= 16;

	if (len == 0)
		return;
	for (size_t i = 0; i < len; i++)
		plain = plain && name_char(text[i]);
	if (plain)
		snprintf(name + used, LIMIT_NAME_MAX + 1 - used, "-%s", text);
	else
		snprintf(name + used, LIMIT_NAME_MAX + 1 - used, "-%012" PRIx64, selector_hash(text, len));
}

static void name_make(struct limit *limit)
{
	char period[32] = "";

	if (limit->kind == KIND_LEVEL) {
		snprintf(limit->name, sizeof(limit->name), "%s", dimension_name(limit->dimension));
	} else {
		if (limit->kind == KIND_BUCKET)
			period_text(limit->period_us, period);
		else
			snprintf(period, sizeof(period), "%s", window_unit_name(limit->unit));
		snprintf(limit->name, sizeof(limit->name), "%s_per_%s", dimension_name(limit->dimension), period);
	}
	name_add_selector(limit->name, limit->interface);
	name_add_selector(limit->name, limit->model);
}

bool limit_name_is_made(const struct limit *limit)
{
	struct limit made = *limit;

	name_make(&made);
	return strcmp(made.name, limit->name) == 0;
}

static bool name_check(const char *name, struct err *err)
{
	for (const char *p = name; *p; p++)
		if (!name_char(*p))
			return err_invalid(err, "name", "has an invalid character; " NAME_RULE);
	return true;
}

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static bool bucket_prepare(struct limit *limit, struct err *err)
{
	unsigned __int128 time;
	int64_t divisor;

	if (limit->period_us < PERIOD_MIN_US || limit->period_us > PERIOD_MAX_US)
		return err_invalid(err, "period_us",
			"%" PRId64 " is not between 1000 (1 ms) and %" PRId64 " (366 days)", limit->period_us,
			PERIOD_MAX_US);
	if (limit->burst < 0 || limit->burst > COUNT_MAX)
		return err_invalid(err, "burst", "%" PRId64 " is not between 0 and %" PRId64, limit->burst, COUNT_MAX);
	if (limit->amount == 0 && limit->burst > 0)
		return err_invalid(
			err, "burst", "a bucket of amount 0 never fills: leave burst at 0, or raise the amount");
	if (limit->burst == 0)
		limit->burst = limit->amount;
	/* Amount 0: nothing may pass. Any rate works, because the burst is empty. */
	divisor = limit->amount ? gcd(limit->period_us, limit->amount) : 1;
	limit->num = limit->amount ? limit->period_us / divisor : 1;
	limit->den = limit->amount ? limit->amount / divisor : 1;
	time = (unsigned __int128)(uint64_t)limit->burst * (uint64_t)limit->num;
	if (time / (uint64_t)limit->den >= (uint64_t)SPAN_MAX_US)
		return err_invalid(
			err, "burst", "%" PRId64 " takes 100 years or more to flow in; lower it", limit->burst);
	limit->burst_us = (int64_t)(time / (uint64_t)limit->den);
	limit->burst_rem = (int64_t)(time % (uint64_t)limit->den);
	return true;
}

static bool kind_check(const struct limit *limit, struct err *err)
{
	if (!dimension_name(limit->dimension))
		return err_invalid(err, "dimension", "is not set; use one of %s", DIMENSION_NAMES);
	if (!limit_kind_name(limit->kind))
		return err_invalid(err, "kind", "is not set; use bucket, calendar or level");
	if ((limit->kind == KIND_LEVEL) != (limit->dimension == DIM_CONCURRENT))
		return err_invalid(err, "kind", "concurrent goes with kind level, and only with it");
	if (limit->kind == KIND_CALENDAR && !window_unit_name(limit->unit))
		return err_invalid(err, "window", "is not set; use day, week or month");
	if (limit->amount < 0 || limit->amount > COUNT_MAX)
		return err_invalid(
			err, "amount", "%" PRId64 " is not between 0 and %" PRId64, limit->amount, COUNT_MAX);
	if (limit->kind != KIND_BUCKET && limit->period_us)
		return err_invalid(err, "period_us", "only a bucket has one; leave it 0");
	if (limit->kind != KIND_BUCKET && limit->burst)
		return err_invalid(err, "burst", "only a bucket has one; leave it 0");
	return true;
}

void limit_model_is(struct limit *limit, const char *key)
{
	limit->model_hash = selector_hash(key, strlen(key));
}

/* A selector of only spaces would match all requests once trimmed. */
static bool selector_check(const char *text, const char *field, struct err *err)
{
	if (name_is_blank(text))
		return err_invalid(err, field, "contains only spaces; leave it empty to match all");
	return !text[0] || id_check(text, strlen(text), field, err);
}

bool limit_prepare(struct limit *limit, struct err *err)
{
	struct limit made = *limit;
	char key[ID_MAX + 1];

	interface_fold(made.interface);
	name_trim(made.model);
	if (!kind_check(&made, err) || !selector_check(made.interface, "interface", err) ||
		!selector_check(made.model, "model", err))
		return false;
	if (made.warn_percent < 0 || made.warn_percent > 100)
		return err_invalid(err, "warn_percent", "%d is not between 1 and 100 (0 = %d)", made.warn_percent,
			WARN_PERCENT_DEFAULT);
	if (made.warn_percent == 0)
		made.warn_percent = WARN_PERCENT_DEFAULT;
	made.num = made.den = made.burst_us = made.burst_rem = 0;
	if (made.kind == KIND_BUCKET && !bucket_prepare(&made, err))
		return false;
	if (made.kind != KIND_CALENDAR) {
		made.unit = WINDOW_DAY;
		made.notify = false;
	}
	if (!made.name[0])
		name_make(&made);
	if (!name_check(made.name, err))
		return false;
	made.id = (uint32_t)hash64(made.name, strlen(made.name));
	made.interface_hash = selector_hash(made.interface, strlen(made.interface));
	model_fold(made.model, key);
	limit_model_is(&made, key);
	*limit = made;
	return true;
}

static bool ids_differ(const struct policy *policy, struct err *err)
{
	for (int i = 0; i < policy->count; i++)
		for (int k = 0; k < i; k++)
			if (policy->limits[i].id == policy->limits[k].id) {
				err_invalid(err, "name", "limits[%d] has the same name; rename one of them", k);
				return err_prefix(err, "limits[%d].", i);
			}
	return true;
}

void policy_seal(struct policy *policy)
{
	struct buf packed = {0};

	policy_pack(policy, &packed);
	policy_pid(packed.data, packed.len, policy->pid);
	buf_release(&packed);
}

bool policy_prepare(struct policy *policy, struct err *err)
{
	if (policy->count < 0 || policy->count > LIMITS_MAX)
		return err_invalid(err, "limits", "%d given; at most %d are allowed", policy->count, LIMITS_MAX);
	for (int i = 0; i < policy->count; i++)
		if (!limit_prepare(&policy->limits[i], err))
			return err_prefix(err, "limits[%d].", i);
	if (!ids_differ(policy, err))
		return false;
	policy_seal(policy);
	return true;
}

bool policy_merge(
	const struct policy *tier, const struct limit *overrides, int count, struct policy *out, struct err *err)
{
	struct policy merged = *tier;

	for (int i = 0; i < count; i++) {
		struct limit *at = (struct limit *)policy_find(&merged, overrides[i].id);

		if (!at) {
			if (merged.count == LIMITS_MAX)
				return err_invalid(err, "limits", "more than %d, including the tier's", LIMITS_MAX);
			at = &merged.limits[merged.count++];
		}
		*at = overrides[i];
	}
	policy_seal(&merged);
	*out = merged;
	return true;
}

const struct limit *policy_find(const struct policy *policy, uint32_t id)
{
	for (int i = 0; i < policy->count; i++)
		if (policy->limits[i].id == id)
			return &policy->limits[i];
	return NULL;
}

bool limit_matches(const struct limit *limit, uint64_t interface_hash, uint64_t model_hash)
{
	return (!limit->interface_hash || limit->interface_hash == interface_hash) &&
	       (!limit->model_hash || limit->model_hash == model_hash);
}

bool limit_ended(const struct limit *limit, int64_t now_us)
{
	return limit->until_us && limit->until_us <= now_us;
}

int64_t limit_effective(const struct limit *limit, int grace_percent)
{
	__int128 amount = limit->amount;

	if (limit->kind != KIND_CALENDAR || grace_percent <= 0)
		return limit->amount;
	amount += amount * grace_percent / 100;
	return amount > COUNT_MAX ? COUNT_MAX : (int64_t)amount;
}
