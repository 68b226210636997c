/* To which channels an alert goes, when, and how long failed deliveries pause. */

#include "base/units.h"
#include "domain/alert/route.h"
#include "domain/time/date.h"
#include "lib/test.h"

static int64_t at(int year, int month, int day, int hour, int minute)
{
	return ((date_days(year, month, day) * 24 + hour) * 60 + minute) * MINUTE_US;
}

static int minutes(int hour, int minute)
{
	return hour * 60 + minute;
}

static struct alert_channel channel_of(const char *tenant, const char *name)
{
	return (struct alert_channel){
		.tenant = tenant,
		.name = name,
		.kind = CHANNEL_WEBHOOK,
		.enabled = true,
		.least = ALERT_INFO,
		.quiet_zone = "",
	};
}

static struct alert_channel quiet_channel(const char *zone, int from, int to)
{
	struct alert_channel channel = channel_of("acme", "ops");

	channel.quiet_zone = zone;
	channel.quiet_from = from;
	channel.quiet_to = to;
	return channel;
}

static struct alert_event event_of(const char *tenant, enum alert_severity severity)
{
	return (struct alert_event){.kind = ALERT_THRESHOLD, .tenant = tenant, .rule = "limits", .severity = severity};
}

static struct alert_rule rule_of(const char *tenant)
{
	return (struct alert_rule){
		.tenant = tenant, .name = "limits", .kind = ALERT_THRESHOLD, .enabled = true, .to_all = true};
}

static void quiet_until_is(const struct alert_channel *channel, int64_t now_us, int64_t expected_us)
{
	const struct alert_event warning = event_of("acme", ALERT_WARNING);
	const struct alert_event critical = event_of("acme", ALERT_CRITICAL);

	assert_int_equal(alert_quiet_until(channel, now_us), expected_us);
	assert_int_equal(alert_not_before(channel, &warning, now_us), expected_us);
	assert_int_equal(alert_not_before(channel, &critical, now_us), now_us);
}

static void not_quiet(const struct alert_channel *channel, int64_t now_us)
{
	quiet_until_is(channel, now_us, now_us);
}

TEST(an_event_goes_to_enabled_channels_of_its_tenant_that_want_its_severity)
{
	struct alert_rule rule = rule_of("");
	struct alert_event event = event_of("acme", ALERT_WARNING);
	struct alert_channel channel = channel_of("acme", "ops");

	channel.least = ALERT_WARNING;
	assert_true(alert_goes_to(&rule, &event, &channel));
	channel.least = ALERT_CRITICAL;
	assert_false(alert_goes_to(&rule, &event, &channel));
	channel.least = ALERT_INFO;
	channel.enabled = false;
	assert_false(alert_goes_to(&rule, &event, &channel));
	channel.enabled = true;
	channel.tenant = "other";
	channel.system = true;
	assert_false(alert_goes_to(&rule, &event, &channel));
}

TEST(a_rule_names_its_channels_or_means_all_or_none)
{
	struct alert_rule rule = rule_of("acme");
	const struct alert_event event = event_of("acme", ALERT_WARNING);
	const struct alert_channel ops = channel_of("acme", "ops"), mail = channel_of("acme", "mail");

	rule.to_all = false;
	assert_false(alert_goes_to(&rule, &event, &ops));
	rule.channels = 2;
	rule.channel[0] = "nobody";
	rule.channel[1] = "ops";
	assert_true(alert_goes_to(&rule, &event, &ops));
	assert_false(alert_goes_to(&rule, &event, &mail));
	rule.to_all = true;
	assert_false(alert_goes_to(&rule, &event, &mail));
}

TEST(what_concerns_the_installation_goes_to_system_channels_of_any_tenant)
{
	struct alert_rule rule = rule_of("");
	const struct alert_event event = event_of("", ALERT_CRITICAL);
	struct alert_channel channel = channel_of("acme", "ops");

	assert_false(alert_goes_to(&rule, &event, &channel));
	channel.system = true;
	assert_true(alert_goes_to(&rule, &event, &channel));
	rule.tenant = "other";
	assert_false(alert_goes_to(&rule, &event, &channel));
}

TEST(a_channel_without_quiet_hours_sends_at_once)
{
	const struct alert_channel never = quiet_channel("", 0, 0), same = quiet_channel("", 600, 600);

	not_quiet(&never, at(2026, 11, 23, 0, 0));
	not_quiet(&same, at(2026, 11, 23, 10, 0));
}

