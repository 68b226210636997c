/* Reports, figures and forecasts from the roll-ups, in a PostgreSQL of the test's own. */
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "domain/time/date.h"
#include "lib/test.h"
#include "pg_entries.h"
#include "pg_server.h"

enum { ENTRIES = 240, DAYS = 40 };

static int64_t today;

/*
 * Rows of seven users in two teams and an org over forty days; each has a different cost, so that none can be mixed up.
 */
static void fill(void)
{
	struct ledger_item *items = arena_zalloc(&bench.arena, ENTRIES, sizeof(*items));
	struct ledger_write op;

	for (int i = 0; i < ENTRIES; i++) {
		struct entry entry;
		entry_example(&entry, &bench.arena, arena_printf(&bench.arena, "u%d", i % 7),
			arena_printf(&bench.arena, "r%d", i));
		entry.started_at_us -= i * 7 % DAYS * DAY_US;
		entry.info.interface = i % 3 ? "web" : "telegram";
		entry.info.tier = i % 8 ? i % 11 ? "free" : "pro" : ""; /* a user moves from one to another */
		entry.usage.provider = i % 5 ? "openai" : "other";
		entry.usage.price_model = i % 2 ? "small" : "large";
		entry.amounts.cost = 1000 + i * i;
		entry.usage.flags = i % 6 ? 0 : FLAG_UNPRICED;
		entry.usage.meters.count[METER_OUTPUT] = i;
		entry_groups(
			&entry, i % 4 ? arena_printf(&bench.arena, "team%d", i % 2) : NULL, i % 4 == 1 ? "org" : NULL);
		item_pack(&items[i], &bench.arena, &entry, arena_printf(&bench.arena, "g:%d", i));
	}
	assert_true(ledger_write_wait(&op, items, ENTRIES));
}

static struct report_page page_of(enum account_kind kind, const char *id, unsigned by, int limit)
{
	return (struct report_page){.job = JOB,
		.key = {kind, "t", id},
		.from_day = today - DAYS,
		.to_day = today,
		.by = by,
		.model = "",
		.interface = "",
		.limit = limit};
}

static int compare_keys(const struct bill_line *a, const struct bill_line *b)
{
	int order = strcmp(a->user, b->user);

	if (!order)
		order = strcmp(a->day, b->day);
	if (!order)
		order = strcmp(a->tier, b->tier);
	if (!order)
		order = strcmp(a->provider, b->provider);
	if (!order)
		order = strcmp(a->model, b->model);
	return order ? order : strcmp(a->interface, b->interface);
}

/*
 * Reads page by page, `limit` lines each: returns their sums, and checks that each line comes after the previous one.
 */
static struct bill_line all_pages(struct report_page page, int *lines)
{
	struct bill_line sum = {0}, last = {0};

	*lines = 0;
	do {
		RUN_OK(report, &page);
		for (int i = 0; i < page.count; i++) {
			if (last.user)
				assert_true(compare_keys(&last, &page.lines[i]) < 0);
			last = page.lines[i];
			sum.requests += last.requests;
			sum.cost += last.cost;
			sum.unpriced += last.unpriced;
			sum.meters.count[METER_OUTPUT] += last.meters.count[METER_OUTPUT];
			++*lines;
		}
		assert_true(!page.more || page.count == page.limit);
		page.after = &last;
	} while (page.more);
	return sum;
}

static const char *const columns[] = {"day", "provider || '/' || price_model", "interface", "user_id", "tier"};

/* How many lines there must be: groups of ledger rows, counted by separate SQL. */
static long long groups_of(const char *where, unsigned by)
{
	const char *list = "";

	for (unsigned bit = 0; bit < 5; bit++)
		if (by & 1u << bit)
			list = arena_printf(&bench.arena, "%s, %s", list, columns[bit]);
	return pg_server_ask_number(
		bench.db, arena_printf(&bench.arena, "SELECT count(DISTINCT (1%s)) FROM ledger WHERE %s", list, where));
}

static void the_sums_are(const struct bill_line *sum, const char *where)
{
	const char *right = pg_server_ask(bench.db,
		arena_printf(&bench.arena,
			"SELECT concat_ws(' ', sum(requests), sum(cost_nano), sum(output), sum(flags & 1)) FROM ledger "
			"WHERE %s",
			where));

	assert_string_equal(
		right, arena_printf(&bench.arena, "%lld %lld %lld %lld", (long long)sum->requests, (long long)sum->cost,
			       (long long)sum->meters.count[METER_OUTPUT], (long long)sum->unpriced));
}

