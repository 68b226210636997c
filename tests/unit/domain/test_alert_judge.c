/* What fires: rules, limits, windows and what has fired before, in cases worked out by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "domain/alert/judge.h"
#include "domain/time/date.h"
#include "lib/test.h"

#define USD INT64_C(1000000000)

static int64_t at(int year, int month, int day, int hour, int minute)
{
	return ((date_days(year, month, day) * 24 + hour) * 60 + minute) * MINUTE_US;
}

/* The scene of a case: a user of tenant t with a quota of 1,000 requests a day, at noon of 2026-11-23. */
static struct {
	struct arena arena;
	struct alert_rule rule[8];
	struct alert_channel channel[4];
	struct alert_setup setup;
	struct policy policy;
	struct usage_window window[8];
	struct alert_fired fired[32];
	struct alert_account account;
	struct alert_judge judge;
	char text[2000];
} scene;

static struct alert_rule rule_of(const char *tenant, const char *name, enum alert_kind kind)
{
	return (struct alert_rule){
		.tenant = tenant,
		.name = name,
		.kind = kind,
		.severity = ALERT_WARNING,
		.enabled = true,
		.account = "",
		.tier = "",
		.team = "",
		.limit_name = "",
		.dimension = -1,
		.unit = -1,
		.to_all = true,
	};
}

static struct alert_rule *have_rule(const char *tenant, const char *name, enum alert_kind kind)
{
	struct alert_rule *rule = &scene.rule[scene.setup.rules++];

	*rule = rule_of(tenant, name, kind);
	return rule;
}

/* Replaces the thresholds of the first rule. */
static void have_percents(int count, const int *percents)
{
	scene.rule[0].percents = count;
	memcpy(scene.rule[0].percent_at, percents, (size_t)count * sizeof(*percents));
}
#define PERCENTS(...) have_percents((int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), (const int[]){__VA_ARGS__})

static struct limit *have_limit(const char *name, enum dimension dimension, enum window_unit unit, int64_t amount)
{
	struct limit *limit = &scene.policy.limits[scene.policy.count++];
	struct err err;

	*limit = (struct limit){.dimension = dimension, .kind = KIND_CALENDAR, .unit = unit, .amount = amount};
	snprintf(limit->name, sizeof(limit->name), "%s", name);
	assert_true(limit_prepare(limit, &err));
	return limit;
}

static void have_use(enum window_unit unit, int64_t start_us, int64_t requests, int64_t cost)
{
	scene.window[scene.account.windows++] = (struct usage_window){
		.unit = unit, .window_start = start_us, .model = "", .used = {.requests = requests, .cost = cost}};
}

static void begin(void)
{
	arena_release(&scene.arena);
	memset(&scene, 0, sizeof(scene));
	scene.setup.rule = scene.rule;
	scene.setup.channel = scene.channel;
	scene.account = (struct alert_account){
		.kind = ACCOUNT_USER,
		.tenant = "t",
		.id = "ann",
		.tier = "pro",
		.policy = &scene.policy,
		.window = scene.window,
		.fired_row = scene.fired,
	};
	scene.judge.now_us = at(2026, 11, 23, 12, 0);
	have_rule("", "users", ALERT_THRESHOLD);
	PERCENTS(50, 80, 100);
	have_limit("quota", DIM_REQUESTS, WINDOW_DAY, 1000);
}

static void judge(void)
{
	scene.judge = (struct alert_judge){
		.setup = &scene.setup, .arena = &scene.arena, .now_us = scene.judge.now_us, .stale = scene.judge.stale};
	alert_judge_account(&scene.judge, &scene.account);
}

/* The keys of what fires: "quota:50%(quietly) quota:80%"; then, after a "-", of what is forgotten. */
static const char *fired(void)
{
	size_t len = 0;

	judge();
	scene.text[0] = '\0';
	for (int i = 0; i < scene.judge.firings; i++)
		len += (size_t)snprintf(scene.text + len, sizeof(scene.text) - len, "%s%s%s", len ? " " : "",
			scene.judge.firing[i].key, scene.judge.firing[i].silent ? "(quietly)" : "");
	for (int i = 0; i < scene.judge.rearms; i++)
		len += (size_t)snprintf(scene.text + len, sizeof(scene.text) - len, "%s-%s", len ? " " : "",
			scene.judge.rearm[i].fired.key);
	return scene.text;
}

