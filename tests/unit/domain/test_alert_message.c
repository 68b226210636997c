/* The sentences of events, and the bodies of messages; what hostile names become in each. */
#include <string.h>

#include <jansson.h>

#include "base/utf8.h"
#include "domain/alert/message/message.h"
#include "lib/test.h"

#define AT INT64_C(1764488280123456) /* 2025-11-30 07:38:00.123456 UTC */

static struct arena arena;

static int arena_down(__attribute__((unused)) void **state)
{
	arena_release(&arena);
	return 0;
}
TEST_GROUP(NULL, arena_down);

static struct alert_event event_of(enum alert_kind kind)
{
	return (struct alert_event){.id = INT64_C(9007199254740993),
		.seq = 5,
		.at_us = AT,
		.tenant = "acme",
		.rule = "limits",
		.kind = kind,
		.severity = ALERT_WARNING,
		.account_kind = ACCOUNT_TEAM,
		.account = "red",
		.limit_name = "month",
		.dimension = DIM_COST,
		.unit = WINDOW_MONTH,
		.used = INT64_C(80000000000),
		.amount = INT64_C(100000000000),
		.percent = 80,
		.threshold = INT64_C(80000000000),
		.subject = "",
		.before = "",
		.after = ""};
}

static struct alert_channel channel_of(enum alert_channel_kind kind)
{
	return (struct alert_channel){.tenant = "acme",
		.name = "ops",
		.kind = kind,
		.least = ALERT_INFO,
		.target = "-100",
		.language = "",
		.title = "",
		.body = "",
		.quiet_zone = "",
		.secret = {.url = "", .token = ""}};
}

static void says(const struct alert_event *event, const char *language, const char *text)
{
	struct buf out = {0};

	alert_event_text(event, language, &out);
	assert_string_equal(buf_str(&out), text);
	buf_release(&out);
}

TEST(a_threshold_says_whose_which_and_how_much)
{
	struct alert_event event = event_of(ALERT_THRESHOLD);

	says(&event, "en", "Team red has reached 80% of the limit month: $80.00 of $100.00 per month.");
	says(&event, "de-AT", "Team red hat 80 % des Limits month erreicht: $80.00 von $100.00 pro Monat.");
	says(&event, "ru", "Команда red: достигнуто 80% лимита month. Израсходовано: $80.00; лимит: $100.00 в месяц.");
	says(&event, "es", "Equipo red ha alcanzado el 80 % del límite month: $80.00 de $100.00 al mes.");
	says(&event, "fr", "Team red has reached 80% of the limit month: $80.00 of $100.00 per month.");
	event.percent = 0;
	says(&event, "en", "Team red has reached $80.00 of the limit month: $80.00 of $100.00 per month.");
	event.dimension = DIM_REQUESTS;
	event.unit = WINDOW_DAY;
	event.used = event.threshold = 1000;
	event.amount = 50000;
	says(&event, "en",
		"Team red has reached 1000 requests of the limit month: 1000 requests of 50,000 requests per day.");
}

TEST(each_kind_has_a_sentence)
{
	struct alert_event event = event_of(ALERT_PROJECTED);

	says(&event, "en", "Team red is on course for 80% of the limit month: $80.00 of $100.00 per month so far.");
	event = event_of(ALERT_ANOMALY);
	event.dimension = event.unit = -1;
	says(&event, "en", "Team red has spent $80.00 today, 80% of the average of the last days ($100.00).");
	event = event_of(ALERT_DENIAL);
	says(&event, "en",
		"Team red was refused for the first time today: the limit month of $100.00 per month is reached.");
	event.unit = -1;
	says(&event, "en", "Team red was refused for the first time today: the limit month of $100.00 is reached.");
	event.limit_name = "";
	event.subject = "suspended";
	says(&event, "en", "Team red was refused for the first time today (suspended).");
	event = event_of(ALERT_SUSPENDED);
	says(&event, "en", "Team red was suspended.");
	event.subject = "spam";
	says(&event, "en", "Team red was suspended. Reason: spam");
	event.lifted = true;
	says(&event, "de", "Die Sperre wurde aufgehoben: Team red. Grund: spam");
	event = event_of(ALERT_TIER);
	event.after = "pro";
	says(&event, "en", "Team red moved from the default tier to pro.");
	event = event_of(ALERT_STARVING);
	event.subject = "agents";
	event.age_us = INT64_C(90000000);
	says(&event, "en", "In the queue of the pool agents, somebody has waited for 1 minute 30 seconds.");
	event = event_of(ALERT_LEDGER_LAG);
	event.age_us = INT64_C(120000000);
	event.count = 12345;
	says(&event, "en", "The ledger is 2 minutes behind; 12,345 entries are waiting.");
	says(&event, "de", "Das Hauptbuch ist mit 2 Minuten im Rückstand; wartende Einträge: 12.345.");
	event = event_of(ALERT_DRIFT);
	event.dimension = -1;
	event.count = 3;
	says(&event, "en", "Counters and ledger differed for 3 accounts, by $80.00 in all.");
	event = event_of(ALERT_PRICES_OLD);
	event.age_us = INT64_C(120) * 86400000000;
	says(&event, "en", "The newest price is 120 days old.");
	event = event_of(ALERT_UNPRICED);
	event.count = 7;
	says(&event, "en", "Team red has made 7 requests today for which there is no price.");
	event = event_of(ALERT_KEY_ENDS);
	event.subject = "telegram";
	says(&event, "en", "The key telegram has expired.");
	event.age_us = INT64_C(86400000000);
	says(&event, "ru", "Срок действия ключа telegram истекает через 1 день.");
}

