/* What people see, byte for byte, and the verdict of the proof. */

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/report/proof.h"
#include "cli/text/plain.h"
#include "lib/test.h"

static void expect(struct buf *out, const char *want)
{
	assert_string_equal(buf_str(out), want);
	buf_release(out);
}

TEST(limits_are_a_table)
{
	Bursar__V1__Limit cost = BURSAR__V1__LIMIT__INIT, rate = BURSAR__V1__LIMIT__INIT;
	Bursar__V1__LimitStatus one = BURSAR__V1__LIMIT_STATUS__INIT, two = BURSAR__V1__LIMIT_STATUS__INIT;
	Bursar__V1__LimitStatus *list[] = {&one, &two};
	struct cli cli = {0};

	cost.name = (char *)"cost_per_day";
	cost.dimension = BURSAR__V1__DIMENSION__DIMENSION_COST;
	one.account_id = (char *)"alice";
	one.limit = &cost;
	one.used = 225000000;
	one.effective_amount = 250000000;
	one.remaining = 25000000;
	one.used_percent = 90;
	one.resets_at_us = 7300000000;
	one.warning = one.notify = true;
	rate.name = (char *)"requests_per_minute";
	rate.dimension = BURSAR__V1__DIMENSION__DIMENSION_REQUESTS;
	two.account_kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TEAM;
	two.limit = &rate;
	two.used = 1234;
	two.effective_amount = 3;
	two.used_percent = 41133;
	two.retry_after_us = 1200000;
	two.failed = true;
	view_limits(&cli, list, 2, 100000000);
	expect(&cli.out, "LIMIT               ACCOUNT      USED    OF   LEFT      % RESETS IN STATE         RETRY IN\n"
			 "cost_per_day        user alice $0.225 $0.25 $0.025    90% 2 h       warning (new)\n"
			 "requests_per_minute team        1,234     3      0 41133%           denied        1.2 s\n");
	view_limits(&cli, NULL, 0, 0);
	expect(&cli.out, "  no limits\n");
}

TEST(colours_mark_what_matters)
{
	Bursar__V1__LimitStatus one = BURSAR__V1__LIMIT_STATUS__INIT, *list[] = {&one};
	struct cli cli = {.colour = true};

	one.failed = one.permanent = true;
	view_limits(&cli, list, 1, 0);
	assert_non_null(strstr(buf_str(&cli.out), OWN_ESCAPE "[31mnever"));
	buf_release(&cli.out);
}

TEST(a_cost_shows_its_lines)
{
	Bursar__V1__CostLine line = BURSAR__V1__COST_LINE__INIT, search = line, image = line,
			     *lines[] = {&line, &search, &image};
	Bursar__V1__CostBreakdown cost = BURSAR__V1__COST_BREAKDOWN__INIT;
	struct cli cli = {0};

	search.token_class = (char *)"web_searches";
	search.tokens = 3;
	search.price_pico_usd_per_token = 10000000000;
	search.cost_pico_usd = 30000000000;
	search.unit = (char *)"calls";
	search.price_per = 1000;
	image.token_class = (char *)"output_images";
	image.tokens = 2;
	image.price_pico_usd_per_token = 40000000000;
	image.cost_pico_usd = 80000000000;
	image.unit = (char *)"images";
	image.price_per = 1;
	line.token_class = (char *)"input";
	line.tokens = 1001;
	line.price_pico_usd_per_token = 37500;
	line.cost_pico_usd = 37537500;
	cost.cost_nano_usd = 37538;
	cost.provider = (char *)"groq";
	cost.model = (char *)"gpt-oss-20b";
	cost.n_lines = 3;
	cost.lines = lines;
	view_cost(&cli, &cost);
	expect(&cli.out, "  cost         $0.000037538  groq gpt-oss-20b\n"
			 "METER         COUNT                 PRICE         COST\n"
			 "input         1,001        $0.0375 per 1M $0.000037538\n"
			 "web_searches      3 $10.00 per 1000 calls        $0.03\n"
			 "output_images     2       $0.04 per image        $0.08\n");
}

TEST(an_account_tells_what_is_special)
{
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;
	Bursar__V1__Account account = BURSAR__V1__ACCOUNT__INIT;
	Bursar__V1__Limit limit = BURSAR__V1__LIMIT__INIT, *limits[] = {&limit};
	struct cli cli = {0};

	ref.id = (char *)"mallory";
	account.ref = &ref;
	account.tier = (char *)"pro";
	account.known = true;
	account.suspended = true;
	account.suspended_reason = (char *)"abuse";
	account.team = (char *)"red";
	limit.name = (char *)"cost_per_day";
	limit.dimension = BURSAR__V1__DIMENSION__DIMENSION_COST;
	limit.kind = BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR;
	limit.window = BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY;
	limit.amount = 5000000000;
	account.n_overrides = 1;
	account.overrides = limits;
	view_account(&cli, &account, NULL);
	expect(&cli.out, "user mallory\n"
			 "  tenant       default\n"
			 "  tier         pro\n"
			 "  state        suspended: abuse\n"
			 "  parents      team red, org -\n"
			 "  time zone    UTC\n"
			 "NAME         LIMIT\n"
			 "cost_per_day cost=5/day\n");
}

