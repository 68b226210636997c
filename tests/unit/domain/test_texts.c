/* The messages to a bot's users. */

#include <string.h>

#include "domain/text/texts.h"
#include "lib/test.h"

#define SECOND INT64_C(1000000)

static struct policy policy_of(const char *name, enum dimension dimension, enum limit_kind kind, int64_t amount)
{
	struct policy policy = {.count = 1};
	struct limit *limit = &policy.limits[0];

	strcpy(limit->name, name);
	limit->dimension = dimension;
	limit->kind = kind;
	limit->amount = amount;
	limit->period_us = kind == KIND_BUCKET ? 60 * SECOND : 0;
	assert_true(policy_prepare(&policy, NULL));
	return policy;
}

static void says(const struct text_table *own, const struct text_args *args, const char *text)
{
	struct buf out = {0};

	text_make(own, args, &out);
	assert_string_equal(buf_str(&out), text);
	buf_release(&out);
}

/* In that language; the next text is in it, too. */
static void says_in(const char *language, struct text_args *args, const char *text)
{
	args->language = language;
	says(NULL, args, text);
}

static struct text_args quota_args(const struct policy *policy, const struct policy *better)
{
	return (struct text_args){.language = "en",
		.reason = REASON_QUOTA,
		.limit = &policy->limits[0],
		.account_kind = ACCOUNT_USER,
		.figures = {.used = 50, .effective = 50, .requested = 1, .used_percent = 100},
		.retry_after_us = 5400 * SECOND,
		.better_tier = "pro",
		.better = better};
}

TEST(a_spent_quota_says_what_how_long_and_what_an_upgrade_gives)
{
	struct policy policy = policy_of("day", DIM_REQUESTS, KIND_CALENDAR, 50);
	struct policy better = policy_of("day", DIM_REQUESTS, KIND_CALENDAR, 1000);
	struct text_args args = quota_args(&policy, &better);

	says(NULL, &args,
		"You have reached your limit of 50 requests per day. Try again in 1 hour 30 minutes. "
		"With pro you would have 1000 requests per day.");
	says_in("de-AT", &args,
		"Du hast dein Limit von 50 Anfragen pro Tag erreicht. Versuche es in 1 Stunde 30 Minuten noch einmal. "
		"Mit pro hättest du 1000 Anfragen pro Tag.");
	says_in("ru", &args,
		"Достигнут ваш лимит: 50 запросов в день. Повторите попытку через 1 час 30 минут. "
		"С тарифом pro у вас было бы 1000 запросов в день.");
	says_in("es", &args,
		"Has alcanzado tu límite de 50 solicitudes al día. Inténtalo de nuevo en 1 hora 30 minutos. "
		"Con pro tendrías 1000 solicitudes al día.");
	args.language = "xx";
	args.better_tier = NULL;
	says(NULL, &args, "You have reached your limit of 50 requests per day. Try again in 1 hour 30 minutes.");
}

TEST(an_upgrade_is_named_only_when_it_gives_more)
{
	struct policy policy = policy_of("day", DIM_COST, KIND_CALENDAR, 250000000);
	struct policy same = policy_of("day", DIM_COST, KIND_CALENDAR, 250000000);
	struct policy none = {0};
	struct text_args args = quota_args(&policy, &same);

	args.reason = REASON_BUDGET;
	args.retry_after_us = 0;
	args.figures.effective = 250000000;
	says(NULL, &args, "You have reached your limit of $0.25 per day.");
	args.better = &none;
	says(NULL, &args, "You have reached your limit of $0.25 per day. pro has no such limit.");
	args.account_kind = ACCOUNT_TEAM; /* an upgrade of the user's tier does not help their team */
	says(NULL, &args, "Your team has reached its limit of $0.25 per day.");
}

