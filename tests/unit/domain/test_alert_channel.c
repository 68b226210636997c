/* What a channel may hold. */
#include <stdio.h>
#include <string.h>

#include "domain/alert/message/channel.h"
#include "domain/alert/message/message.h"
#include "lib/test.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static struct alert_channel of(enum alert_channel_kind kind)
{
	struct alert_channel channel = {.tenant = "acme",
		.name = "ops",
		.kind = kind,
		.least = ALERT_INFO,
		.target = "",
		.language = "",
		.title = "",
		.body = "",
		.quiet_zone = "",
		.secret = {.url = "", .token = ""}};

	if (kind == CHANNEL_WEBHOOK) {
		channel.target = "https://hooks.example.org/bursar";
		channel.secret.secrets = 1;
		channel.secret.secret[0] = SECRET;
	} else if (kind == CHANNEL_EMAIL) {
		channel.target = "ops@example.org, on-call@example.org";
	} else if (kind == CHANNEL_TELEGRAM) {
		channel.target = "-1001234567890";
		channel.secret.token = "123456:ABC-def_9";
	} else if (kind == CHANNEL_COMMAND) {
		channel.target = "page";
	} else {
		channel.secret.url = "https://hooks.slack.com/services/T0/B0/x";
	}
	return channel;
}

static void good(const struct alert_channel *channel)
{
	struct err err = {0};

	if (!alert_channel_check(channel, &err))
		fail_msg("%s", err.text);
}

static void bad(const struct alert_channel *channel, const char *field)
{
	struct err err = {0};

	assert_false(alert_channel_check(channel, &err));
	if (strcmp(err.field, field) != 0)
		fail_msg("field %s, text %s", err.field, err.text);
}

TEST(a_channel_of_each_kind_is_good)
{
	for (int kind = CHANNEL_WEBHOOK; kind < CHANNEL_KIND_END; kind++) {
		struct alert_channel channel = of((enum alert_channel_kind)kind);
		enum alert_channel_kind again;

		good(&channel);
		assert_true(alert_channel_kind_parse(alert_channel_kind_name(channel.kind), &again));
		assert_int_equal(again, kind);
		assert_true(alert_channel_rate(&channel) > 0);
	}
	assert_null(alert_channel_kind_name(CHANNEL_KIND_END));
}

/* With what goes at once after a pause, too: ten seconds' worth, and one more. */
TEST(chats_get_no_more_than_they_take)
{
	static const struct {
		enum alert_channel_kind kind;
		int messages, seconds;
	} bounds[] = {{CHANNEL_DISCORD, 5, 2}, {CHANNEL_DISCORD, 30, 60}, {CHANNEL_TEAMS, 4, 1},
		{CHANNEL_TEAMS, 25, 300}, {CHANNEL_TELEGRAM, 20, 60}};

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		struct alert_channel channel = of(bounds[i].kind);
		int rate = alert_channel_rate(&channel), at_once = 1 + 10 * rate / 60;

		assert_true(at_once + bounds[i].seconds * rate / 60 <= bounds[i].messages);
	}
}

TEST(the_own_rate_goes_before_the_kinds)
{
	struct alert_channel channel = of(CHANNEL_TELEGRAM);

	assert_int_equal(alert_channel_rate(&channel), 16);
	channel.rate_per_minute = 7;
	assert_int_equal(alert_channel_rate(&channel), 7);
	channel.rate_per_minute = 601;
	bad(&channel, "rate_per_minute");
}

TEST(a_name_or_kind_that_is_none_is_refused)
{
	struct alert_channel channel = of(CHANNEL_WEBHOOK);

	channel.name = "Ops";
	bad(&channel, "name");
	channel.name = "";
	bad(&channel, "name");
	channel = of(CHANNEL_WEBHOOK);
	channel.kind = CHANNEL_KIND_END;
	bad(&channel, "kind");
	channel = of(CHANNEL_WEBHOOK);
	channel.least = 0;
	bad(&channel, "least");
	channel = of(CHANNEL_WEBHOOK);
	channel.language = "fr";
	bad(&channel, "language");
	channel.language = "de-AT";
	good(&channel);
}

