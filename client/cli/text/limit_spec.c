/* Reads and writes limits on the command line (limit_spec.h). */
#include "cli/text/limit_spec.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/text/distance.h"
#include "c/bursar.h"
#include "cli/text/format.h"
#include "cli/text/parse.h"

const char limit_spec_help[] =
	"LIMIT is DIMENSION=AMOUNT[/PERIOD][,OPTION...]\n"
	"  DIMENSION  requests, tokens, input_tokens, output_tokens, cost (USD) or concurrent;\n"
	"             by the piece: calls, web_searches, file_searches, code_executions, map_searches,\n"
	"             grounded_prompts, search_units, input_images, output_images, pages, characters,\n"
	"             audio_seconds, video_seconds, cache_storage\n"
	"  AMOUNT     1500, 200k, 1.5M, or max: counted, never denied; for cost, USD: 5, 0.25\n"
	"  PERIOD     day (or d), week, month: a calendar window in the account's time zone\n"
	"             s, second, min, 10min, h, 24h, 7d: a bucket that refills evenly; not for concurrent\n"
	"  OPTION     burst=AMOUNT, name=NAME, interface=ID, model=ID, warn=PERCENT, until=TIME, shadow, quiet\n"
	"  requests=20/min                        20 requests per minute, spread evenly\n"
	"  tokens=200k/min,burst=400k             can save up to 400,000 tokens\n"
	"  cost=5/day                             5 USD per calendar day\n"
	"  cost=5/24h                             5 USD, refilling over 24 hours\n"
	"  requests=1000/month,interface=telegram counts only requests from Telegram\n"
	"  tokens=1M/day,model=gpt-5.4,shadow     counted and reported, never denies\n"
	"  web_searches=100/day                   what providers bill beside tokens, as records have it\n"
	"  concurrent=3                           open reservations at the same time\n";

enum { PART_MAX = 600 };
/* The maximum of a limit, which nobody reaches: for use that is counted but never denied. */
static const int64_t count_max = INT64_C(9007199254740991);
static const char max_word[] = "max";

/* Dimensions are called as in enum Dimension, in lower case: DIMENSION_INPUT_TOKENS is input_tokens. 0 is none. */
enum { DIMENSION_PREFIX = sizeof("DIMENSION_") - 1, DIMENSION_WORD_MAX = 64 };
#define DIMENSIONS bursar__v1__dimension__descriptor

static const char *dimension_word(unsigned index, char word[DIMENSION_WORD_MAX])
{
	const char *name = DIMENSIONS.values[index].name + DIMENSION_PREFIX;
	size_t len = 0;

	for (; name[len] && len + 1 < DIMENSION_WORD_MAX; len++)
		word[len] = (char)tolower((unsigned char)name[len]);
	word[len] = '\0';
	return word;
}

static const struct {
	const char *name;
	Bursar__V1__CalendarWindow value;
} windows[] = {
	/* Output uses the first name of each. */
	{"day", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY},
	{"week", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_WEEK},
	{"month", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_MONTH},
	{"d", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY},
	{"days", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY},
	{"w", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_WEEK},
	{"weeks", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_WEEK},
	{"mo", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_MONTH},
	{"months", BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_MONTH},
};

static bool is_cost(const Bursar__V1__Limit *limit)
{
	return limit->dimension == BURSAR__V1__DIMENSION__DIMENSION_COST;
}

static bool is_concurrent(const Bursar__V1__Limit *limit)
{
	return limit->dimension == BURSAR__V1__DIMENSION__DIMENSION_CONCURRENT;
}

/* Copies the part up to the next unescaped comma, without its backslashes. Moves *p past the comma, or to the end. */
static bool next_part(const char **p, char part[PART_MAX], struct err *err)
{
	size_t len = 0;

	for (; **p && **p != ','; (*p)++) {
		if (**p == '\\' && ((*p)[1] == ',' || (*p)[1] == '\\'))
			(*p)++;
		if (len + 1 >= PART_MAX)
			return err_set(err, ERR_INVALID, "a part is longer than %d bytes", PART_MAX - 1);
		part[len++] = **p;
	}
	part[len] = '\0';
	if (**p == ',')
		(*p)++;
	return true;
}