TEST(quiet_hours_of_a_day_include_their_start_and_not_their_end)
{
	const struct alert_channel lunch = quiet_channel("", minutes(12, 0), minutes(13, 30));

	not_quiet(&lunch, at(2026, 11, 23, 12, 0) - 1);
	quiet_until_is(&lunch, at(2026, 11, 23, 12, 0), at(2026, 11, 23, 13, 30));
	quiet_until_is(&lunch, at(2026, 11, 23, 13, 30) - 1, at(2026, 11, 23, 13, 30));
	not_quiet(&lunch, at(2026, 11, 23, 13, 30));
	not_quiet(&lunch, at(2026, 11, 23, 13, 30) + 1);
}

TEST(quiet_hours_run_over_midnight)
{
	const struct alert_channel night = quiet_channel("", minutes(22, 0), minutes(7, 0));

	not_quiet(&night, at(2026, 12, 31, 21, 59));
	quiet_until_is(&night, at(2026, 12, 31, 22, 0), at(2027, 1, 1, 7, 0));
	quiet_until_is(&night, at(2027, 1, 1, 0, 0), at(2027, 1, 1, 7, 0));
	quiet_until_is(&night, at(2027, 1, 1, 6, 59), at(2027, 1, 1, 7, 0));
	not_quiet(&night, at(2027, 1, 1, 7, 0));
}

TEST(quiet_hours_that_end_at_midnight_end_there)
{
	const struct alert_channel evening = quiet_channel("", minutes(18, 0), 0);

	quiet_until_is(&evening, at(2026, 11, 23, 18, 0), at(2026, 11, 24, 0, 0));
	not_quiet(&evening, at(2026, 11, 24, 0, 0));
}

TEST(quiet_hours_are_read_in_their_zone)
{
	const struct alert_channel berlin = quiet_channel("Europe/Berlin", minutes(22, 0), minutes(7, 0));
	const struct alert_channel kathmandu =
		quiet_channel("Asia/Kathmandu", minutes(22, 0), minutes(7, 0)); /* +05:45 */

	quiet_until_is(&berlin, at(2026, 11, 23, 21, 0), at(2026, 11, 24, 6, 0));
	quiet_until_is(&berlin, at(2026, 7, 1, 20, 0), at(2026, 7, 2, 5, 0));
	not_quiet(&berlin, at(2026, 7, 1, 19, 59));
	quiet_until_is(&kathmandu, at(2026, 11, 23, 16, 15), at(2026, 11, 24, 1, 15));
}

/* 2026-03-29 01:00 UTC: 02:00 becomes 03:00; 2026-10-25 01:00 UTC: 03:00 becomes 02:00. */
TEST(a_night_in_berlin_is_an_hour_shorter_in_spring_and_longer_in_autumn)
{
	const struct alert_channel night = quiet_channel("Europe/Berlin", minutes(22, 0), minutes(7, 0));

	quiet_until_is(&night, at(2026, 3, 28, 21, 0), at(2026, 3, 29, 5, 0));
	quiet_until_is(&night, at(2026, 3, 29, 0, 30), at(2026, 3, 29, 5, 0));
	quiet_until_is(&night, at(2026, 10, 24, 20, 0), at(2026, 10, 25, 6, 0));
	quiet_until_is(&night, at(2026, 10, 25, 0, 30), at(2026, 10, 25, 6, 0));
	quiet_until_is(&night, at(2026, 10, 25, 5, 59), at(2026, 10, 25, 6, 0));
}

TEST(a_quiet_end_that_berlin_jumps_over_is_the_jump)
{
	const struct alert_channel night = quiet_channel("Europe/Berlin", minutes(22, 0), minutes(2, 30));

	quiet_until_is(&night, at(2026, 3, 28, 23, 0), at(2026, 3, 29, 1, 0));
	not_quiet(&night, at(2026, 3, 29, 1, 0));
}

TEST(quiet_hours_that_berlin_jumps_over_do_not_happen)
{
	const struct alert_channel inside = quiet_channel("Europe/Berlin", minutes(2, 15), minutes(2, 45));
	const struct alert_channel almost_always = quiet_channel("Europe/Berlin", minutes(2, 45), minutes(2, 15));

	not_quiet(&inside, at(2026, 3, 29, 1, 0) - 1);
	not_quiet(&inside, at(2026, 3, 29, 1, 0));
	/* The half hour in which this channel speaks is missing: one quiet night follows the other. */
	quiet_until_is(&almost_always, at(2026, 3, 28, 12, 0), at(2026, 3, 30, 0, 15));
}