TEST(every_kind_has_a_title_and_a_sentence_in_each_language_without_a_brace)
{
	static const char *const languages[] = {"en", "de", "ru", "es"};

	for (int kind = ALERT_THRESHOLD; kind < ALERT_KIND_END; kind++)
		for (int i = 0; i < 4; i++) {
			struct alert_event event = event_of((enum alert_kind)kind);
			const struct alert_event *events[] = {&event};
			struct alert_channel channel = channel_of(CHANNEL_EMAIL);
			struct alert_message message;

			channel.language = languages[i];
			alert_message_make(&channel, events, 1, 0, "", &arena, &message);
			assert_true(message.title[0] && message.text[0] && message.html[0]);
			assert_null(strpbrk(message.title, "{}"));
			assert_null(strpbrk(message.text, "{}"));
			assert_true(utf8_valid(message.text, strlen(message.text)));
		}
}

/* The message as JSON, whose references are the caller's. */
static json_t *body_of(
	const struct alert_channel *channel, const struct alert_event *const events[], int count, int64_t more)
{
	struct alert_message message;
	json_t *root;

	alert_message_make(channel, events, count, more, "https://bursar.example.org", &arena, &message);
	assert_string_equal(message.content_type, "application/json");
	assert_int_equal(strlen(message.body), message.body_len);
	root = json_loadb(message.body, message.body_len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	return root;
}

static const char *text_in(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	return text;
}

TEST(a_webhook_gets_the_event_as_the_api_shows_it)
{
	struct alert_event event = event_of(ALERT_THRESHOLD);
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_WEBHOOK);
	json_t *root = body_of(&channel, events, 1, 0), *data = json_object_get(root, "data");

	assert_string_equal(text_in(root, "type"), "bursar.alert");
	assert_string_equal(text_in(root, "timestamp"), "2025-11-30T07:38:00.123456Z");
	assert_string_equal(text_in(data, "id"), "9007199254740993");
	assert_string_equal(text_in(data, "kind"), "ALERT_KIND_THRESHOLD");
	assert_string_equal(text_in(data, "severity"), "ALERT_SEVERITY_WARNING");
	assert_string_equal(text_in(data, "account_kind"), "ACCOUNT_KIND_TEAM");
	assert_string_equal(text_in(data, "dimension"), "DIMENSION_COST");
	assert_string_equal(text_in(data, "window"), "CALENDAR_WINDOW_MONTH");
	assert_string_equal(text_in(data, "used"), "80000000000");
	assert_int_equal(json_integer_value(json_object_get(data, "percent")), 80);
	assert_true(json_is_false(json_object_get(data, "lifted")));
	assert_string_equal(text_in(data, "title"), "Team red: 80% of month");
	assert_string_equal(
		text_in(data, "text"), "Team red has reached 80% of the limit month: $80.00 of $100.00 per month.");
	json_decref(root);
}