static bool read_amount(const Bursar__V1__Limit *limit, const char *text, size_t len, int64_t *out, struct err *err)
{
	if (!is_cost(limit) && len == strlen(max_word) && strncmp(text, max_word, len) == 0) {
		*out = count_max;
		return true;
	}
	return is_cost(limit) ? parse_usd(text, len, out, err) : parse_count(text, len, out, err);
}

static bool no_dimension(const char *text, size_t len, struct err *err)
{
	char word[64] = "", name[DIMENSION_WORD_MAX];
	struct meant meant = {.typed = word};
	struct buf all = {0};

	memcpy(word, text, len < sizeof(word) ? len : sizeof(word) - 1);
	for (unsigned i = 1; i < DIMENSIONS.n_values; i++) {
		meant_try(&meant, dimension_word(i, name));
		if (DIMENSIONS.values[i].value <= (int)BURSAR__V1__DIMENSION__DIMENSION_CONCURRENT)
			buf_putf(&all, "%s, ", name);
	}
	if (meant.name[0])
		err_set(err, ERR_INVALID, "'%s' is not a dimension; did you mean '%s'?", word, meant.name);
	else
		err_set(err, ERR_INVALID,
			"'%s' is not a dimension; use one of %sweb_searches, ... (your own name comes after it: "
			"requests=20/min,name=NAME)",
			word, buf_str(&all));
	buf_release(&all);
	return false;
}

bool limit_dimension_parse(const char *text, size_t len, Bursar__V1__Dimension *out, struct err *err)
{
	for (unsigned i = 1; i < DIMENSIONS.n_values; i++) {
		char word[DIMENSION_WORD_MAX];

		dimension_word(i, word);
		if (strlen(word) == len && strncmp(word, text, len) == 0) {
			*out = (Bursar__V1__Dimension)DIMENSIONS.values[i].value;
			return true;
		}
	}
	return no_dimension(text, len, err);
}

/* A bucket of 0 keeps its period, although nothing flows into it. */
static bool read_period(Bursar__V1__Limit *limit, const char *text, struct err *err)
{
	char counted[64];

	for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
		if (strcmp(windows[i].name, text) == 0) {
			limit->kind = BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR;
			limit->window = windows[i].value;
			return true;
		}
	}
	if (strcmp(text, "1day") == 0 || strcmp(text, "1d") == 0)
		return err_set(err, ERR_INVALID,
			"period '%s': write day for a calendar day, 24h for a bucket that refills over 24 hours", text);
	if (strcmp(text, "m") == 0)
		return err_set(err, ERR_INVALID, "period 'm': write min or month");
	limit->kind = BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET;
	snprintf(counted, sizeof(counted), "%s%s", isdigit((unsigned char)text[0]) ? "" : "1", text);
	if (strlen(text) > 40 || !parse_duration(counted, strlen(counted), &limit->period_us, err))
		return err_set(err, ERR_INVALID,
			"period '%s': write day, week or month (calendar), or s, min, 10min, h, 24h, 7d (refills "
			"evenly)",
			text);
	return true;
}