TEST(a_changed_zone_shows_how_long_the_old_windows_run)
{
	Bursar__V1__KeptWindow day = BURSAR__V1__KEPT_WINDOW__INIT, month = day, over = day,
			       *kept[] = {&day, &over, &month};
	Bursar__V1__AccountStatus status = BURSAR__V1__ACCOUNT_STATUS__INIT, *accounts[] = {&status};
	const int64_t now_us = INT64_C(1795435200000000); /* 2026-11-23 12:00 UTC */
	struct cli cli = {0};

	day.window = BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY;
	day.ends_at_us = now_us + INT64_C(43200000000);
	over.window = BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_WEEK;
	over.ends_at_us = now_us;
	month.window = BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_MONTH;
	month.ends_at_us = now_us + INT64_C(648000000000);
	status.kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER;
	status.id = (char *)"ann";
	status.time_zone = (char *)"Asia/Tokyo";
	status.kept_windows = kept;
	status.n_kept_windows = 3;
	view_accounts(&cli, accounts, 1, now_us);
	assert_non_null(strstr(buf_str(&cli.out), "  Asia/Tokyo; still in the previous zone: day 2026-11-24T"));
	assert_non_null(strstr(buf_str(&cli.out), " (in 12 h), month 2026-12-01T"));
	assert_null(strstr(buf_str(&cli.out), "week"));
	buf_release(&cli.out);
}

TEST(an_override_tells_when_it_ends)
{
	Bursar__V1__Limit limit = BURSAR__V1__LIMIT__INIT, *limits[] = {&limit};
	struct cli cli = {0};

	limit.name = (char *)"requests_per_minute";
	limit.dimension = BURSAR__V1__DIMENSION__DIMENSION_REQUESTS;
	limit.kind = BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET;
	limit.amount = 600;
	limit.period_us = 60000000;
	limit.until_us = clock_wall_us() + INT64_C(3600000000);
	view_policy(&cli, limits, 1, "");
	assert_non_null(strstr(buf_str(&cli.out), "requests_per_minute requests=600/min until 2"));
	assert_non_null(strstr(buf_str(&cli.out), "(in "));
	buf_release(&cli.out);
}

struct books {
	Bursar__V1__ProofSum ledger, rollups, counters;
	Bursar__V1__Proof proof;
	struct acknowledged own;
};

static void make_books(struct books *books)
{
	bursar__v1__proof_sum__init(&books->ledger);
	books->ledger.rows = books->ledger.requests = 1500;
	books->ledger.tokens = 2000000;
	books->ledger.cost_nano_usd = 2750000000;
	books->rollups = books->counters = books->ledger;
	books->rollups.rows = 7;
	bursar__v1__proof__init(&books->proof);
	books->proof.ledger = &books->ledger;
	books->proof.rollups = &books->rollups;
	books->proof.counters = &books->counters;
	books->own = (struct acknowledged){1500, 2000000, 2750000000, 0};
}

TEST(books_that_agree_are_ok)
{
	struct books books;
	struct buf out = {0};

	make_books(&books);
	assert_true(proof_put(&out, &books.proof, &books.own));
	expect(&out,
		"proof: ok (ledger = roll-ups = counters = acknowledged: 1,500 requests, 2,000,000 tokens, $2.75)\n");
}

TEST(any_figure_that_differs_fails_whatever_the_server_says)
{
	struct books books;
	int64_t *const figures[] = {&books.ledger.requests, &books.ledger.tokens, &books.ledger.cost_nano_usd,
		&books.rollups.requests, &books.rollups.tokens, &books.rollups.cost_nano_usd, &books.counters.requests,
		&books.counters.tokens, &books.counters.cost_nano_usd, &books.proof.undrained, &books.own.requests,
		&books.own.tokens, &books.own.cost_nano};

	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		struct buf out = {0};

		make_books(&books);
		books.proof.equal = true;
		++*figures[i];
		assert_false(proof_put(&out, &books.proof, &books.own));
		assert_int_equal(strncmp(buf_str(&out), "proof: FAILED (", 15), 0);
		buf_release(&out);
	}
}

TEST(an_unanswered_call_may_be_in_the_ledger_but_nothing_may_be_missing)
{
	struct books books;
	struct buf out = {0};

	make_books(&books);
	books.own.requests = 1499;
	books.own.tokens -= 10;
	books.own.unsure = 1;
	assert_true(proof_put(&out, &books.proof, &books.own));
	books.own.requests = 1501;
	assert_false(proof_put(&out, &books.proof, &books.own));
	books.own.requests = 1498;
	assert_false(proof_put(&out, &books.proof, &books.own));
	buf_release(&out);
}

TEST(a_proof_without_sums_is_one_of_nothing)
{
	Bursar__V1__Proof proof = BURSAR__V1__PROOF__INIT;
	struct buf out = {0};

	assert_true(proof_put(&out, &proof, NULL));
	expect(&out, "proof: ok (ledger = roll-ups = counters: 0 requests, 0 tokens, $0.00)\n");
}

TEST_GROUP(tests_in_utc, NULL);