TEST(a_target_is_of_its_kind)
{
	static const struct {
		enum alert_channel_kind kind;
		const char *target;
		bool good;
	} cases[] = {{CHANNEL_WEBHOOK, "hooks.example.org", false},
		{CHANNEL_WEBHOOK, "https://a:b@example.org/", false}, {CHANNEL_EMAIL, "", false},
		{CHANNEL_EMAIL, " , ", false}, {CHANNEL_EMAIL, "ops", false}, {CHANNEL_EMAIL, "a@b@c", false},
		{CHANNEL_EMAIL, "ops@example.org\r\nRCPT TO:<x@y>", false},
		{CHANNEL_EMAIL, "Ops <ops@example.org>", false}, {CHANNEL_EMAIL, "\"a b\"@example.org", false},
		{CHANNEL_EMAIL, "ops@-example.org", false}, {CHANNEL_EMAIL, "ops@example..org", false},
		{CHANNEL_EMAIL, ".ops@example.org", false}, {CHANNEL_EMAIL, "ops@example.org>", false},
		{CHANNEL_EMAIL, "почта@example.org", false}, {CHANNEL_EMAIL, "ops+bursar@mail.example.org", true},
		{CHANNEL_EMAIL, "root@localhost", true}, {CHANNEL_TELEGRAM, "@bursar_ops", true},
		{CHANNEL_TELEGRAM, "12345", true}, {CHANNEL_TELEGRAM, "-", false}, {CHANNEL_TELEGRAM, "@ab", false},
		{CHANNEL_TELEGRAM, "ops", false}, {CHANNEL_TELEGRAM, "1234567890123456789012", false},
		{CHANNEL_COMMAND, "/bin/sh", false}, {CHANNEL_COMMAND, "", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct alert_channel channel = of(cases[i].kind);

		channel.target = cases[i].target;
		if (cases[i].good)
			good(&channel);
		else
			bad(&channel, "target");
	}
}

TEST(at_most_20_addresses_get_a_mail)
{
	struct alert_channel channel = of(CHANNEL_EMAIL);
	char list[400] = "";

	for (int i = 0; i < 20; i++)
		sprintf(list + strlen(list), "%sa%d@b.org", i ? "," : "", i);
	channel.target = list;
	good(&channel);
	strcat(list, ",one@more.org");
	bad(&channel, "target");
}

TEST(secrets_are_for_the_kinds_that_use_them)
{
	struct alert_channel channel = of(CHANNEL_WEBHOOK);

	channel.secret.url = "https://example.org/";
	bad(&channel, "url");
	channel = of(CHANNEL_WEBHOOK);
	channel.secret.token = "1:a";
	bad(&channel, "token");
	channel = of(CHANNEL_WEBHOOK);
	channel.secret.secrets = 0;
	bad(&channel, "signing_secrets");
	channel.secret.secrets = 2;
	channel.secret.secret[1] = "whsec_short";
	bad(&channel, "signing_secrets[1]");
	channel = of(CHANNEL_SLACK);
	channel.secret.url = "";
	bad(&channel, "url");
	channel = of(CHANNEL_DISCORD);
	channel.secret.secrets = 1;
	channel.secret.secret[0] = SECRET;
	bad(&channel, "signing_secrets");
	channel = of(CHANNEL_TELEGRAM);
	channel.secret.url = "https://telegram.example.org";
	good(&channel);
	channel.secret.token = "123456";
	bad(&channel, "token");
	channel.secret.token = "123456:a/../b";
	bad(&channel, "token");
}

TEST(a_header_of_a_webhook_cannot_begin_another)
{
	static const char *const wrong[] = {"X-Key", "X-Key:", "X-Key: ", ": v", "X Key: v", "X-Key: a\r\nHost: b",
		"X-Key: \xc3\xa4", "Host: x", "content-type: x", "Webhook-Id: x", "Content-Length: 3", "X-Key;"};
	struct alert_channel channel = of(CHANNEL_WEBHOOK);

	channel.secret.headers = 1;
	channel.secret.header[0] = "Authorization: Bearer abc";
	good(&channel);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		channel.secret.header[0] = wrong[i];
		bad(&channel, "headers[0]");
	}
}

TEST(times_have_their_bounds)
{
	struct alert_channel channel = of(CHANNEL_SLACK);

	channel.digest_us = INT64_C(86400000000);
	channel.quiet_from = 1439;
	channel.quiet_zone = "Europe/Berlin";
	good(&channel);
	channel.digest_us++;
	bad(&channel, "digest_us");
	channel.digest_us = -1;
	bad(&channel, "digest_us");
	channel.digest_us = 0;
	channel.quiet_from = 1440;
	bad(&channel, "quiet_from_minute");
	channel.quiet_from = 0;
	channel.quiet_to = -1;
	bad(&channel, "quiet_to_minute");
	channel.quiet_to = 1;
	channel.quiet_zone = "Europe/Nowhere";
	bad(&channel, "quiet_zone");
	channel.quiet_zone = "../../etc/passwd";
	bad(&channel, "quiet_zone");
}

TEST(a_template_has_known_placeholders_only)
{
	struct alert_channel channel = of(CHANNEL_SLACK);
	char longer[ALERT_TEMPLATE_MAX + 2];
	struct err err = {0};

	channel.title = "{who}: {{{percent}%}}";
	channel.body = "{text}\n{link} of {count}";
	good(&channel);
	channel.title = "two\nlines";
	bad(&channel, "title");
	channel.title = "{acount}";
	assert_false(alert_channel_check(&channel, &err));
	assert_string_equal(err.text, "title: there is no {acount}; did you mean {account}?");
	channel.title = "";
	channel.body = "a } brace";
	bad(&channel, "body");
	channel.body = "{who";
	bad(&channel, "body");
	channel.body = "\xff";
	bad(&channel, "body");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	channel.body = longer;
	bad(&channel, "body");
}