TEST(a_team_and_an_org_are_told_how_many_share_the_limit)
{
	struct policy policy = policy_of("day", DIM_REQUESTS, KIND_CALENDAR, 50);
	struct text_args args = quota_args(&policy, NULL);

	args.better_tier = NULL;
	args.retry_after_us = 0;
	args.account_kind = ACCOUNT_TEAM;
	args.shared_by = 12;
	says(NULL, &args,
		"Your team has reached its limit of 50 requests per day. You share it with 11 others in your team.");
	args.shared_by = 2;
	args.account_kind = ACCOUNT_ORG;
	says(NULL, &args,
		"Your organisation has reached its limit of 50 requests per day. You share it with 1 other in your "
		"organisation.");
	says_in("de", &args,
		"Deine Organisation hat ihr Limit von 50 Anfragen pro Tag erreicht. Du teilst es mit 1 anderen in "
		"deiner Organisation.");
	args.language = "ru";
	args.shared_by = 22;
	says(NULL, &args,
		"Достигнут лимит вашей организации: 50 запросов в день. Вы делите его с 21 участником вашей "
		"организации.");
	says_in("es", &args,
		"Tu organización ha alcanzado su límite de 50 solicitudes al día. Lo compartes con 21 personas más de "
		"tu organización.");
	args.language = "en";
	args.shared_by = 10000; /* counting stops here, so no number is shown */
	says(NULL, &args, "Your organisation has reached its limit of 50 requests per day.");
	args.shared_by = 12;
	args.account_kind = ACCOUNT_TENANT;
	says(NULL, &args, "This service has reached its limit of 50 requests per day.");
}

TEST(a_limit_that_is_only_held_says_what_runs_and_when_to_come_again)
{
	struct policy policy = policy_of("day", DIM_COST, KIND_CALENDAR, 250000000);
	struct text_args args = quota_args(&policy, NULL);

	args.better_tier = NULL;
	args.reason = REASON_BUDGET;
	args.retry_after_us = 4 * SECOND;
	args.figures = (struct figures){.used = 250000000, .held = 50000000, .effective = 250000000, .only_held = true};
	args.running = 3;
	args.first_end_after_us = 700 * SECOND;
	says(NULL, &args,
		"Your limit of $0.25 per day is full for now: 3 requests are still running and hold part of it. "
		"The next one ends in 11 minutes 40 seconds at the latest. Try again in 4 seconds.");
	says_in("de", &args,
		"Dein Limit von $0.25 pro Tag ist gerade ausgeschöpft: 3 Anfragen laufen noch und halten einen Teil "
		"davon. Die nächste endet spätestens in 11 Minuten 40 Sekunden. Versuche es in 4 Sekunden noch "
		"einmal.");
	says_in("ru", &args,
		"Ваш лимит ($0.25 в день) пока занят: 3 запроса ещё выполняются и занимают его часть. "
		"Ближайший завершится не позднее чем через 11 минут 40 секунд. Повторите попытку через 4 секунды.");
	says_in("es", &args,
		"Tu límite de $0.25 al día está ocupado por ahora: 3 solicitudes siguen en curso y ocupan una parte. "
		"La próxima termina a más tardar en 11 minutos 40 segundos. Inténtalo de nuevo en 4 segundos.");
	args.language = "en";
	args.running = 1;
	args.first_end_after_us = args.retry_after_us = 2 * SECOND; /* said once */
	args.account_kind = ACCOUNT_TEAM;
	says(NULL, &args,
		"Your team's limit of $0.25 per day is full for now: 1 request is still running and holds part of it. "
		"Try again in 2 seconds.");
	args.running = 0; /* not known */
	says(NULL, &args, "Your team has reached its limit of $0.25 per day. Try again in 2 seconds.");
}

TEST(a_full_level_says_what_runs)
{
	struct policy policy = policy_of("open", DIM_CONCURRENT, KIND_LEVEL, 2);
	struct text_args args = quota_args(&policy, NULL);

	args.better_tier = NULL;
	args.reason = REASON_CONCURRENCY;
	args.retry_after_us = 4 * SECOND;
	args.figures = (struct figures){.used = 2, .held = 2, .effective = 2, .only_held = true};
	args.running = 2;
	says(NULL, &args,
		"Your limit of 2 requests at a time is full for now: 2 requests are still running. Try again in 4 "
		"seconds.");
	args.language = "ru";
	args.running = 5;
	says(NULL, &args,
		"Ваш лимит (2 запроса одновременно) пока занят: 5 запросов ещё выполняются. Повторите попытку через 4 "
		"секунды.");
}

TEST(a_request_too_large_is_told_what_is_possible)
{
	struct policy policy = policy_of("tpm", DIM_TOKENS, KIND_BUCKET, 40000);
	struct text_args args = quota_args(&policy, NULL);

	args.better_tier = NULL;
	args.reason = REASON_TOKEN_RATE;
	args.retry_after_us = 0;
	args.figures = (struct figures){.requested = 50000, .effective = 40000, .permanent = true};
	says(NULL, &args, "This request needs 50,000 tokens; more than 40,000 tokens is never possible.");
	says_in("ru", &args, "Для этого запроса нужно 50\u00a0000 токенов, а возможно не больше 40\u00a0000 токенов.");
	args.language = "en";
	args.figures.effective = 0;
	says(NULL, &args, "This is not part of your plan.");
}