static int open_reports(void **state)
{
	today = floor_div(clock_wall_us(), DAY_US);
	return pg_bench_open(state);
}

#define WITH_REPORTS(name) TEST_WITH(name, open_reports, pg_bench_close)

WITH_REPORTS(every_report_in_pages_of_any_size_is_the_sum_of_its_rows)
{
	static const struct {
		enum account_kind kind;
		const char *id, *where;
	} owners[] = {
		{ACCOUNT_USER, "u3", "user_id = 'u3'"},
		{ACCOUNT_TEAM, "team1", "team = 'team1'"},
		{ACCOUNT_ORG, "org", "org = 'org'"},
		{ACCOUNT_TENANT, "t", "true"},
	};
	static const int limits[] = {1, 7, 1000};

	fill();
	for (size_t i = 0; i < 4; i++) {
		bool by_user = owners[i].kind == ACCOUNT_USER || owners[i].kind == ACCOUNT_TENANT;
		unsigned most = owners[i].kind == ACCOUNT_TENANT ? 32 : by_user ? 16 : 8;

		for (unsigned by = 0; by < most; by++) {
			if (by & BY_TIER && by & BY_USER)
				continue;
			for (size_t k = 0; k < 3; k++) {
				int lines;
				struct bill_line sum =
					all_pages(page_of(owners[i].kind, owners[i].id, by, limits[k]), &lines);
				assert_int_equal(lines, groups_of(owners[i].where, by));
				the_sums_are(&sum, owners[i].where);
				if (by != BY_DAY && by != (BY_USER | BY_MODEL) && by != 15 && by != (BY_TIER | 7))
					k = 2; /* single lines for some of them are sufficient */
			}
		}
	}
}

WITH_REPORTS(filters_and_days_leave_out_the_rest)
{
	struct report_page page = page_of(ACCOUNT_TENANT, "t", BY_DAY, 1000);
	struct bill_line sum;
	int lines;

	fill();
	page.model = "small";
	sum = all_pages(page, &lines);
	the_sums_are(&sum, "price_model = 'small'");
	page.model = "other/small";
	page.interface = "web";
	sum = all_pages(page, &lines);
	the_sums_are(&sum, "price_model = 'small' AND provider = 'other' AND interface = 'web'");
	page.model = page.interface = "";
	page.from_day = page.to_day = today - 3;
	sum = all_pages(page, &lines);
	assert_int_equal(lines, 1);
	the_sums_are(&sum, "day = (SELECT max(day) FROM ledger) - 3");
	page.key.id = page.key.tenant = "nobody";
	sum = all_pages(page, &lines);
	assert_int_equal(lines, 0);
}

WITH_REPORTS(the_users_of_a_report_are_counted_once_over_several_months)
{
	struct report_users users = {.job = JOB, .tenant = "t", .from_day = today - DAYS, .to_day = today};

	fill();
	RUN_OK(report_users, &users);
	assert_int_equal(users.users, 7);
	users.from_day = today;
	RUN_OK(report_users, &users);
	assert_int_equal(users.users, pg_server_ask_number(bench.db,
					      "SELECT count(DISTINCT user_id) FROM usage_monthly WHERE month = (SELECT "
					      "max(month) FROM usage_monthly)"));
}

static void the_dearest_users_are(const struct stats_query *stats)
{
	const char *right = pg_server_ask(bench.db,
		arena_printf(&bench.arena,
			"SELECT string_agg(user_id || ' ' || c, ' ' ORDER BY c DESC, user_id) FROM (SELECT user_id, "
			"sum(cost_nano) AS c FROM ledger WHERE day - date '1970-01-01' BETWEEN %lld AND %lld GROUP BY "
			"1 "
			"ORDER BY 2 DESC, 1 LIMIT %d) u",
			(long long)stats->from_day, (long long)stats->to_day, stats->top));
	const char *got = "";

	for (int i = 0; i < stats->users; i++)
		got = arena_printf(&bench.arena, "%s%s%s %lld", got, i ? " " : "", stats->user[i].name,
			(long long)stats->user[i].use.cost);
	assert_string_equal(got, right);
	assert_int_equal(stats->total.cost,
		pg_server_ask_number(bench.db,
			arena_printf(&bench.arena,
				"SELECT coalesce(sum(cost_nano), 0) FROM ledger WHERE day - date '1970-01-01' BETWEEN "
				"%lld AND %lld",
				(long long)stats->from_day, (long long)stats->to_day)));
}