/* As the store does it: what has fired is remembered, what is forgotten is gone. Returns what fired() has said. */
static const char *fires(void)
{
	fired();
	for (int i = 0; i < scene.judge.rearms; i++)
		for (int j = 0; j < scene.account.fired; j++)
			if (strcmp(scene.fired[j].key, scene.judge.rearm[i].fired.key) == 0)
				scene.fired[j] = scene.fired[--scene.account.fired];
	for (int i = 0; i < scene.judge.firings; i++) {
		const struct alert_firing *firing = &scene.judge.firing[i];
		int j = 0;

		while (j < scene.account.fired &&
			(strcmp(scene.fired[j].key, firing->key) != 0 || scene.fired[j].window_us != firing->window_us))
			j++;
		scene.account.fired += j == scene.account.fired;
		scene.fired[j] = (struct alert_fired){
			firing->event.rule, firing->key, firing->window_us, firing->point, firing->used};
	}
	return scene.text;
}

static const struct alert_firing *firing_at(int i)
{
	assert_true(i < scene.judge.firings);
	if (!scene.judge.firing)
		abort();
	return &scene.judge.firing[i];
}

static void use_is(int64_t requests)
{
	scene.account.windows = 0;
	have_use(WINDOW_DAY, at(2026, 11, 23, 0, 0), requests, 0);
}

TEST(each_threshold_fires_when_it_is_reached_and_once)
{
	begin();
	use_is(499);
	assert_string_equal(fires(), "");
	use_is(500);
	assert_string_equal(fires(), "quota:50%");
	use_is(799);
	assert_string_equal(fires(), "");
	use_is(800);
	assert_string_equal(fires(), "quota:80%");
	use_is(1200);
	assert_string_equal(fires(), "quota:100%");
	use_is(5000);
	assert_string_equal(fires(), "");
}

TEST(an_event_says_what_was_used_of_what)
{
	const struct alert_event *event;

	begin();
	use_is(512);
	judge();
	assert_int_equal(scene.judge.firings, 1);
	event = &firing_at(0)->event;
	assert_string_equal(event->rule, "users");
	assert_string_equal(event->tenant, "t");
	assert_string_equal(event->account, "ann");
	assert_string_equal(event->limit_name, "quota");
	assert_int_equal(event->kind, ALERT_THRESHOLD);
	assert_int_equal(event->severity, ALERT_WARNING);
	assert_int_equal(event->account_kind, ACCOUNT_USER);
	assert_int_equal(event->dimension, DIM_REQUESTS);
	assert_int_equal(event->unit, WINDOW_DAY);
	assert_int_equal(event->window_start_us, at(2026, 11, 23, 0, 0));
	assert_int_equal(event->window_end_us, at(2026, 11, 24, 0, 0));
	assert_int_equal(event->used, 512);
	assert_int_equal(event->amount, 1000);
	assert_int_equal(event->percent, 50);
	assert_int_equal(event->threshold, 500);
	assert_int_equal(event->at_us, at(2026, 11, 23, 12, 0));
	assert_true(firing_at(0)->expires_at_us > at(2026, 11, 24, 0, 0));
}

TEST(of_thresholds_that_are_passed_in_one_go_the_highest_is_told)
{
	begin();
	use_is(1000);
	assert_string_equal(fires(), "quota:50%(quietly) quota:80%(quietly) quota:100%");
	use_is(1001);
	assert_string_equal(fires(), "");
	PERCENTS(50, 80, 90, 100);
	assert_string_equal(fires(), "quota:90%(quietly)"); /* a higher one has been told */
}

TEST(of_a_small_amount_the_highest_percentage_is_told)
{
	begin();
	scene.policy.limits[0].amount = 1;
	use_is(1);
	assert_string_equal(fires(), "quota:50%(quietly) quota:80%(quietly) quota:100%");
}

TEST(amounts_are_thresholds_too)
{
	begin();
	scene.rule[0].amounts = 2;
	scene.rule[0].amount_at[0] = 600;
	scene.rule[0].amount_at[1] = 700;
	use_is(650);
	assert_string_equal(fires(), "quota:50%(quietly) quota:600");
	assert_int_equal(firing_at(1)->event.percent, 0);
	assert_int_equal(firing_at(1)->event.threshold, 600);
	use_is(800);
	assert_string_equal(fires(), "quota:80% quota:700(quietly)");
}