TEST(reasons_without_a_limit_have_their_sentence)
{
	struct text_args args = {.language = "en", .reason = REASON_SUSPENDED};

	says(NULL, &args, "This account is suspended. Please contact support.");
	args.reason = REASON_UNKNOWN_USER;
	says_in("de", &args, "Dieser Dienst kennt dich noch nicht. Bitte melde dich zuerst an.");
	args.reason = REASON_REQUEST_CLOSED;
	says(NULL, &args, "Diese Anfrage ist schon beendet. Bitte sende sie als neue Anfrage.");
	says_in("en", &args, "This request has already ended. Please send it as a new one.");
	says_in("ru", &args, "Этот запрос уже завершён. Отправьте его как новый.");
	says_in("es", &args, "Esta solicitud ya ha terminado. Envíala como una nueva.");
	args.reason = REASON_NONE;
	says(NULL, &args, "");
}

TEST(what_is_closed_is_named_by_its_kind)
{
	static const char *const texts[][6] = {
		{"en", "Your team is suspended. Please contact support.",
			"Your organisation is suspended. Please contact support.",
			"This model is suspended. Please choose another one.",
			"This service is suspended. Please contact support.",
			"This account is suspended. Please contact support."},
		{"de", "Dein Team ist gesperrt. Bitte wende dich an den Support.",
			"Deine Organisation ist gesperrt. Bitte wende dich an den Support.",
			"Dieses Modell ist gesperrt. Bitte wähle ein anderes.",
			"Dieser Dienst ist gesperrt. Bitte wende dich an den Support.",
			"Dieses Konto ist gesperrt. Bitte wende dich an den Support."},
		{"ru", "Ваша команда заблокирована. Обратитесь в поддержку.",
			"Ваша организация заблокирована. Обратитесь в поддержку.",
			"Эта модель заблокирована. Выберите другую.",
			"Этот сервис заблокирован. Обратитесь в поддержку.",
			"Эта учётная запись заблокирована. Обратитесь в поддержку."},
		{"es", "Tu equipo está suspendido. Ponte en contacto con el soporte.",
			"Tu organización está suspendida. Ponte en contacto con el soporte.",
			"Este modelo está suspendido. Elige otro.",
			"Este servicio está suspendido. Ponte en contacto con el soporte.",
			"Esta cuenta está suspendida. Ponte en contacto con el soporte."},
	};
	static const char *const deleted[][2] = {{"en", "This model no longer exists. Please choose another one."},
		{"de", "Dieses Modell gibt es nicht mehr. Bitte wähle ein anderes."},
		{"ru", "Этой модели больше нет. Выберите другую."}, {"es", "Este modelo ya no existe. Elige otro."}};
	struct text_args args = {.reason = REASON_SUSPENDED};

	for (int l = 0; l < 4; l++) {
		args.language = texts[l][0];
		args.reason = REASON_SUSPENDED;
		for (int kind = ACCOUNT_TEAM; kind <= ACCOUNT_TENANT; kind++) {
			args.account_kind = (enum account_kind)kind;
			says(NULL, &args, texts[l][kind - ACCOUNT_TEAM + 1]);
		}
		args.account_kind = ACCOUNT_USER;
		says(NULL, &args, texts[l][5]);
		args.account_kind = ACCOUNT_MODEL;
		args.reason = REASON_DELETED;
		says(NULL, &args, deleted[l][1]);
	}
}

TEST(a_warning_says_how_much_is_used)
{
	struct policy policy = policy_of("day", DIM_REQUESTS, KIND_CALENDAR, 50);
	struct text_args args = quota_args(&policy, NULL);

	args.reason = REASON_NONE;
	args.figures.used_percent = 82;
	says(NULL, &args, "82% of 50 requests per day are used.");
}

TEST(a_tenants_own_template_wins)
{
	struct text_template rows[] = {
		{"en", "quota", "No more than {amount}, {{really}}!"},
		{"de", "wait", "Bis in {wait}."},
	};
	struct text_table own = {.templates = rows, .count = 2};
	struct policy policy = policy_of("day", DIM_REQUESTS, KIND_CALENDAR, 1);
	struct text_args args = quota_args(&policy, NULL);

	text_templates_sort(rows, 2);
	args.figures.effective = 1;
	args.better_tier = "";
	says(&own, &args, "No more than 1 request, {really}! Try again in 1 hour 30 minutes.");
	args.language = "de";
	says(&own, &args, "Du hast dein Limit von 1 Anfrage pro Tag erreicht. Bis in 1 Stunde 30 Minuten.");
}