TEST(a_webhook_gets_several_events_as_a_list)
{
	struct alert_event event = event_of(ALERT_THRESHOLD), last = event_of(ALERT_TEST);
	const struct alert_event *events[] = {&event, &last};
	struct alert_channel channel = channel_of(CHANNEL_COMMAND);
	json_t *root = body_of(&channel, events, 2, 40), *data = json_object_get(root, "data");

	assert_string_equal(text_in(root, "type"), "bursar.alerts");
	assert_string_equal(text_in(data, "title"), "42 alerts");
	assert_string_equal(text_in(data, "more"), "40");
	assert_int_equal(json_array_size(json_object_get(data, "events")), 2);
	assert_string_equal(text_in(json_array_get(json_object_get(data, "events"), 1), "kind"), "ALERT_KIND_TEST");
	json_decref(root);
}

/* An id and a reason as somebody who means harm writes them. */
static struct alert_event hostile(void)
{
	struct alert_event event = event_of(ALERT_SUSPENDED);

	event.account_kind = ACCOUNT_USER;
	event.account = "<!channel> @everyone <script>alert(1)</script> *b* [x](http://evil) \"\\";
	event.subject = "line\nFrom: <@U1> & {text} @here";
	return event;
}

TEST(slack_and_mattermost_call_nobody)
{
	struct alert_event event = hostile();
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_SLACK);
	json_t *root = body_of(&channel, events, 1, 0);
	const char *text = text_in(root, "text");

	assert_null(strpbrk(text, "<>"));
	assert_non_null(strstr(text, "&lt;!channel&gt;"));
	assert_null(strstr(text, "@everyone"));
	assert_null(strstr(text, "@here"));
	assert_null(strstr(text, "]("));
	assert_non_null(strstr(text, "\nhttps://bursar.example.org"));
	json_decref(root);
}

TEST(discord_mentions_nobody)
{
	struct alert_event event = hostile();
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_DISCORD);
	json_t *root = body_of(&channel, events, 1, 0);
	const char *text = text_in(root, "content");
	json_t *parse = json_object_get(json_object_get(root, "allowed_mentions"), "parse");

	assert_true(json_is_array(parse) && json_array_size(parse) == 0);
	assert_null(strstr(text, "@everyone"));
	assert_non_null(strstr(text, "\\<!channel\\>"));
	assert_non_null(strstr(text, "\\[x\\]\\(http"));
	json_decref(root);
}

TEST(teams_gets_a_card_in_the_envelope_of_workflows)
{
	struct alert_event event = hostile();
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_TEAMS);
	json_t *root = body_of(&channel, events, 1, 0);
	json_t *attachment = json_array_get(json_object_get(root, "attachments"), 0);
	json_t *card = json_object_get(attachment, "content");

	assert_string_equal(text_in(root, "type"), "message");
	assert_string_equal(text_in(attachment, "contentType"), "application/vnd.microsoft.card.adaptive");
	assert_string_equal(text_in(card, "type"), "AdaptiveCard");
	assert_null(strstr(text_in(json_array_get(json_object_get(card, "body"), 1), "text"), "[x]("));
	assert_string_equal(
		text_in(json_array_get(json_object_get(card, "actions"), 0), "url"), "https://bursar.example.org");
	json_decref(root);
}

TEST(telegram_gets_plain_text)
{
	struct alert_event event = hostile();
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_TELEGRAM);
	json_t *root = body_of(&channel, events, 1, 0);

	assert_string_equal(text_in(root, "chat_id"), "-100");
	assert_null(json_object_get(root, "parse_mode"));
	assert_non_null(strstr(text_in(root, "text"), "<!channel>"));
	json_decref(root);
}

TEST(html_is_escaped_and_a_subject_is_one_line)
{
	struct alert_event event = hostile();
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_EMAIL);
	struct alert_message message;

	channel.title = "{subject}";
	alert_message_make(&channel, events, 1, 0, "https://x/?a=1&b=\"2\"", &arena, &message);
	assert_string_equal(message.title, "line From: <@U1> & {text} @here");
	assert_null(strstr(message.html, "<script"));
	assert_non_null(strstr(message.html, "&lt;script&gt;"));
	assert_non_null(strstr(message.html, "href=\"https://x/?a=1&amp;b=&quot;2&quot;\""));
	assert_non_null(strstr(message.text, "<script>alert(1)</script>"));
}

static size_t units_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80 ? (unsigned char)*text >= 0xf0 ? 2 : 1 : 0;
	return n;
}

