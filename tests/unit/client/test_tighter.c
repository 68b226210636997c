/* Which limits prevent another one from being used up. */

#include "c/bursar.h"
#include "cli/account/tighter.h"
#include "cli/text/limit_spec.h"
#include "lib/test.h"

struct row {
	const char *other, *limit;
	int grace;
	bool tighter;
};

static const struct row rows[] = {
	/* another daily budget, and limits that a shipped tier had or has next to it */
	{"cost=5/24h,name=cost_refill", "cost=20/day", 0, true},
	{"cost=100/month", "cost=20/day", 0, false},
	{"cost=5/month", "cost=20/day", 0, true},
	{"cost=5/day", "cost=20/day,name=mine", 0, true},
	{"cost=20/day", "cost=20/day,name=mine", 0, false},
	{"cost=5/day,name=mine", "cost=20/day,name=mine", 0, false}, /* has the same name, so it replaces the other */
	/* a shorter window that allows too little for the longer one */
	{"cost=1/day", "cost=100/month", 0, true},
	{"cost=5/day", "cost=100/month", 0, false},
	{"requests=1/h", "requests=50/day", 0, true},
	{"requests=3/min", "requests=50/day", 0, false},
	{"requests=1/h,burst=30", "requests=50/day", 0, true}, /* a full bucket is used up once */
	{"requests=1/h,burst=30", "requests=30/day", 0, false},
	{"requests=50/day", "requests=60/min", 0, true},
	{"requests=1000/day", "requests=600/min", 0, false},
	/* limits that count something else, or nothing */
	{"tokens=5/day", "requests=50/day", 0, false},
	{"cost=5/month,shadow", "cost=20/day", 0, false},
	{"cost=5/month", "cost=20/day,shadow", 0, false},
	{"cost=5/month,model=gpt-4o", "cost=20/day", 0, false},
	{"cost=5/month,model=gpt-4o", "cost=20/day,model=gpt-4o", 0, true},
	{"cost=5/month,interface=web", "cost=20/day,interface=api", 0, false},
	{"cost=5/month", "cost=20/day,model=gpt-4o", 0, true},
	{"concurrent=1", "requests=50/day", 0, false},
	/* grace raises calendar limits but not buckets */
	{"cost=0.25/24h,name=cost_refill", "cost=0.25/day", 1, true},
	{"cost=0.25/24h,name=cost_refill", "cost=0.25/day", 150, true},
	{"cost=5/month", "cost=20/day", 100, false},
	{"requests=3/min", "requests=50/day", 100, false},
};

TEST(a_limit_is_tighter_when_it_lets_less_pass_in_the_others_window)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err;
		Bursar__V1__Limit *other = limit_spec_parse(rows[i].other, &err),
				  *limit = limit_spec_parse(rows[i].limit, &err);

		assert_non_null(other);
		assert_non_null(limit);
		if (limit_is_tighter(other, limit, rows[i].grace) != rows[i].tighter)
			fail_msg("%s beside %s, grace %d", rows[i].other, rows[i].limit, rows[i].grace);
		bursar_free(other);
		bursar_free(limit);
	}
}
