/* Names of kinds and severities, the check of a rule, and an empty event. */
#include "domain/alert/alert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/utf8.h"

enum { PERCENT_MAX = 1000, ANOMALY_PERCENT_MIN = 101, ANOMALY_PERCENT_MAX = 100000 };
#define AFTER_MAX_S (3650 * DAY_S)

/* What a kind's rules may say. */
enum {
	OF_ACCOUNTS = 1, /* account_kinds, account, tier, team */
	OF_LIMITS = 2, /* limit, dimension, window */
	AT_THRESHOLDS = 4, /* percents, amounts */
	AT_PERCENT = 8,
	AFTER = 16,
	SYSTEM = 32
};

static const struct {
	const char *name;
	unsigned says;
} kinds[ALERT_KIND_END] = {
	[ALERT_THRESHOLD] = {"threshold", OF_ACCOUNTS | OF_LIMITS | AT_THRESHOLDS},
	[ALERT_PROJECTED] = {"projected", OF_ACCOUNTS | OF_LIMITS | AT_PERCENT},
	[ALERT_ANOMALY] = {"anomaly", OF_ACCOUNTS | AT_PERCENT},
	[ALERT_DENIAL] = {"denial", OF_ACCOUNTS},
	[ALERT_SUSPENDED] = {"suspended", OF_ACCOUNTS},
	[ALERT_TIER] = {"tier", OF_ACCOUNTS},
	[ALERT_STARVING] = {"starving", AFTER},
	[ALERT_LEDGER_LAG] = {"ledger_lag", AFTER | SYSTEM},
	[ALERT_DRIFT] = {"drift", SYSTEM},
	[ALERT_PRICES_OLD] = {"prices_old", AFTER | SYSTEM},
	[ALERT_UNPRICED] = {"unpriced", 0},
	[ALERT_KEY_ENDS] = {"key_ends", AFTER},
	[ALERT_TEST] = {"test", 0},
};
static const char *const severities[] = {
	[ALERT_INFO] = "info", [ALERT_WARNING] = "warning", [ALERT_CRITICAL] = "critical"};

const char *alert_kind_name(enum alert_kind kind)
{
	return (unsigned)kind < ALERT_KIND_END ? kinds[kind].name : NULL;
}

bool alert_kind_parse(const char *text, enum alert_kind *out)
{
	for (int kind = 1; kind < ALERT_KIND_END; kind++) {
		if (strcmp(kinds[kind].name, text) != 0)
			continue;
		*out = (enum alert_kind)kind;
		return true;
	}
	return false;
}

const char *alert_severity_name(enum alert_severity severity)
{
	return (unsigned)severity <= ALERT_CRITICAL ? severities[severity] : NULL;
}

bool alert_kind_is_system(enum alert_kind kind)
{
	return (unsigned)kind < ALERT_KIND_END && (kinds[kind].says & SYSTEM);
}

bool alert_name_check(const char *name, const char *field, struct err *err)
{
	size_t len = strlen(name);

	if (len < 1 || len > ALERT_NAME_MAX || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len)
		return err_invalid(err, field, "must be 1 to %d characters of a-z 0-9 . _ -", ALERT_NAME_MAX);
	return true;
}

static bool within(const char *field, int64_t value, int64_t least, int64_t most, struct err *err)
{
	if (value >= least && value <= most)
		return true;
	return err_invalid(err, field, "is %" PRId64 "; it must be %" PRId64 " to %" PRId64, value, least, most);
}

static bool within_at(const char *list, int i, int64_t value, int64_t least, int64_t most, struct err *err)
{
	char field[48];

	snprintf(field, sizeof(field), "%s[%d]", list, i);
	return within(field, value, least, most, err);
}

/* What a kind does not look at would only make a rule seem narrower than it is. */
static bool unsaid(const struct alert_rule *rule, bool said, const char *field, struct err *err)
{
	return !said || err_invalid(err, field, "has no meaning in a rule of kind %s", kinds[rule->kind].name);
}

static bool text_check(const char *text, size_t most, const char *field, struct err *err)
{
	size_t len = strlen(text);

	if (len > most)
		return err_invalid(err, field, "has %zu bytes; at most %zu are allowed", len, most);
	return utf8_check(text, len, field, err);
}

static bool accounts_check(const struct alert_rule *rule, struct err *err)
{
	const unsigned all = (2U << ACCOUNT_TENANT) - (1U << ACCOUNT_USER);

	if (!(kinds[rule->kind].says & OF_ACCOUNTS))
		return unsaid(rule, rule->account_kinds, "account_kinds", err) &&
		       unsaid(rule, rule->account[0], "account", err) && unsaid(rule, rule->tier[0], "tier", err) &&
		       unsaid(rule, rule->team[0], "team", err);
	if (rule->account_kinds & ~all)
		return err_invalid(err, "account_kinds", "has a kind that does not exist");
	return text_check(rule->account, ID_MAX, "account", err) &&
	       text_check(rule->tier, TIER_NAME_MAX, "tier", err) && text_check(rule->team, ID_MAX, "team", err);
}