TEST(a_raise_of_the_limit_above_the_use_arms_it_again)
{
	begin();
	use_is(850);
	assert_string_equal(fires(), "quota:50%(quietly) quota:80%");
	scene.policy.limits[0].amount = 1500; /* 750 has been passed, 1200 has not */
	assert_string_equal(fires(), "-quota:80%");
	use_is(1200);
	assert_string_equal(fires(), "quota:80%");
}

/* Between the raise and the evaluation it went on: the row is older than the limit that counts. */
TEST(a_raise_that_was_used_up_at_once_fires_again)
{
	begin();
	use_is(1000);
	fires();
	scene.policy.limits[0].amount = 2000;
	use_is(2000);
	assert_string_equal(fired(), "quota:80%(quietly) quota:100%");
}

TEST(what_is_given_back_arms_it_again)
{
	begin();
	use_is(510);
	assert_string_equal(fires(), "quota:50%");
	use_is(490);
	assert_string_equal(fires(), "-quota:50%");
	use_is(500);
	assert_string_equal(fires(), "quota:50%");
}

TEST(an_old_view_of_the_limits_forgets_nothing)
{
	begin();
	use_is(510);
	fires();
	scene.policy.limits[0].amount = 3000;
	scene.judge.stale = true;
	assert_string_equal(fired(), "");
	use_is(1500);
	assert_string_equal(fired(), "");
}

TEST(a_reset_begins_a_window_of_its_own)
{
	begin();
	use_is(1000);
	fires();
	have_use(WINDOW_DAY, at(2026, 11, 23, 11, 0), 0, 0);
	scene.window[1].reset = true;
	assert_string_equal(fires(), "");
	have_use(WINDOW_DAY, at(2026, 11, 23, 11, 0), 500, 0);
	assert_string_equal(fires(), "quota:50%");
	assert_int_equal(firing_at(0)->window_us, at(2026, 11, 23, 11, 0));
}

TEST(the_next_window_fires_again_and_a_late_record_of_the_last_one_counts_there)
{
	begin();
	use_is(500);
	assert_string_equal(fires(), "quota:50%");
	scene.judge.now_us = at(2026, 11, 24, 0, 5);
	have_use(WINDOW_DAY, at(2026, 11, 24, 0, 0), 500, 0);
	assert_string_equal(fires(), "quota:50%");
	assert_int_equal(firing_at(0)->window_us, at(2026, 11, 24, 0, 0));
	scene.window[0].used.requests = 800;
	assert_string_equal(fires(), "quota:80%");
	assert_int_equal(firing_at(0)->window_us, at(2026, 11, 23, 0, 0));
	assert_int_equal(firing_at(0)->event.window_end_us, at(2026, 11, 24, 0, 0));
	scene.window[0].used.requests = 1000;
	scene.judge.now_us = at(2026, 11, 24, 0, 10);
	assert_string_equal(fires(), "");
}

TEST(windows_are_those_of_the_accounts_zone)
{
	begin();
	snprintf(scene.account.profile.zone.name, sizeof(scene.account.profile.zone.name), "Asia/Tokyo");
	have_use(WINDOW_DAY, at(2026, 11, 22, 15, 0), 500, 0);
	have_use(WINDOW_DAY, at(2026, 11, 21, 15, 0), 900, 0); /* yesterday */
	assert_string_equal(fires(), "quota:50%");
	assert_int_equal(firing_at(0)->event.window_start_us, at(2026, 11, 22, 15, 0));
	assert_int_equal(firing_at(0)->event.window_end_us, at(2026, 11, 23, 15, 0));
}

TEST(grace_raises_the_amount_while_it_lasts)
{
	begin();
	scene.account.profile.grace_percent = 100;
	scene.account.profile.grace_until_us = at(2026, 11, 23, 13, 0);
	use_is(1000);
	assert_string_equal(fires(), "quota:50%");
	assert_int_equal(firing_at(0)->event.amount, 2000);
	scene.judge.now_us = at(2026, 11, 23, 13, 0);
	assert_string_equal(fires(), "quota:80%(quietly) quota:100%");
}

TEST(limits_that_only_watch_or_allow_nothing_keep_still)
{
	begin();
	use_is(1000);
	scene.policy.limits[0].shadow = true;
	have_limit("nothing", DIM_REQUESTS, WINDOW_DAY, 0);
	assert_string_equal(fired(), "");
	scene.policy.count = 0; /* deleted */
	assert_string_equal(fired(), "");
	scene.account.policy = NULL;
	assert_string_equal(fired(), "");
}