/* By the tier at the time of the request, whatever the user is on now; '' is what the ledger has no tier of. */
static void tiers_have_what_was_used_on_them(const struct stats_query *stats)
{
	const char *right = pg_server_ask(bench.db,
		arena_printf(&bench.arena,
			"SELECT coalesce(string_agg(tier || ' ' || c, ' ' ORDER BY c DESC, tier), '') FROM (SELECT tier, "
			"sum(cost_nano) AS c FROM ledger WHERE day - date '1970-01-01' BETWEEN %lld AND %lld GROUP BY 1) u",
			(long long)stats->from_day, (long long)stats->to_day));
	const char *got = "";

	for (int i = 0; i < stats->tiers_used; i++)
		got = arena_printf(&bench.arena, "%s%s%s %lld", got, i ? " " : "", stats->tier_used[i].name,
			(long long)stats->tier_used[i].use.cost);
	assert_string_equal(got, right);
}

/* Ranges of whole months, of parts of a month, and of both; the monthly roll-up is used wherever possible. */
WITH_REPORTS(figures_of_any_range_are_those_of_the_rows)
{
	int64_t month = date_month(today), before = date_month(month - 1);
	const int64_t ranges[][2] = {{month, today}, {before, today}, {before, month - 1}, {before, month},
		{before + 3, today}, {today - 2, today}, {today, today}, {before + 2, month - 2},
		{before - 40, before - 30}, {today - DAYS - 1, month + 5}};

	fill();
	assert_true(pg_server_exec(bench.db,
		"UPDATE accounts SET tier = 'pro' WHERE kind = 1 AND id = (SELECT min(user_id) FROM ledger)"));
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct stats_query stats = {.job = JOB,
			.tenant = "t",
			.from_day = ranges[i][0],
			.to_day = ranges[i][1],
			.today = today,
			.top = 3,
			.by_tier = true};
		RUN_OK(stats, &stats);
		the_dearest_users_are(&stats);
		tiers_have_what_was_used_on_them(&stats);
	}
	struct stats_query all = {
		.job = JOB, .tenant = "t", .from_day = today - DAYS, .to_day = today, .today = today, .top = 5};
	RUN_OK(stats, &all);
	assert_int_equal(all.days, DAYS);
	assert_int_equal(all.models, 4);
	assert_int_equal(all.interfaces, 2);
	assert_int_equal(all.teams, 2);
	assert_int_equal(all.orgs, 1);
	assert_int_equal(all.org[0].use.cost,
		pg_server_ask_number(bench.db, "SELECT sum(cost_nano) FROM ledger WHERE org = 'org'"));
	assert_int_equal(all.tiers_used, 0);
	assert_int_equal(all.tiers, 2);
	assert_string_equal(all.tier[0].tier, "free");
	assert_int_equal(all.tier[0].accounts, 6);
}

/* Use of one user on one day of the previous month. */
static void use_add(struct ledger_item *item, const char *user, int day, int64_t cost)
{
	int64_t before = date_month(date_month(today) - 1);
	struct entry entry;

	entry_example(&entry, &bench.arena, user, arena_printf(&bench.arena, "r-%s-%d", user, day));
	entry.started_at_us -= (today - before - day) * DAY_US;
	entry.amounts.cost = cost;
	item_pack(item, &bench.arena, &entry, arena_printf(&bench.arena, "g:%s-%d", user, day));
}

/*
 * More users than are looked at first for one place. All cost the same over the month, and next to nothing in its
 * second week. In that week a user who was cheap over the month costs most, until another one costs far more than all
 * of them.
 */