/* From the language that is asked for to the tenant's, sentence by sentence. */
TEST(a_template_is_looked_for_in_the_nearest_language)
{
	struct text_template rows[] = {
		{"de", "reached", "deutsch."},
		{"de-AT", "quota", "österreichisch."},
		{"fr", "quota", "{amount}, {wait}."},
		{"zh-Hant", "reached", "traditional."},
		{"zh", "wait", "chinese."},
	};
	static const struct {
		const char *asked, *tenant, *text;
	} cases[] = {
		{"de-AT", "en", "österreichisch. Versuche es in 1 Stunde 30 Minuten noch einmal."},
		{"DE_at", "en", "österreichisch. Versuche es in 1 Stunde 30 Minuten noch einmal."},
		{"de-CH", "fr", "deutsch. Versuche es in 1 Stunde 30 Minuten noch einmal."},
		{"zh-Hant-TW", "en", "traditional. chinese."},
		{"zh-TW", "en", "You have reached your limit of 50 requests per day. chinese."},
		{"fr", "de", "50, 1 h 30 min. Versuche es in 1 Stunde 30 Minuten noch einmal."},
		{"en", "de", "You have reached your limit of 50 requests per day. Try again in 1 hour 30 minutes."},
		{"xx", "de", "deutsch. Versuche es in 1 Stunde 30 Minuten noch einmal."},
		{NULL, "fr", "50, 1 h 30 min. Try again in 1 hour 30 minutes."},
		{NULL, NULL, "You have reached your limit of 50 requests per day. Try again in 1 hour 30 minutes."},
		{"-", "_", "You have reached your limit of 50 requests per day. Try again in 1 hour 30 minutes."},
	};
	struct text_table own = {.templates = rows, .count = sizeof(rows) / sizeof(rows[0])};
	struct policy policy = policy_of("day", DIM_REQUESTS, KIND_CALENDAR, 50);
	struct text_args args = quota_args(&policy, NULL);

	args.better_tier = "";
	text_templates_sort(rows, own.count);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		args.language = cases[i].asked;
		args.tenant_language = cases[i].tenant;
		says(&own, &args, cases[i].text);
	}
}

/* What got past the check, or what this answer knows nothing of. */
TEST(a_template_that_cannot_be_filled_in_is_passed_over)
{
	static const char *const texts[] = {"{nobody}", "{ends}", "{wait}", "{tier}", "{others}", "a { b", "a } b", "{",
		"}", "{amount", "{{{amount}", "{{}", "{whose} {where}"};
	char longest[TEXT_SENTENCE_MAX + 2];
	struct text_template row = {.language = "en", .code = "quota"};
	struct text_table own = {.templates = &row, .count = 1};
	struct policy policy = policy_of("day", DIM_REQUESTS, KIND_CALENDAR, 50);
	struct text_args args = quota_args(&policy, NULL);

	args.better_tier = "";
	args.retry_after_us = 0;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		row.text = texts[i];
		if (strcmp(texts[i], "{{{amount}") == 0)
			says(&own, &args, "{50 requests");
		else
			says(&own, &args, "You have reached your limit of 50 requests per day.");
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	row.text = longest;
	says(&own, &args, "You have reached your limit of 50 requests per day.");
	longest[TEXT_SENTENCE_MAX] = '\0';
	says(&own, &args, longest);
}