static bool read_head(Bursar__V1__Limit *limit, const char *part, struct err *err)
{
	const char *equals = strchr(part, '=');
	const char *slash;
	size_t len;

	if (!equals && strchr(part, ':'))
		return err_set(
			err, ERR_INVALID, "'%s' has ':' instead of '='; a limit looks like requests=60/min", part);
	if (!equals)
		return err_set(err, ERR_INVALID, "'%s' has no '='; a limit looks like requests=20/min", part);
	if (!limit_dimension_parse(part, (size_t)(equals - part), &limit->dimension, err))
		return false;
	slash = strchr(equals, '/');
	len = slash ? (size_t)(slash - equals - 1) : strlen(equals + 1);
	if (!read_amount(limit, equals + 1, len, &limit->amount, err))
		return err_prefix(err, "amount: ");
	if (is_concurrent(limit)) {
		limit->kind = BURSAR__V1__LIMIT_KIND__LIMIT_KIND_LEVEL;
		return !slash ||
		       err_set(err, ERR_INVALID, "concurrent has no period: write concurrent=%" PRId64, limit->amount);
	}
	if (!slash)
		return err_set(err, ERR_INVALID, "the period is missing: write %s/min or %s/day", part, part);
	return read_period(limit, slash + 1, err);
}

static bool put_text(char **field, const char *name, const char *value, struct err *err)
{
	if (!*value)
		return err_set(err, ERR_INVALID, "%s: is empty", name);
	if (**field)
		return err_set(err, ERR_INVALID, "%s: is given twice", name);
	*field = strdup(value);
	if (!*field)
		mem_exhausted(strlen(value) + 1);
	return true;
}

static bool read_warn(Bursar__V1__Limit *limit, const char *value, struct err *err)
{
	int64_t percent;
	size_t len = strlen(value);

	if (len > 0 && value[len - 1] == '%')
		len--;
	if (!parse_count(value, len, &percent, err) || percent < 1 || percent > 100)
		return err_set(err, ERR_INVALID, "warn: '%s' must be a percentage from 1 to 100", value);
	limit->warn_percent = (int32_t)percent;
	return true;
}

static bool read_burst(Bursar__V1__Limit *limit, const char *value, struct err *err)
{
	if (limit->kind != BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET)
		return err_set(err, ERR_INVALID, "burst: is only for a bucket, which has a period such as min or 24h");
	if (!read_amount(limit, value, strlen(value), &limit->burst, err))
		return err_prefix(err, "burst: ");
	return true;
}

static bool read_until(Bursar__V1__Limit *limit, const char *value, struct err *err)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return parse_time(value, (int64_t)now.tv_sec * 1000000, &limit->until_us, err) || err_prefix(err, "until: ");
}

static bool read_option(Bursar__V1__Limit *limit, char *part, struct err *err)
{
	static const char *const options[] = {
		"burst", "name", "interface", "model", "warn", "until", "shadow", "quiet"};
	struct meant meant = {.typed = part};
	char *value = strchr(part, '=');

	if (strcmp(part, "shadow") == 0) {
		limit->shadow = true;
		return true;
	}
	if (strcmp(part, "quiet") == 0) {
		limit->notify_off = true;
		return true;
	}
	if (value) {
		*value++ = '\0';
		if (strcmp(part, "burst") == 0)
			return read_burst(limit, value, err);
		if (strcmp(part, "name") == 0)
			return put_text(&limit->name, part, value, err);
		if (strcmp(part, "interface") == 0)
			return put_text(&limit->interface, part, value, err);
		if (strcmp(part, "model") == 0)
			return put_text(&limit->model, part, value, err);
		if (strcmp(part, "warn") == 0)
			return read_warn(limit, value, err);
		if (strcmp(part, "until") == 0)
			return read_until(limit, value, err);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		meant_try(&meant, options[i]);
	if (meant.name[0])
		return err_set(err, ERR_INVALID, "'%s' is not an option; did you mean '%s'?", part, meant.name);
	return err_set(err, ERR_INVALID,
		"'%s' is not an option; write one of burst=AMOUNT, name=NAME, interface=ID, model=ID, warn=PERCENT, "
		"until=TIME, shadow, quiet",
		part);
}

/* No option begins with a digit: 6,000 and 0,25 are numbers in the style of other countries. */
static bool no_comma_in_number(const char *text, const char *rest, struct err *err)
{
	if (rest - text < 2 || rest[-1] != ',' || !isdigit((unsigned char)rest[-2]) || !isdigit((unsigned char)*rest))
		return true;
	return err_set(err, ERR_INVALID, "write numbers without a comma: 6000, 6_000 or 6k, and 0.25 with a point");
}

Bursar__V1__Limit *limit_spec_parse(const char *text, struct err *err)
{
	Bursar__V1__Limit *limit = mem_zalloc(1, sizeof(*limit));
	const char *p = text;
	char part[PART_MAX];
	bool right;

	bursar__v1__limit__init(limit);
	right = next_part(&p, part, err) && no_comma_in_number(text, p, err) && read_head(limit, part, err);
	while (right && *p)
		right = next_part(&p, part, err) && read_option(limit, part, err);
	if (right)
		return limit;
	bursar_free(limit);
	return NULL;
}

static void put_escaped(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_putf(out, ",%s=", name);
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			buf_put(out, "\\", 1);
		buf_put(out, value, 1);
	}
}

