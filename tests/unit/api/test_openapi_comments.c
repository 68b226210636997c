/* The comments of proto/, as OpenAPI and the reference page show them. */
#include "api/openapi/comments.h"
#include "lib/test.h"

static void says(const char *name, const char *member, const char *expected)
{
	struct comments *comments = comments_read();
	struct buf text = {0};

	comments_put(comments, name, member, &text);
	assert_string_equal(buf_str(&text), expected);
	buf_release(&text);
	comments_free(comments);
}

TEST(a_comment_is_behind_or_above)
{
	says("bursar.v1.CheckRequest", "interface", "Telegram, discord, web, api, ...; empty = \"api\"");
	says("bursar.v1.Limiter", "CheckBatch", "Many checks in one call, decided independently; answers in order.");
	says("bursar.v1.Limiter", NULL, "");
	says("bursar.v1.FailPolicy", NULL, "How checks on the tier are decided when Redis does not answer.");
	says("bursar.v1.AccountKind", "ACCOUNT_KIND_UNSPECIFIED", "Read as USER");
}

/* The fields of a oneof and those with other numbers than their place. */
TEST(a_field_is_found_by_its_name)
{
	says("bursar.v1.PutPoolRequest", "slots", "Here 0 means no slots");
	says("bursar.v1.PutPoolRequest", "reason", "For the audit log; 0..1,024 bytes");
	says("bursar.v1.LimitStatus", "used_percent", "Used * 100 / effective_amount, rounded down; at most 1,000,000");
}

TEST(several_lines_become_one)
{
	says("bursar.v1.Limiter", "Acquire",
		"Check and queue in one call: the limits are checked first, then the caller waits for a slot of a pool and "
		"holds it. Closing the stream gives back the slot or the place in the queue. The same request_id finds its "
		"place again on any worker.");
}

TEST(what_has_no_comment_has_none)
{
	says("bursar.v1.AccountStatus", "tier", "");
	says("bursar.v1.AccountStatus", "nothing", "");
	says("bursar.v1.Nothing", NULL, "");
}