TEST(what_does_not_fit_is_counted)
{
	struct alert_event event = event_of(ALERT_THRESHOLD);
	const struct alert_event *events[ALERT_DIGEST_EVENTS_MAX];
	struct alert_channel channel = channel_of(CHANNEL_DISCORD);
	json_t *root;
	const char *text;
	int shown = 0;

	for (int i = 0; i < ALERT_DIGEST_EVENTS_MAX; i++)
		events[i] = &event;
	root = body_of(&channel, events, ALERT_DIGEST_EVENTS_MAX, 900);
	text = text_in(root, "content");
	assert_true(units_of(text) <= 2000);
	for (const char *at = text; (at = strstr(at, "has reached")); at++)
		shown++;
	assert_true(shown > 5);
	{
		char more[40];

		snprintf(more, sizeof(more), "And %d more.", 1000 - shown);
		assert_non_null(strstr(text, more));
	}
	json_decref(root);
}

TEST(one_event_that_is_too_long_is_cut_between_characters)
{
	struct alert_event event = event_of(ALERT_SUSPENDED);
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_DISCORD);
	char subject[4100];
	json_t *root;
	const char *text;

	memset(subject, '*', sizeof(subject));
	for (size_t i = 0; i + 4 < sizeof(subject); i += 5)
		memcpy(subject + i, "\xf0\x9f\x98\x80*", 5);
	subject[sizeof(subject) - 5] = '\0';
	event.subject = subject;
	root = body_of(&channel, events, 1, 0);
	text = text_in(root, "content");
	assert_true(units_of(text) <= 2000 && units_of(text) > 900);
	assert_non_null(strstr(text, "…"));
	json_decref(root);
}

/* The title of a message about the event. */
static const char *title_of(const struct alert_event *event, const char *template)
{
	struct alert_channel channel = channel_of(CHANNEL_WEBHOOK);
	struct alert_message message;

	channel.title = template;
	alert_message_make(&channel, &event, 1, 0, "", &arena, &message);
	return message.title;
}

TEST(what_a_kind_does_not_have_is_empty_in_a_template)
{
	static const char template[] = "<{percent}% {used} {amount} {threshold} {age} {number} {before} {after}>";
	static const char *const titles[ALERT_KIND_END] = {
		[ALERT_THRESHOLD] = "<80% $80.00 $100.00 $80.00>",
		[ALERT_PROJECTED] = "<80% $80.00 $100.00 $80.00>",
		[ALERT_ANOMALY] = "<80% $80.00 $100.00>",
		[ALERT_DENIAL] = "< $80.00 $100.00>",
		[ALERT_SUSPENDED] = "<>",
		[ALERT_TIER] = "< the default tier pro>",
		[ALERT_STARVING] = "< 1 minute>",
		[ALERT_LEDGER_LAG] = "< 1 minute 7>",
		[ALERT_DRIFT] = "< $80.00 7>",
		[ALERT_PRICES_OLD] = "< 1 minute>",
		[ALERT_UNPRICED] = "< 7>",
		[ALERT_KEY_ENDS] = "< 1 minute>",
		[ALERT_TEST] = "<>",
	};
	struct alert_event event;

	for (int kind = ALERT_THRESHOLD; kind < ALERT_KIND_END; kind++) {
		event = event_of((enum alert_kind)kind);
		event.after = "pro";
		event.age_us = INT64_C(60000000);
		event.count = 7;
		assert_string_equal(title_of(&event, template), titles[kind]);
	}
	event = event_of(ALERT_THRESHOLD);
	event.percent = 0;
	assert_string_equal(title_of(&event, "{who} at {percent} %: {threshold}"), "Team red at: $80.00");
	event = event_of(ALERT_DENIAL);
	event.limit_name = "";
	assert_string_equal(title_of(&event, "{who} {used} of {amount}"), "Team red of");
}

TEST(own_templates_are_filled_in)
{
	struct alert_event event = event_of(ALERT_THRESHOLD);
	const struct alert_event *events[] = {&event};
	struct alert_channel channel = channel_of(CHANNEL_EMAIL);
	struct alert_message message;

	channel.title = "{severity} {tenant}/{account} {{{percent}}}";
	channel.body =
		"{kind} {rule} {limit} {used} of {amount} {window} {threshold} {time} {count} {subject}\n{link} {unknown}";
	channel.language = "de";
	alert_message_make(&channel, events, 1, 3, "https://x/", &arena, &message);
	assert_string_equal(message.title, "Warnung acme/red {80}");
	assert_string_equal(message.text,
		"threshold limits month $80.00 of $100.00 pro Monat $80.00 2025-11-30 07:38 UTC 4\nhttps://x/ {unknown}\nWeitere: 3.");
}