TEST(an_account_that_is_deleted_keeps_still)
{
	begin();
	use_is(1000);
	scene.account.profile.deleted = true;
	assert_string_equal(fired(), "");
}

/* Whether the first rule, changed so, finds the use of the scene. */
#define FINDS(member, value) \
	({ \
		struct alert_rule kept = scene.rule[0]; \
		bool found; \
		scene.rule[0].member = (value); \
		judge(); \
		found = scene.judge.firings > 0; \
		scene.rule[0] = kept; \
		found; \
	})

TEST(selectors_narrow_a_rule)
{
	begin();
	use_is(500);
	snprintf(scene.account.profile.team, sizeof(scene.account.profile.team), "red");
	assert_true(FINDS(account_kinds, 1U << ACCOUNT_USER | 1U << ACCOUNT_TEAM));
	assert_false(FINDS(account_kinds, 1U << ACCOUNT_TEAM));
	assert_true(FINDS(account, "ann"));
	assert_false(FINDS(account, "bob"));
	assert_true(FINDS(tier, "pro"));
	assert_false(FINDS(tier, "free"));
	assert_true(FINDS(team, "red"));
	assert_false(FINDS(team, "blue"));
	assert_true(FINDS(limit_name, "quota"));
	assert_false(FINDS(limit_name, "budget"));
	assert_true(FINDS(dimension, DIM_REQUESTS));
	assert_false(FINDS(dimension, DIM_COST));
	assert_true(FINDS(unit, WINDOW_DAY));
	assert_false(FINDS(unit, WINDOW_MONTH));
	scene.account.kind = ACCOUNT_TEAM; /* of this name: not a user of it */
	assert_false(FINDS(team, "red"));
}

TEST(a_tenants_own_rule_goes_before_the_shipped_one_of_its_name)
{
	struct alert_rule *own;

	begin();
	use_is(700);
	own = have_rule("t", "users", ALERT_THRESHOLD);
	own->percents = 1;
	own->percent_at[0] = 60;
	assert_string_equal(fired(), "quota:60%");
	own->enabled = false;
	assert_string_equal(fired(), "");
	own->tenant = "u";
	assert_string_equal(fired(), "quota:50%");
	own->enabled = true;
	own->tenant = "t";
	own->name = "other";
	assert_string_equal(fired(), "quota:50% quota:60%");
}

TEST(a_limit_with_a_selector_counts_what_it_names)
{
	struct limit *limit;
	struct err err;

	begin();
	limit = have_limit("chat", DIM_REQUESTS, WINDOW_DAY, 100);
	snprintf(limit->interface, sizeof(limit->interface), "telegram");
	assert_true(limit_prepare(limit, &err));
	use_is(60);
	assert_string_equal(fired(), "");
	scene.window[0].interface_hash = interface_hash("telegram");
	assert_string_equal(fired(), "chat:50%");
}

static void begin_projected(void)
{
	begin();
	scene.setup.rules = scene.policy.count = 0;
	have_rule("", "projected", ALERT_PROJECTED)->percent = 100;
	have_limit("budget", DIM_COST, WINDOW_MONTH, 30 * USD); /* November has 30 days */
}

TEST(a_projection_goes_on_as_so_far_from_an_eighth_of_the_window_on)
{
	begin_projected();
	have_use(WINDOW_MONTH, at(2026, 11, 1, 0, 0), 0, 5 * USD);
	scene.judge.now_us = at(2026, 11, 4, 17, 59);
	assert_string_equal(fired(), ""); /* 40, but too early to say: 3.75 days are an eighth */
	scene.judge.now_us = at(2026, 11, 4, 18, 0);
	assert_string_equal(fired(), "budget");
	assert_int_equal(firing_at(0)->event.percent, 133);
	assert_int_equal(firing_at(0)->event.used, 5 * USD);
	scene.judge.now_us = at(2026, 11, 6, 0, 0);
	assert_string_equal(fired(), "budget"); /* 30 of 30 */
	assert_int_equal(firing_at(0)->event.percent, 100);
	scene.judge.now_us = at(2026, 11, 6, 0, 1);
	assert_string_equal(fired(), "");
}

