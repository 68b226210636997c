/* Re-ratings in the ledger: what is read of an attempt, and the roll-ups of a request that moves to another line. */
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "domain/time/date.h"
#include "lib/test.h"
#include "pg_entries.h"
#include "pg_server.h"

static int origins;

static void write_one(const struct entry *entry)
{
	struct ledger_item item;
	struct ledger_write op;

	item_pack(&item, &bench.arena, entry, arena_printf(&bench.arena, "g:%d", origins++));
	assert_true(ledger_write_wait(&op, &item, 1));
	assert_int_equal(item.fate, LEDGER_WRITTEN);
}

/* A record that no price knew: charged nothing, on a line of its own. */
static struct entry unknown(const char *user, const char *request_id)
{
	struct entry entry;

	entry_example(&entry, &bench.arena, user, request_id);
	entry_groups(&entry, "red", "org");
	entry.amounts.cost = 0;
	entry.usage.model = "New-Model";
	entry.usage.provider = "openai";
	entry.usage.flags = FLAG_UNPRICED | FLAG_OTHER_MODEL;
	entry.usage.meters.count[METER_WEB_SEARCHES] = 2;
	return entry;
}

/* Its re-rating number `n`, at a price that costs `delta` more. */
static struct entry rated(const struct entry *record, struct entry_rerate *before, int n, int64_t delta)
{
	struct entry entry = *record;

	entry.kind = ENTRY_ADJUST;
	entry.at_us += n * 1000;
	entry.adjusts = record->info.request_id;
	entry.info.request_id = arena_printf(&bench.arena, "rerate-%s-%d", record->info.request_id, n);
	entry.info.actor = "alice";
	entry.info.reason = "priced";
	entry.amounts = (struct amounts){.cost = delta};
	entry.usage.flags = 0;
	entry.usage.provider = "acme";
	entry.usage.price_model = "new-model";
	entry.usage.meters = (struct meters){0};
	entry.usage.list_cost_nano = 700;
	entry.rerate = before;
	*before = (struct entry_rerate){.provider = n == 1 ? "" : "acme",
		.model = "new-model",
		.unpriced = n == 1,
		.again = n > 1,
		.moved = record->amounts,
		.meters = record->usage.meters};
	return entry;
}

static const char *line_of(const char *table, const char *provider)
{
	return pg_server_ask(bench.db,
		arena_printf(&bench.arena,
			"SELECT concat_ws(' ', sum(rows), sum(requests), sum(cost_nano), sum(charged_input), sum(input), "
			"sum(unpriced)) FROM %s AND provider = '%s' AND model = 'new-model'",
			table, provider));
}

static const char *const tables[] = {
	"usage_daily WHERE user_id = 'u'",
	"usage_shared_daily WHERE kind = 2 AND id = 'red'",
	"usage_shared_daily WHERE kind = 3 AND id = 'org'",
	"usage_shared_daily WHERE kind = 5 AND id = 't'",
	"usage_shared_daily WHERE kind = 6 AND id = 'free'",
};

ON_BENCH(a_re_rated_request_moves_to_the_line_of_its_price_in_every_roll_up)
{
	struct entry record = unknown("u", "r");
	struct entry_rerate before;
	struct entry correction = rated(&record, &before, 1, 700);

	write_one(&record);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		assert_string_equal(line_of(tables[i], ""), "1 1 0 10 10 1");
	write_one(&correction);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		assert_string_equal(line_of(tables[i], ""), "0 0 0 0 0 0");
		assert_string_equal(line_of(tables[i], "acme"), "2 1 700 10 10 0");
	}
	assert_string_equal(
		pg_server_ask(bench.db,
			"SELECT string_agg(DISTINCT concat_ws(' ', provider, meter, sum), ',') FROM (SELECT "
			"provider, meter, sum(count) FROM usage_meters GROUP BY kind, id, provider, meter) m"),
		" web_searches 0,acme web_searches 2");
	assert_string_equal(
		pg_server_ask(bench.db, "SELECT concat_ws(' ', requests, cost_nano) FROM usage_monthly"), "1 700");
	assert_string_equal(
		pg_server_ask(bench.db, "SELECT string_agg(concat_ws(' ', kind, corrected, corrected_nano), ',' "
					"ORDER BY kind) FROM usage_costs"),
		"1 1 700,2 1 700,3 1 700,5 1 700,6 1 700");
	assert_int_equal(
		pg_server_ask_number(bench.db, "SELECT count(*) FROM audit_log WHERE action = 'ledger.adjust'"), 0);
}

