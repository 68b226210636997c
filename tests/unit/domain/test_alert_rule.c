/* The names of alerts, and which rules may be written. */
#include <string.h>

#include "base/units.h"
#include "domain/alert/alert.h"
#include "lib/test.h"

static struct alert_rule good(enum alert_kind kind)
{
	struct alert_rule rule = {
		.tenant = "t",
		.name = "a-rule.1",
		.kind = kind,
		.severity = ALERT_WARNING,
		.enabled = true,
		.account = "",
		.tier = "",
		.team = "",
		.limit_name = "",
		.dimension = -1,
		.unit = -1,
	};

	if (kind == ALERT_THRESHOLD) {
		rule.percents = 2;
		rule.percent_at[0] = 50;
		rule.percent_at[1] = 1000;
	}
	if (kind == ALERT_PROJECTED || kind == ALERT_ANOMALY)
		rule.percent = 300;
	if (kind == ALERT_STARVING || kind == ALERT_LEDGER_LAG || kind == ALERT_PRICES_OLD || kind == ALERT_KEY_ENDS)
		rule.after_us = SECOND_US;
	return rule;
}

/* Checks that the rule is refused because of this field. */
#define REFUSED(field_, kind_, ...) \
	do { \
		struct alert_rule rule = good(kind_); \
		struct err err = {0}; \
		__VA_ARGS__; \
		assert_false(alert_rule_check(&rule, &err)); \
		assert_int_equal(err.code, ERR_INVALID); \
		assert_string_equal(err.field, field_); \
		assert_memory_equal(err.text, field_, strlen(field_)); \
	} while (0)

TEST(kinds_and_severities_have_names)
{
	enum alert_kind parsed;

	for (int kind = ALERT_THRESHOLD; kind < ALERT_KIND_END; kind++) {
		assert_true(alert_kind_parse(alert_kind_name((enum alert_kind)kind), &parsed));
		assert_int_equal(parsed, kind);
	}
	assert_null(alert_kind_name(0));
	assert_null(alert_kind_name(ALERT_KIND_END));
	assert_false(alert_kind_parse("", &parsed));
	assert_false(alert_kind_parse("Threshold", &parsed));
	assert_string_equal(alert_severity_name(ALERT_CRITICAL), "critical");
	assert_null(alert_severity_name(0));
	assert_null(alert_severity_name(4));
	assert_true(alert_kind_is_system(ALERT_DRIFT));
	assert_false(alert_kind_is_system(ALERT_KEY_ENDS));
	assert_false(alert_kind_is_system(ALERT_KIND_END));
}

TEST(a_rule_of_each_kind_is_good)
{
	for (int kind = ALERT_THRESHOLD; kind <= ALERT_KEY_ENDS; kind++) {
		struct alert_rule rule = good((enum alert_kind)kind);
		struct err err = {0};

		assert_true(alert_rule_check(&rule, &err));
	}
}

TEST(a_bad_rule_names_the_field)
{
	REFUSED("name", ALERT_DRIFT, rule.name = "");
	REFUSED("name", ALERT_DRIFT, rule.name = "Big");
	REFUSED("kind", ALERT_DRIFT, rule.kind = ALERT_TEST);
	REFUSED("kind", ALERT_DRIFT, rule.kind = 0);
	REFUSED("severity", ALERT_DRIFT, rule.severity = 4);
	REFUSED("account_kinds", ALERT_DENIAL, rule.account_kinds = 1);
	REFUSED("account", ALERT_DENIAL, rule.account = "a\nb");
	REFUSED("tier", ALERT_DENIAL, rule.tier = "01234567890123456789012345678901234567890123456789012345678901234");
	REFUSED("dimension", ALERT_THRESHOLD, rule.dimension = DIM_CONCURRENT);
	REFUSED("dimension", ALERT_THRESHOLD, rule.dimension = DIM_COUNT);
	REFUSED("window", ALERT_THRESHOLD, rule.unit = WINDOW_COUNT);
	REFUSED("percents", ALERT_THRESHOLD, rule.percents = 0);
	REFUSED("percents", ALERT_THRESHOLD, rule.percents = ALERT_THRESHOLDS_MAX + 1);
	REFUSED("percents[1]", ALERT_THRESHOLD, rule.percent_at[1] = 1001);
	REFUSED("amounts[0]", ALERT_THRESHOLD, rule.amounts = 1);
	REFUSED("percent", ALERT_PROJECTED, rule.percent = 0);
	REFUSED("percent", ALERT_ANOMALY, rule.percent = 100);
	REFUSED("minimum_nano_usd", ALERT_ANOMALY, rule.minimum_nano = -1);
	REFUSED("after_s", ALERT_KEY_ENDS, rule.after_us = 0);
	REFUSED("channels[1]", ALERT_DRIFT, rule.channels = 2; rule.channel[0] = "ops"; rule.channel[1] = "ops");
	REFUSED("channels[0]", ALERT_DRIFT, rule.channels = 1; rule.channel[0] = "a b");
}

TEST(what_a_kind_does_not_look_at_is_refused)
{
	REFUSED("account_kinds", ALERT_DRIFT, rule.account_kinds = 1U << ACCOUNT_USER);
	REFUSED("account", ALERT_STARVING, rule.account = "ann");
	REFUSED("tier", ALERT_UNPRICED, rule.tier = "pro");
	REFUSED("team", ALERT_KEY_ENDS, rule.team = "red");
	REFUSED("limit", ALERT_ANOMALY, rule.limit_name = "day");
	REFUSED("dimension", ALERT_DENIAL, rule.dimension = DIM_COST);
	REFUSED("window", ALERT_TIER, rule.unit = WINDOW_DAY);
	REFUSED("percents", ALERT_PROJECTED, rule.percents = 1);
	REFUSED("amounts", ALERT_DENIAL, rule.amounts = 1);
	REFUSED("percent", ALERT_THRESHOLD, rule.percent = 1);
	REFUSED("minimum_nano_usd", ALERT_PROJECTED, rule.minimum_nano = 1);
	REFUSED("after_s", ALERT_THRESHOLD, rule.after_us = SECOND_US);
}

TEST(an_empty_event_says_nothing)
{
	struct alert_event event = alert_event_of(ALERT_TIER, "t");

	assert_string_equal(event.tenant, "t");
	assert_string_equal(event.before, "");
	assert_int_equal(event.kind, ALERT_TIER);
	assert_int_equal(event.dimension, -1);
	assert_int_equal(event.unit, -1);
	assert_int_equal(event.used, 0);
}