TEST(a_projection_fires_once_a_window_and_keeps_still_at_the_limit)
{
	begin_projected();
	scene.judge.now_us = at(2026, 11, 11, 0, 0);
	have_use(WINDOW_MONTH, at(2026, 11, 1, 0, 0), 0, 11 * USD);
	assert_string_equal(fires(), "budget");
	scene.window[0].used.cost = 9 * USD;
	assert_string_equal(fires(), "");
	scene.window[0].used.cost = 12 * USD;
	assert_string_equal(fires(), "");
	scene.policy.limits[0].amount = 34 * USD; /* above the 33 that were projected */
	assert_string_equal(fires(), "budget");
	scene.account.fired = 0;
	scene.window[0].used.cost = 34 * USD;
	assert_string_equal(fires(), "");
}

static void begin_anomaly(void)
{
	begin();
	scene.rule[0] = rule_of("", "anomaly", ALERT_ANOMALY);
	scene.rule[0].percent = 300;
	scene.rule[0].minimum_nano = USD;
	scene.account.kind = ACCOUNT_TEAM;
	scene.account.today_nano = 3 * USD;
	scene.account.past_nano = 4 * USD;
	scene.account.past_days = 4;
}

TEST(an_anomaly_is_far_above_the_average)
{
	begin_anomaly();
	assert_string_equal(fires(), "day");
	assert_int_equal(firing_at(0)->event.used, 3 * USD);
	assert_int_equal(firing_at(0)->event.amount, USD);
	assert_int_equal(firing_at(0)->event.percent, 300);
	assert_string_equal(fires(), "");
	scene.judge.now_us = at(2026, 11, 24, 12, 0);
	assert_string_equal(fires(), "day");
	scene.account.fired = 0;
	scene.account.today_nano--;
	assert_string_equal(fires(), "");
}

TEST(an_anomaly_needs_a_history_and_an_amount_that_matters)
{
	begin_anomaly();
	scene.account.past_days = 2;
	assert_string_equal(fired(), "");
	scene.account.past_days = 3;
	scene.account.past_nano = 0;
	assert_string_equal(fired(), "day");
	assert_int_equal(firing_at(0)->event.percent, 0);
	scene.rule[0].minimum_nano = 3 * USD + 1;
	assert_string_equal(fired(), "");
}

TEST(use_without_a_price_is_told_of_the_tenant_once_a_day)
{
	begin();
	scene.rule[0] = rule_of("", "unpriced", ALERT_UNPRICED);
	scene.account.today_unpriced = 7;
	assert_string_equal(fired(), "");
	scene.account.kind = ACCOUNT_TENANT;
	assert_string_equal(fires(), "day");
	assert_int_equal(firing_at(0)->event.count, 7);
	assert_string_equal(fires(), "");
}

/* The keys of what a note of this kind and age fires. */
static const char *noted(enum alert_kind kind, const char *tenant, int64_t age_us, const char *id)
{
	struct alert_event note = alert_event_of(kind, tenant);
	size_t len = 0;

	note.at_us = scene.judge.now_us;
	note.age_us = age_us;
	note.threshold = kind == ALERT_STARVING ? MINUTE_US : 0;
	note.subject = "pool";
	scene.judge = (struct alert_judge){.setup = &scene.setup, .arena = &scene.arena, .now_us = scene.judge.now_us};
	alert_judge_note(&scene.judge, &note, NULL, id);
	scene.text[0] = '\0';
	for (int i = 0; i < scene.judge.firings; i++) {
		const struct alert_firing *firing = firing_at(i);
		int64_t after_us = firing->window_us - at(2026, 11, 23, 0, 0);

		len += (size_t)(firing->key[0] ? snprintf(scene.text + len, sizeof(scene.text) - len, "%s@%d",
							 firing->key, (int)(after_us / HOUR_US))
					       : snprintf(scene.text + len, sizeof(scene.text) - len, "each time"));
	}
	return scene.text;
}