TEST(a_quiet_end_that_berlin_shows_twice_is_the_first)
{
	const struct alert_channel night = quiet_channel("Europe/Berlin", minutes(22, 0), minutes(2, 30));

	quiet_until_is(&night, at(2026, 10, 24, 23, 0), at(2026, 10, 25, 0, 30));
	not_quiet(&night, at(2026, 10, 25, 0, 30));
	not_quiet(&night, at(2026, 10, 25, 1, 15)); /* 02:15 again */
}

TEST(a_quiet_start_that_berlin_shows_twice_is_the_first)
{
	const struct alert_channel night = quiet_channel("Europe/Berlin", minutes(2, 30), minutes(7, 0));

	not_quiet(&night, at(2026, 10, 25, 0, 30) - 1);
	quiet_until_is(&night, at(2026, 10, 25, 0, 30), at(2026, 10, 25, 6, 0));
	quiet_until_is(&night, at(2026, 10, 25, 1, 0), at(2026, 10, 25, 6, 0)); /* 02:00 again */
}

/* 2026-03-08 07:00 UTC: 02:00 becomes 03:00; 2026-11-01 06:00 UTC: 02:00 becomes 01:00. */
TEST(nights_in_new_york_follow_both_changes_of_its_clocks)
{
	const struct alert_channel night = quiet_channel("America/New_York", minutes(22, 0), minutes(7, 0));
	const struct alert_channel missing = quiet_channel("America/New_York", minutes(23, 0), minutes(2, 30));
	const struct alert_channel twice = quiet_channel("America/New_York", minutes(23, 0), minutes(1, 30));

	quiet_until_is(&night, at(2026, 3, 8, 3, 0), at(2026, 3, 8, 11, 0));
	quiet_until_is(&night, at(2026, 11, 1, 2, 0), at(2026, 11, 1, 12, 0));
	quiet_until_is(&missing, at(2026, 3, 8, 4, 0), at(2026, 3, 8, 7, 0));
	not_quiet(&missing, at(2026, 3, 8, 7, 0));
	quiet_until_is(&twice, at(2026, 11, 1, 3, 0), at(2026, 11, 1, 5, 30));
	not_quiet(&twice, at(2026, 11, 1, 6, 15)); /* 01:15 again */
}

/* Havana's clocks go back at 01:00 to 00:00, and forward over midnight. */
TEST(clocks_that_change_at_midnight_neither_repeat_nor_lose_a_night)
{
	const struct alert_channel from_midnight = quiet_channel("America/Havana", 0, minutes(6, 0));
	const struct alert_channel until_midnight = quiet_channel("America/Havana", minutes(20, 0), 0);

	quiet_until_is(&from_midnight, at(2026, 11, 1, 4, 0), at(2026, 11, 1, 11, 0));
	quiet_until_is(&from_midnight, at(2026, 11, 1, 5, 0), at(2026, 11, 1, 11, 0)); /* 00:00 again */
	quiet_until_is(&until_midnight, at(2026, 11, 1, 0, 0), at(2026, 11, 1, 4, 0));
	not_quiet(&until_midnight, at(2026, 11, 1, 4, 0));
	quiet_until_is(&until_midnight, at(2026, 3, 8, 2, 0), at(2026, 3, 8, 5, 0));
}

TEST(a_zone_that_cannot_be_read_counts_as_utc)
{
	const struct alert_channel channel = quiet_channel("Mars/Olympus", minutes(22, 0), minutes(7, 0));

	quiet_until_is(&channel, at(2026, 11, 23, 22, 0), at(2026, 11, 24, 7, 0));
	not_quiet(&channel, at(2026, 11, 23, 21, 0));
}