static void refused(const char *language, const char *code, const char *text, const char *error)
{
	struct text_template row = {language, code, text};
	char tag[TEXT_LANGUAGE_MAX + 1];
	struct err err = {0};

	assert_false(text_template_check(&row, tag, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, error);
}

TEST(a_template_is_refused_with_its_fault)
{
	char longest[TEXT_SENTENCE_MAX + 2];

	refused("de", "", "x", "code: must be given, such as quota or wait");
	refused("de", "qouta", "x", "code: there is no text qouta; did you mean quota?");
	refused("de", "something", "x", "code: there is no text something; one is reached, another wait");
	refused("de", "quota", "", "text: is empty; 'delete' brings the built-in text back");
	refused("de", "quota", "  ", "text: is empty; 'delete' brings the built-in text back");
	refused("de", "quota", "{ammount}", "text: quota has no {ammount}; did you mean {amount}?");
	refused("de", "quota", "{Amount}", "text: quota has no {Amount}; did you mean {amount}?");
	refused("de", "quota", "in {tier}",
		"text: quota has no {tier}; it has {who} {whose} {amount} {used} {requested} {most} {percent} {per}");
	refused("de", "quota", "{}",
		"text: quota has no {}; it has {who} {whose} {amount} {used} {requested} {most} {percent} {per}");
	refused("de", "suspended", "{who}",
		"text: suspended has no {who}, and no other placeholder: write {{ for a brace");
	refused("de", "wait", "in { {wait}", "text: has a { at byte 3 without the other one: write {{ for a brace");
	refused("de", "wait", "in {wait", "text: has a { at byte 3 without the other one: write {{ for a brace");
	refused("de", "wait", "in wait}", "text: has a } at byte 7 without the other one: write }} for a brace");
	refused("de", "wait", "a\nb", "text: has the control character U+000A at byte 1");
	refused("de", "wait", "a\xc2\x85", "text: has the control character U+0085 at byte 1");
	refused("de", "wait", "a\xff", "text: is not valid UTF-8 at byte 1");
	refused("fr", "quota", "{who}", "text: {who} has no words in fr (only in en, de, ru and es): write them out");
	refused("de", "wait", "{wait}{wait}{wait}{wait}{wait}{wait}{wait}{wait}{wait}{wait}",
		"text: may become a sentence of 640 bytes, and at most 600 are allowed: shorten it");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	refused("de", "wait", longest, "text: is 601 bytes long; at most 600 are allowed");
}

TEST(tags_of_languages_have_one_spelling)
{
	static const char *const right[][2] = {{"de", "de"}, {"DE", "de"}, {"de-at", "de-AT"}, {"pt_BR", "pt-BR"},
		{"ZH-HANT-tw", "zh-Hant-TW"}, {"gsw", "gsw"}, {"es-419", "es-419"}, {"de-1996", "de-1996"}};
	static const char *const wrong[] = {"", "d", "-", "de-", "-de", "de--AT", "d1", "german", "de AT", "de-ö", "dé",
		"de-abcdefghi", "de-AT-abcdefgh-x"};

	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		struct text_template row = {right[i][0], "unknown_user", "x"};
		char tag[TEXT_LANGUAGE_MAX + 1];

		assert_true(text_template_check(&row, tag, NULL));
		assert_string_equal(tag, right[i][1]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused(wrong[i], "wait", "x",
			"language: must be a language tag of at most 15 characters, such as de or pt-BR");
}

/* What is built in keeps to the rules for what admins set, and each code can be set. */
TEST(built_in_texts_are_templates_like_any_other)
{
	static const char *const languages[] = {"en", "de", "ru", "es"};

	for (size_t l = 0; l < sizeof(languages) / sizeof(languages[0]); l++) {
		struct text_template row;
		int n = 0;

		for (; text_builtin(languages[l], n, &row); n++) {
			char tag[TEXT_LANGUAGE_MAX + 1];
			struct err err;

			if (!text_template_check(&row, tag, &err))
				fail_msg("%s %s: %s", row.language, row.code, err.text);
		}
		assert_true(n > 20);
	}
}

static void lasts(const char *language, int64_t us, const char *text)
{
	struct buf out = {0};

	text_duration(language, us, &out);
	assert_string_equal(buf_str(&out), text);
	buf_release(&out);
}

TEST(durations_are_rounded_up_to_two_units)
{
	lasts("en", 0, "1 second");
	lasts("en", 1, "1 second");
	lasts("en", SECOND + 1, "2 seconds");
	lasts("en", 60 * SECOND, "1 minute");
	lasts("en", 3599 * SECOND + 1, "1 hour");
	lasts("en", 3600 * SECOND + 1, "1 hour 1 minute");
	lasts("en", 86399 * SECOND, "1 day");
	lasts("en", 86400 * SECOND * 30 + 3601 * SECOND, "30 days 2 hours");
	lasts("ru", 21 * SECOND, "21 секунду");
	lasts("ru", 22 * SECOND, "22 секунды");
	lasts("ru", 11 * 60 * SECOND, "11 минут");
	lasts("ru", 3 * 86400 * SECOND, "3 дня");
	lasts("de", 2 * 86400 * SECOND, "2 Tagen");
	lasts("es", 86400 * SECOND, "1 día");
	lasts(NULL, 60 * SECOND, "1 minute");
}