TEST(notes_fire_as_often_as_their_kind_may)
{
	begin();
	scene.judge.now_us = at(2026, 11, 23, 12, 30);
	scene.setup.rules = 0;
	have_rule("", "first-denial", ALERT_DENIAL);
	have_rule("", "suspended", ALERT_SUSPENDED);
	have_rule("", "starving", ALERT_STARVING)->after_us = MINUTE_US;
	have_rule("", "ledger-lag", ALERT_LEDGER_LAG)->after_us = MINUTE_US;
	have_rule("", "prices-old", ALERT_PRICES_OLD)->after_us = DAY_US;
	have_rule("", "keys-end", ALERT_KEY_ENDS)->after_us = DAY_US;
	assert_string_equal(noted(ALERT_DENIAL, "t", 0, ""), "day@0");
	assert_string_equal(noted(ALERT_SUSPENDED, "t", 0, ""), "each time");
	assert_string_equal(noted(ALERT_STARVING, "t", 2 * MINUTE_US - 1, ""), "");
	assert_string_equal(noted(ALERT_STARVING, "t", 2 * MINUTE_US, ""), "pool@12");
	assert_string_equal(noted(ALERT_LEDGER_LAG, "", MINUTE_US - 1, ""), "");
	assert_string_equal(noted(ALERT_LEDGER_LAG, "", MINUTE_US, ""), "hour@12");
	assert_string_equal(noted(ALERT_PRICES_OLD, "", DAY_US, ""), "day@0");
	assert_string_equal(noted(ALERT_KEY_ENDS, "t", DAY_US + 1, "17"), "");
	assert_string_equal(noted(ALERT_KEY_ENDS, "t", HOUR_US, "17"), "17@13");
	assert_string_equal(noted(ALERT_DRIFT, "", 0, ""), ""); /* there is no rule */
}

TEST(events_go_to_the_tenants_channels_and_system_events_to_system_channels)
{
	static const char *const tenants[] = {"s", "t", "t", "u"};

	begin();
	for (int i = 0; i < 4; i++)
		scene.channel[scene.setup.channels++] = (struct alert_channel){.tenant = tenants[i],
			.name = "c",
			.kind = CHANNEL_WEBHOOK,
			.enabled = true,
			.system = i == 2,
			.least = ALERT_INFO,
			.quiet_zone = "",
			.digest_us = i == 1 ? HOUR_US : 0};
	use_is(1000);
	judge();
	assert_int_equal(firing_at(0)->channels, 0); /* silent */
	assert_int_equal(firing_at(2)->channels, 2);
	assert_string_equal(firing_at(2)->channel_tenant[0], "t");
	assert_int_equal(firing_at(2)->not_before_us[0], at(2026, 11, 23, 13, 0));
	assert_int_equal(firing_at(2)->not_before_us[1], at(2026, 11, 23, 12, 0));
	have_rule("", "drift", ALERT_DRIFT);
	assert_string_equal(noted(ALERT_DRIFT, "", 0, ""), "hour@12");
	assert_int_equal(firing_at(0)->channels, 1);
	assert_string_equal(firing_at(0)->channel_tenant[0], "t");
}

TEST(days_are_read_where_a_rule_needs_them)
{
	int64_t minimum_nano;

	begin();
	assert_int_equal(alert_daily_kinds(&scene.setup, &minimum_nano), 0);
	have_rule("", "unpriced", ALERT_UNPRICED);
	assert_int_equal(alert_daily_kinds(&scene.setup, &minimum_nano), 1U << ACCOUNT_TENANT);
	assert_true(minimum_nano == INT64_MAX);
	have_rule("t", "anomaly", ALERT_ANOMALY)->minimum_nano = 5;
	scene.rule[2].account_kinds = 1U << ACCOUNT_TEAM | 1U << ACCOUNT_MODEL;
	assert_int_equal(alert_daily_kinds(&scene.setup, &minimum_nano), 1U << ACCOUNT_TENANT | 1U << ACCOUNT_TEAM);
	assert_int_equal(minimum_nano, 5);
}

TEST(accounts_are_found_by_their_key)
{
	struct alert_account accounts[] = {{.tenant = "a", .kind = ACCOUNT_USER, .id = "x"},
		{.tenant = "b", .kind = ACCOUNT_USER, .id = "x"}, {.tenant = "b", .kind = ACCOUNT_TEAM, .id = "x"}};

	assert_ptr_equal(alert_account_find(accounts, 3, "b", ACCOUNT_TEAM, "x"), &accounts[2]);
	assert_null(alert_account_find(accounts, 3, "b", ACCOUNT_ORG, "x"));
	assert_null(alert_account_find(accounts, 0, "b", ACCOUNT_ORG, "x"));
	begin();
	arena_release(&scene.arena);
}