ON_BENCH(a_second_re_rating_adds_the_difference_and_is_still_one_corrected_request)
{
	struct entry record = unknown("u", "r");
	struct entry_rerate before;
	struct entry correction = rated(&record, &before, 1, 700);

	write_one(&record);
	write_one(&correction);
	correction = rated(&record, &before, 2, -300);
	before.corrected = before.moved.cost = 700;
	write_one(&correction);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		assert_string_equal(line_of(tables[i], "acme"), "3 1 400 10 10 0");
	assert_string_equal(pg_server_ask(bench.db, "SELECT concat_ws(' ', sum(corrected), sum(corrected_nano)) FROM "
						    "usage_costs WHERE kind = 5"),
		"1 400");
}

/* As the books are after migration 24: the request has no tier yet, its correction has. */
ON_BENCH(a_re_rated_request_from_before_tiers_were_kept_leaves_the_sums_as_they_are)
{
	struct entry record = unknown("u", "r");
	struct entry_rerate before;
	struct entry correction = rated(&record, &before, 1, 700);
	struct report_page page = {.job = JOB,
		.key = {ACCOUNT_TENANT, "t", "t"},
		.from_day = floor_div(record.started_at_us, DAY_US),
		.model = "",
		.interface = "",
		.limit = 10};
	struct stats_query stats = {.job = JOB, .tenant = "t", .top = 1, .by_tier = true};

	page.to_day = stats.from_day = stats.to_day = stats.today = page.from_day;
	write_one(&record);
	assert_true(pg_server_exec(bench.db, "DELETE FROM usage_shared_daily WHERE kind = 6"));
	write_one(&correction);
	for (unsigned by = 0; by < 8; by++) {
		int64_t cost = 0, requests = 0;

		page.by = by | BY_TIER;
		RUN_OK(report, &page);
		for (int i = 0; i < page.count; i++) {
			cost += page.lines[i].cost;
			requests += page.lines[i].requests;
		}
		assert_int_equal(cost, 700);
		assert_int_equal(requests, 1);
	}
	RUN_OK(stats, &stats);
	assert_int_equal(stats.tiers_used, 2);
	assert_string_equal(stats.tier_used[0].name, "free");
	assert_int_equal(stats.tier_used[0].use.cost + stats.tier_used[1].use.cost, stats.total.cost);
	assert_int_equal(stats.total.cost, 700);
}

static struct rerate_page page_of(const struct entry *entry)
{
	return (struct rerate_page){.job = JOB,
		.tenant = "t",
		.day = floor_div(entry->started_at_us, DAY_US),
		.after_user = "",
		.after_request = "",
		.limit = 10};
}