WITH_REPORTS(the_highest_cost_of_some_days_is_found_among_many_higher_ones_of_the_month)
{
	enum { CROWD = 130 };
	int64_t before = date_month(date_month(today) - 1);
	struct ledger_item *items = arena_zalloc(&bench.arena, CROWD + 1, sizeof(*items));
	struct ledger_write op;
	struct stats_query stats = {
		.job = JOB, .tenant = "t", .from_day = before + 7, .to_day = before + 13, .today = today, .top = 1};

	for (int i = 0; i < CROWD; i++)
		use_add(&items[i], arena_printf(&bench.arena, "u%d", i % (CROWD / 2)), i < CROWD / 2 ? 2 : 8,
			i < CROWD / 2 ? 1000 : 1);
	use_add(&items[CROWD], "late", 9, 500);
	assert_true(ledger_write_wait(&op, items, CROWD + 1));
	RUN_OK(stats, &stats);
	assert_string_equal(stats.user[0].name, "late");
	the_dearest_users_are(&stats);
	stats.top = 2; /* all of them are looked at */
	RUN_OK(stats, &stats);
	the_dearest_users_are(&stats);
	use_add(&items[0], "whale", 10, 1000000);
	assert_true(ledger_write_wait(&op, items, 1));
	stats.top = 1;
	RUN_OK(stats, &stats);
	assert_string_equal(stats.user[0].name, "whale");
	the_dearest_users_are(&stats);
}

WITH_REPORTS(a_forecast_reads_the_month_the_last_days_and_today)
{
	struct forecast_query op = {
		.job = JOB, .key = {ACCOUNT_TEAM, "t", "team1"}, .today = today, .from_day = today - 7};

	fill();
	RUN_OK(forecast, &op);
	assert_int_equal(op.month.cost,
		pg_server_ask_number(bench.db, "SELECT sum(cost_nano) FROM ledger WHERE team = 'team1' AND day >= "
					       "date_trunc('month', now() AT TIME ZONE 'UTC')"));
	assert_int_equal(op.days.cost,
		pg_server_ask_number(bench.db,
			"SELECT sum(cost_nano) FROM ledger WHERE team = 'team1' AND day BETWEEN (now() AT "
			"TIME ZONE 'UTC')::date - 7 AND (now() AT TIME ZONE 'UTC')::date - 1"));
	assert_int_equal(op.of_today.cost,
		pg_server_ask_number(bench.db,
			"SELECT coalesce(sum(cost_nano), 0) FROM ledger WHERE team = 'team1' AND day = (now() "
			"AT TIME ZONE 'UTC')::date"));
	assert_int_equal(
		op.first_day, pg_server_ask_number(bench.db, "SELECT min(day) - date '1970-01-01' FROM ledger WHERE "
							     "team = 'team1'"));
	op.key = (struct account_key){ACCOUNT_USER, "t", "nobody"};
	RUN_OK(forecast, &op);
	assert_int_equal(op.first_day, -1);
	assert_int_equal(op.month.cost + op.days.cost + op.of_today.cost, 0);
}

WITH_REPORTS(the_proof_compares_rows_and_roll_ups)
{
	struct proof_query proof = {.job = JOB, .tenant = "t"};

	ledger_fill(30);
	RUN_OK(proof, &proof);
	assert_int_equal(proof.ledger_rows, 30);
	assert_memory_equal(&proof.ledger, &proof.rollup, sizeof(proof.ledger));
	assert_memory_equal(&proof.ledger, &proof.shared, sizeof(proof.ledger));
	assert_int_equal(proof.ledger.cost, 6000);
	assert_int_equal(proof.users, 3);
	assert_true(pg_server_exec(bench.db,
		"UPDATE usage_daily SET cost_nano = cost_nano + 1 WHERE user_id = 'u1' AND interface = 'web'"));
	RUN_OK(proof, &proof);
	assert_int_equal(proof.rollup.cost, proof.ledger.cost + 1);
}

/* They are in the roll-ups and in no window: also those of a user of whom nothing else is known. */
WITH_REPORTS(corrections_of_the_bill_alone_are_not_what_a_user_used)
{
	struct proof_query proof = {.job = JOB, .tenant = "t"};

	ledger_fill(30);
	assert_true(pg_server_exec(bench.db,
		"UPDATE ledger SET entry = 4, flags = flags | 2048 WHERE user_id IN ('u0', 'u1'); "
		"DELETE FROM usage_daily WHERE user_id = 'u1'"));
	RUN_OK(proof, &proof);
	assert_int_equal(proof.ledger_rows, 30);
	assert_int_equal(proof.ledger.cost, 6000);
	assert_int_equal(proof.rollup.cost, 4000);
	assert_int_equal(proof.users, 3);
	for (int i = 0; i < 3; i++) {
		static const int64_t costs[] = {0, -2000, 3000};

		assert_string_equal(proof.user[i], arena_printf(&bench.arena, "u%d", i));
		assert_int_equal(proof.of_user[i].cost, costs[i]);
	}
}

TEST_GROUP(pg_bench_start, NULL);