static bool limits_check(const struct alert_rule *rule, struct err *err)
{
	if (!(kinds[rule->kind].says & OF_LIMITS))
		return unsaid(rule, rule->limit_name[0], "limit", err) &&
		       unsaid(rule, rule->dimension >= 0, "dimension", err) &&
		       unsaid(rule, rule->unit >= 0, "window", err);
	if (rule->dimension < -1 || rule->dimension >= DIM_COUNT || rule->dimension == DIM_CONCURRENT)
		return err_invalid(err, "dimension", "is not one that calendar limits have");
	if (rule->unit < -1 || rule->unit >= WINDOW_COUNT)
		return err_invalid(err, "window", "must be day, week or month");
	return text_check(rule->limit_name, LIMIT_NAME_MAX, "limit", err);
}

static bool thresholds_check(const struct alert_rule *rule, struct err *err)
{
	if (!(kinds[rule->kind].says & AT_THRESHOLDS))
		return unsaid(rule, rule->percents, "percents", err) && unsaid(rule, rule->amounts, "amounts", err);
	if (rule->percents > ALERT_THRESHOLDS_MAX || rule->amounts > ALERT_THRESHOLDS_MAX)
		return err_invalid(err, rule->percents > ALERT_THRESHOLDS_MAX ? "percents" : "amounts",
			"has more than %d thresholds", ALERT_THRESHOLDS_MAX);
	if (rule->percents + rule->amounts == 0)
		return err_invalid(err, "percents", "is empty; a threshold needs a percentage or an amount");
	for (int i = 0; i < rule->percents; i++)
		if (!within_at("percents", i, rule->percent_at[i], 1, PERCENT_MAX, err))
			return false;
	for (int i = 0; i < rule->amounts; i++)
		if (!within_at("amounts", i, rule->amount_at[i], 1, COUNT_MAX, err))
			return false;
	return true;
}

static bool percent_check(const struct alert_rule *rule, struct err *err)
{
	bool anomaly = rule->kind == ALERT_ANOMALY;

	if (!(kinds[rule->kind].says & AT_PERCENT))
		return unsaid(rule, rule->percent, "percent", err) &&
		       unsaid(rule, rule->minimum_nano, "minimum_nano_usd", err);
	if (!anomaly && !unsaid(rule, rule->minimum_nano, "minimum_nano_usd", err))
		return false;
	return within("percent", rule->percent, anomaly ? ANOMALY_PERCENT_MIN : 1,
		       anomaly ? ANOMALY_PERCENT_MAX : PERCENT_MAX, err) &&
	       within("minimum_nano_usd", rule->minimum_nano, 0, COUNT_MAX, err);
}

static bool after_check(const struct alert_rule *rule, struct err *err)
{
	if (!(kinds[rule->kind].says & AFTER))
		return unsaid(rule, rule->after_us, "after_s", err);
	return within("after_s", rule->after_us / SECOND_US, 1, AFTER_MAX_S, err);
}

static bool channels_check(const struct alert_rule *rule, struct err *err)
{
	char field[32];

	if (rule->channels > ALERT_RULE_CHANNELS_MAX)
		return err_invalid(err, "channels", "has more than %d names", ALERT_RULE_CHANNELS_MAX);
	for (int i = 0; i < rule->channels; i++) {
		snprintf(field, sizeof(field), "channels[%d]", i);
		if (!alert_name_check(rule->channel[i], field, err))
			return false;
		for (int j = 0; j < i; j++)
			if (strcmp(rule->channel[i], rule->channel[j]) == 0)
				return err_invalid(err, field, "%s is listed twice", rule->channel[i]);
	}
	return true;
}

bool alert_rule_check(const struct alert_rule *rule, struct err *err)
{
	if (!alert_name_check(rule->name, "name", err))
		return false;
	if (rule->kind < ALERT_THRESHOLD || rule->kind > ALERT_KEY_ENDS)
		return err_invalid(err, "kind", "is not one that a rule can have");
	if (rule->severity < ALERT_INFO || rule->severity > ALERT_CRITICAL)
		return err_invalid(err, "severity", "must be info, warning or critical");
	return accounts_check(rule, err) && limits_check(rule, err) && thresholds_check(rule, err) &&
	       percent_check(rule, err) && after_check(rule, err) && channels_check(rule, err);
}

struct alert_event alert_event_of(enum alert_kind kind, const char *tenant)
{
	return (struct alert_event){
		.tenant = tenant,
		.rule = "",
		.kind = kind,
		.severity = ALERT_INFO,
		.account = "",
		.limit_name = "",
		.dimension = -1,
		.unit = -1,
		.subject = "",
		.before = "",
		.after = "",
	};
}