TEST(a_digest_is_sent_at_the_end_of_its_interval)
{
	const struct alert_event warning = event_of("acme", ALERT_WARNING), critical = event_of("acme", ALERT_CRITICAL);
	struct alert_channel channel = channel_of("acme", "ops");

	channel.digest_us = 15 * MINUTE_US;
	assert_int_equal(alert_not_before(&channel, &warning, at(2026, 11, 23, 12, 0)), at(2026, 11, 23, 12, 15));
	assert_int_equal(alert_not_before(&channel, &warning, at(2026, 11, 23, 12, 1)), at(2026, 11, 23, 12, 15));
	assert_int_equal(alert_not_before(&channel, &warning, at(2026, 11, 23, 12, 15) - 1), at(2026, 11, 23, 12, 15));
	assert_int_equal(alert_not_before(&channel, &warning, at(2026, 11, 23, 12, 15)), at(2026, 11, 23, 12, 30));
	assert_int_equal(alert_not_before(&channel, &critical, at(2026, 11, 23, 12, 1)), at(2026, 11, 23, 12, 15));
}

TEST(a_digest_that_ends_in_quiet_hours_waits_for_their_end)
{
	const struct alert_event warning = event_of("acme", ALERT_WARNING), critical = event_of("acme", ALERT_CRITICAL);
	struct alert_channel channel = quiet_channel("Europe/Berlin", minutes(22, 0), minutes(7, 0));

	channel.digest_us = HOUR_US;
	assert_int_equal(alert_not_before(&channel, &warning, at(2026, 11, 23, 20, 30)), at(2026, 11, 24, 6, 0));
	assert_int_equal(alert_not_before(&channel, &critical, at(2026, 11, 23, 20, 30)), at(2026, 11, 23, 21, 0));
	/* It begins in quiet hours, and ends as they do. */
	assert_int_equal(alert_not_before(&channel, &warning, at(2026, 11, 24, 5, 30)), at(2026, 11, 24, 6, 0));
	assert_int_equal(alert_not_before(&channel, &warning, at(2026, 11, 24, 6, 0)), at(2026, 11, 24, 7, 0));
}

static void retry_between(int attempts, int64_t least_us, int64_t most_us)
{
	assert_int_equal(alert_retry_pause(attempts, 0, 0), least_us);
	assert_int_equal(alert_retry_pause(attempts, 0, (uint64_t)least_us), most_us);
	for (uint64_t i = 1; i < 200; i++) {
		int64_t pause_us = alert_retry_pause(attempts, 0, i * UINT64_C(0x9e3779b97f4a7c15));

		assert_in_range(pause_us, least_us, most_us);
	}
	assert_in_range(alert_retry_pause(attempts, 0, UINT64_MAX), least_us, most_us);
}

TEST(retries_pause_twice_as_long_each_time_up_to_an_hour)
{
	retry_between(1, 2500000, 5 * SECOND_US);
	retry_between(2, 5 * SECOND_US, 10 * SECOND_US);
	retry_between(10, 1280 * SECOND_US, 2560 * SECOND_US);
	retry_between(11, 30 * MINUTE_US, HOUR_US);
	retry_between(1000000, 30 * MINUTE_US, HOUR_US);
}

TEST(a_retry_waits_as_long_as_the_destination_asks_but_a_day_at_most)
{
	assert_int_equal(alert_retry_pause(1, 90 * SECOND_US, 7), 90 * SECOND_US);
	assert_int_equal(alert_retry_pause(11, 1, 0), 30 * MINUTE_US);
	assert_int_equal(alert_retry_pause(1, INT64_MAX, 7), DAY_US);
	assert_int_equal(alert_retry_pause(1, -1, 0), 2500000);
}

TEST(a_circuit_opens_at_the_fifth_failure_in_a_row_for_ten_minutes_at_most)
{
	assert_int_equal(alert_circuit_pause(0, UINT64_MAX), 0);
	assert_int_equal(alert_circuit_pause(4, UINT64_MAX), 0);
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t random = i * UINT64_C(0x9e3779b97f4a7c15);

		assert_in_range(alert_circuit_pause(5, random), 5 * SECOND_US, 10 * SECOND_US);
		assert_in_range(alert_circuit_pause(6, random), 10 * SECOND_US, 20 * SECOND_US);
		assert_in_range(alert_circuit_pause(INT32_MAX, random), 5 * MINUTE_US, 10 * MINUTE_US);
	}
	assert_int_equal(alert_circuit_pause(INT32_MAX, 0), 5 * MINUTE_US);
	assert_int_equal(alert_circuit_pause(INT32_MAX, (uint64_t)(5 * MINUTE_US)), 10 * MINUTE_US);
}
