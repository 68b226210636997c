/* How a line of the audit log describes a change. */
#include <stdio.h>

#include "cli/report/audit_change.h"
#include "lib/test.h"

#define DAY_LIMIT(amount) \
	"{\"kind\": 1, \"name\": \"requests_per_day\", \"unit\": 0, \"burst\": 0, \"model\": \"\", " \
	"\"amount\": " amount ", \"notify\": true, \"shadow\": false, \"position\": 0, \"until_us\": 0, " \
	"\"dimension\": 0, \"interface\": \"\", " \
	"\"period_us\": 0, \"warn_percent\": 80}"
#define BUCKET \
	"{\"kind\": 0, \"name\": \"x\", \"unit\": 0, \"burst\": 7000000000, \"model\": \"gpt-4o\", \"amount\": " \
	"7000000000, " \
	"\"dimension\": 4, \"interface\": \"\", \"period_us\": 60000000}"

static const struct {
	const char *before, *details, *change;
} cases[] = {
	{"{\"tier\": \"free\", \"version\": 1}", "{\"tier\": \"pro\", \"version\": 2}", "tier: free -> pro"},
	{"{\"suspended\": false, \"suspended_reason\": \"\"}", "{\"suspended\": true, \"suspended_reason\": \"abuse\"}",
		"suspended: no -> yes"},
	{"{\"team\": \"red\", \"org\": \"\"}", "{\"team\": \"\", \"org\": null}", "team: red -> none"},
	{"null", "{\"id\": \"u\", \"kind\": 1, \"tier\": \"pro\", \"team\": \"\", \"limits\": null, \"bypass\": false}",
		"new; tier: pro"},
	{"null", "{\"id\": \"u\"}", "new"},
	{"null", "{\"a\": 1, \"b\": 2, \"c\": 3, \"d\": 4, \"e\": 5, \"f\": 6, \"g\": 7, \"h\": 8}",
		"new; a: 1; b: 2; c: 3; d: 4; e: 5; f: 6; and 2 more"},
	{"{\"name\": \"gold\"}", "null", "deleted"},
	{"{\"limits\": null}", "{\"limits\": [" DAY_LIMIT("5") "]}", "limits: +requests=5/day"},
	{"{\"limits\": [" DAY_LIMIT("5") ", " BUCKET "]}", "{\"limits\": [" DAY_LIMIT("8") "]}",
		"limits: requests=5/day -> requests=8/day, -cost=7/min,model=gpt-4o"},
	{"{\"limits\": [{\"name\": \"a\", \"kind\": 1, \"notify\": true}]}",
		"{\"limits\": [{\"name\": \"a\", \"kind\": 1}]}", "limits: notifications or order"},
	{"{\"role\": 2}", "{\"role\": 4}", "role: bot -> admin"},
	{"{\"fail_policy\": 1}", "{\"fail_policy\": 3}", "fail policy: local -> closed"},
	{"{\"wait_max_us\": 300000000, \"slots\": 5}", "{\"wait_max_us\": 60000000, \"slots\": 8}",
		"wait max: 5 min -> 1 min; slots: 5 -> 8"},
	{"{\"input\": 2500000, \"to_us\": 0}", "{\"input\": 1250000, \"to_us\": 1795521600000000}",
		"input: $2.50 -> $1.25; to: never -> 2026-11-24T12:00:00+00:00"},
	{"{\"revoked_at\": null}", "{\"revoked_at\": \"2026-11-24T12:00:00+00:00\"}",
		"revoked: none -> 2026-11-24T12:00:00+00:00"},
	{"{\"addresses\": []}", "{\"addresses\": [\"10.0.0.0/8\"]}", "addresses: none -> [\"10.0.0.0/8\"]"},
	{"{\"windows\": [1]}", "{}", "windows: [1] -> none"},
	{"null", "null", ""},
	{"", "no JSON", ""},
};

TEST(a_line_says_what_changed)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out = {0};

		audit_change_put(&out, cases[i].before, cases[i].details);
		assert_string_equal(buf_str(&out), cases[i].change);
		buf_release(&out);
	}
}

TEST_GROUP(tests_in_utc, NULL);