ON_BENCH(a_page_says_what_counts_of_each_attempt_now)
{
	struct entry record = unknown("u", "r"), other = unknown("u", "s");
	struct entry_rerate before;
	struct entry correction = rated(&record, &before, 1, 700);
	struct rerate_page page = page_of(&record);

	other.usage.provider_cost_known = true;
	other.usage.provider_cost_nano = 55;
	other.usage.list_cost_nano = 44;
	write_one(&record);
	write_one(&other);
	write_one(&correction);
	RUN_OK(rerate_page, &page);
	assert_int_equal(page.count, 2);
	assert_string_equal(page.rows[0].request_id, "r");
	assert_int_equal(page.rows[0].ratings, 1);
	assert_int_equal(page.rows[0].corrected, 700);
	assert_int_equal(page.rows[0].usage.meters.count[METER_WEB_SEARCHES], 2);
	assert_int_equal(page.rows[0].usage.flags, FLAG_UNPRICED | FLAG_OTHER_MODEL);
	assert_string_equal(page.rows[0].now.provider, "acme");
	assert_int_equal(page.rows[0].now.flags, 0);
	assert_int_equal(page.rows[0].now.list_cost_nano, 700);
	assert_false(page.rows[0].adjusted);
	assert_int_equal(page.rows[1].ratings, 0);
	assert_string_equal(page.rows[1].now.provider, "openai");
	assert_true(page.rows[1].usage.provider_cost_known);
	assert_int_equal(page.rows[1].usage.list_cost_nano, 44);
	page = page_of(&record);
	page.after_user = "u";
	page.after_request = "r";
	page.limit = 1;
	RUN_OK(rerate_page, &page);
	assert_int_equal(page.count, 1);
	assert_false(page.more);
	assert_string_equal(page.rows[0].request_id, "s");
}

ON_BENCH(the_estimate_of_an_expiry_is_part_of_what_a_late_record_cost)
{
	struct entry expiry = unknown("u", "r"), late;
	struct rerate_page page;

	expiry.kind = ENTRY_EXPIRY;
	expiry.amounts.cost = 900;
	late = unknown("u", "r");
	late.late = true;
	late.amounts = (struct amounts){.cost = -200};
	write_one(&expiry);
	write_one(&late);
	late.attempt = 1;
	late.at_us += 5;
	write_one(&late);
	page = page_of(&late);
	RUN_OK(rerate_page, &page);
	assert_int_equal(page.count, 2);
	assert_int_equal(page.rows[0].expired_cost, 900);
	assert_int_equal(page.rows[1].expired_cost, 0);
}

ON_BENCH(days_say_what_of_them_the_ledger_still_has)
{
	struct entry record = unknown("u", "r");
	int64_t today = floor_div(record.started_at_us, DAY_US);
	struct rerate_days days = {.job = JOB, .tenant = "t", .from_day = today - 5, .to_day = today};

	write_one(&record);
	record.started_at_us -= 2 * DAY_US;
	write_one(&record);
	pg_server_ask(bench.db, "SELECT ledger_retire((now() AT TIME ZONE 'UTC')::date - 1)");
	RUN_OK(rerate_days, &days);
	assert_int_equal(days.count, 2);
	assert_int_equal(days.day[0].day, today - 2);
	assert_true(days.day[0].gone);
	assert_false(days.day[1].gone);
	assert_int_equal(days.day[1].unpriced, 1);
}

ON_BENCH(costs_that_differ_most_come_first)
{
	static const int64_t theirs[] = {100, 90, 400};
	struct costs_query query = {.job = JOB, .key = {ACCOUNT_TENANT, "t", "t"}, .by = BY_MODEL, .limit = 2};

	for (int i = 0; i < 3; i++) {
		struct entry entry = unknown("u", arena_printf(&bench.arena, "r%d", i));

		entry.usage.flags = 0;
		entry.usage.price_model = arena_printf(&bench.arena, "m%d", i);
		entry.usage.provider_cost_known = true;
		entry.usage.provider_cost_nano = theirs[i];
		entry.usage.list_cost_nano = entry.amounts.cost = 100;
		write_one(&entry);
		query.from_day = query.to_day = floor_div(entry.started_at_us, DAY_US);
	}
	RUN_OK(costs, &query);
	assert_int_equal(query.count, 2);
	assert_true(query.more);
	assert_string_equal(query.lines[0].model, "m2");
	assert_int_equal(query.lines[0].provider_nano, 400);
	assert_string_equal(query.lines[1].model, "m1");
	assert_int_equal(query.total.compared, 3);
	assert_int_equal(query.total.provider_nano, 590);
	assert_int_equal(query.total.list_nano, 300);
}

TEST_GROUP(pg_bench_start, NULL);