static void put_spec_count(struct buf *out, int64_t count)
{
	if (count == count_max)
		buf_put_str(out, max_word);
	else if (count >= 1000000 && count % 1000000 == 0)
		buf_putf(out, "%" PRId64 "M", count / 1000000);
	else if (count >= 10000 && count % 1000 == 0)
		buf_putf(out, "%" PRId64 "k", count / 1000);
	else
		buf_putf(out, "%" PRId64, count);
}

static void put_spec_amount(struct buf *out, const Bursar__V1__Limit *limit, int64_t amount)
{
	char decimals[12];
	size_t len;

	if (!is_cost(limit)) {
		put_spec_count(out, amount);
		return;
	}
	buf_putf(out, "%" PRId64, amount / 1000000000);
	len = (size_t)snprintf(decimals, sizeof(decimals), ".%09" PRId64, amount % 1000000000);
	while (len > 1 && decimals[len - 1] == '0')
		len--;
	if (len > 1)
		buf_put(out, decimals, len);
}

/* Writes one minute as "min", the way people do. */
static void put_period(struct buf *out, int64_t us)
{
	struct buf text = {0};

	put_duration_exact(&text, us);
	buf_put_str(out, buf_str(&text) + (text.data[0] == '1' && isalpha((unsigned char)text.data[1]) ? 1 : 0));
	buf_release(&text);
}

void limit_spec_put(struct buf *out, const Bursar__V1__Limit *limit, bool with_name)
{
	char dimension[DIMENSION_WORD_MAX] = "?";
	const char *window = "?";

	for (unsigned i = 1; i < DIMENSIONS.n_values; i++)
		if (DIMENSIONS.values[i].value == (int)limit->dimension)
			dimension_word(i, dimension);
	for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++)
		if (windows[i].value == limit->window && strcmp(window, "?") == 0)
			window = windows[i].name;
	buf_putf(out, "%s=", dimension);
	put_spec_amount(out, limit, limit->amount);
	if (limit->kind == BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR) {
		buf_putf(out, "/%s", window);
	} else if (limit->kind == BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET) {
		buf_put(out, "/", 1);
		put_period(out, limit->period_us);
		if (limit->burst != 0 && limit->burst != limit->amount) {
			buf_put_str(out, ",burst=");
			put_spec_amount(out, limit, limit->burst);
		}
	}
	if (with_name)
		put_escaped(out, "name", limit->name);
	put_escaped(out, "interface", limit->interface);
	put_escaped(out, "model", limit->model);
	if (limit->warn_percent != 0)
		buf_putf(out, ",warn=%d", limit->warn_percent);
	if (limit->until_us) {
		buf_put_str(out, ",until=");
		put_time_exact(out, limit->until_us);
	}
	if (limit->shadow)
		buf_put_str(out, ",shadow");
	if (limit->notify_off)
		buf_put_str(out, ",quiet");
}
