/* Converts rows of alert tables to structs. */
#include <stdlib.h>
#include <string.h>

#include "base/unconst.h"
#include "base/units.h"
#include "pg/alerts/alerts.h"

static const char *text_of(const PGresult *result, int row, int column, struct arena *arena)
{
	return arena_strndup(arena, pg_text(result, row, column), (size_t)PQgetlength(result, row, column));
}

/* Splits the text in place; returns how many parts there are, at most `max`. */
static int split(char *text, char separator, const char *parts[], int max)
{
	int count = 0;

	while (*text && count < max) {
		char *end = strchr(text, separator);

		parts[count++] = text;
		if (!end)
			break;
		*end = '\0';
		text = end + 1;
	}
	return count;
}

static int split_of(
	const PGresult *result, int row, int column, struct arena *arena, char separator, const char *parts[], int max)
{
	return split(unconst(text_of(result, row, column, arena)), separator, parts, max);
}

static int numbers_of(const PGresult *result, int row, int column, int64_t out[], int max)
{
	char *text = unconst(pg_text(result, row, column));
	int count = 0;

	while (*text && count < max)
		out[count++] = strtoll(text, &text, 10);
	return count;
}

void row_alert_rule(const PGresult *result, int row, int column, struct arena *arena, struct alert_rule *out)
{
	int64_t numbers[ALERT_THRESHOLDS_MAX];
	int kinds;

	*out = (struct alert_rule){
		.tenant = text_of(result, row, column, arena),
		.name = text_of(result, row, column + 1, arena),
		.kind = (enum alert_kind)pg_i64(result, row, column + 2),
		.enabled = pg_bool(result, row, column + 3),
		.severity = (enum alert_severity)pg_i64(result, row, column + 4),
		.account = text_of(result, row, column + 6, arena),
		.tier = text_of(result, row, column + 7, arena),
		.team = text_of(result, row, column + 8, arena),
		.limit_name = text_of(result, row, column + 9, arena),
		.dimension = (int)pg_i64(result, row, column + 10),
		.unit = (int)pg_i64(result, row, column + 11),
		.percent = (int)pg_i64(result, row, column + 14),
		.minimum_nano = pg_i64(result, row, column + 15),
		.after_us = pg_i64(result, row, column + 16) * SECOND_US,
		.to_all = pg_bool(result, row, column + 18),
		.updated_at_us = pg_i64(result, row, column + 19),
	};
	kinds = numbers_of(result, row, column + 5, numbers, ALERT_THRESHOLDS_MAX);
	for (int i = 0; i < kinds; i++)
		out->account_kinds |= 1U << numbers[i];
	out->percents = numbers_of(result, row, column + 12, numbers, ALERT_THRESHOLDS_MAX);
	for (int i = 0; i < out->percents; i++)
		out->percent_at[i] = (int)numbers[i];
	out->amounts = numbers_of(result, row, column + 13, out->amount_at, ALERT_THRESHOLDS_MAX);
	out->channels = split_of(result, row, column + 17, arena, ' ', out->channel, ALERT_RULE_CHANNELS_MAX);
}

void row_alert_channel(const PGresult *result, int row, int column, struct arena *arena, struct alert_channel *out)
{
	*out = (struct alert_channel){
		.tenant = text_of(result, row, column, arena),
		.name = text_of(result, row, column + 1, arena),
		.kind = (enum alert_channel_kind)pg_i64(result, row, column + 2),
		.enabled = pg_bool(result, row, column + 3),
		.system = pg_bool(result, row, column + 4),
		.least = (enum alert_severity)pg_i64(result, row, column + 5),
		.target = text_of(result, row, column + 6, arena),
		.language = text_of(result, row, column + 7, arena),
		.title = text_of(result, row, column + 8, arena),
		.body = text_of(result, row, column + 9, arena),
		.secret = {.url = "", .token = ""},
		.digest_us = pg_i64(result, row, column + 10) * SECOND_US,
		.quiet_from = (int)pg_i64(result, row, column + 11),
		.quiet_to = (int)pg_i64(result, row, column + 12),
		.quiet_zone = text_of(result, row, column + 13, arena),
		.rate_per_minute = (int)pg_i64(result, row, column + 14),
		.ordered = pg_bool(result, row, column + 15),
		.failures = (int)pg_i64(result, row, column + 16),
		.open_until_us = pg_i64(result, row, column + 17),
		.updated_at_us = pg_i64(result, row, column + 18),
		.prompt = pg_bool(result, row, column + 19),
	};
}

void row_alert_secret(const PGresult *result, int row, int column, struct arena *arena, struct alert_secret *out)
{
	*out = (struct alert_secret){
		.url = text_of(result, row, column, arena), .token = text_of(result, row, column + 1, arena)};
	out->secrets = split_of(result, row, column + 2, arena, '\n', out->secret, ALERT_SECRETS_MAX);
	out->headers = split_of(result, row, column + 3, arena, '\n', out->header, ALERT_HEADERS_MAX);
}

/* How a number of ALERT_EVENT_FIELDS is read, by its type. */
#define CELL_INT2 pg_i64
#define CELL_INT4 pg_i64
#define CELL_INT8 pg_i64
#define CELL_BOOL pg_bool

void row_alert_event(const PGresult *result, int row, int column, struct arena *arena, struct alert_event *out)
{
	int at = column + 9;

	*out = (struct alert_event){
		.id = pg_i64(result, row, column),
		.seq = pg_i64(result, row, column + 1),
		.at_us = pg_i64(result, row, column + 2),
		.tenant = text_of(result, row, column + 3, arena),
		.rule = text_of(result, row, column + 4, arena),
		.kind = (enum alert_kind)pg_i64(result, row, column + 5),
		.severity = (enum alert_severity)pg_i64(result, row, column + 6),
		.account_kind = (enum account_kind)pg_i64(result, row, column + 7),
		.account = text_of(result, row, column + 8, arena),
	};
#define TEXT(name) out->name = text_of(result, row, at++, arena);
#define NUMBER(name, type) out->name = CELL_##type(result, row, at++);
	ALERT_EVENT_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
}

int args_alert_fields(struct pg_args *args)
{
	int first = args->count;

#define TEXT(name) pg_arg_array(args, PG_TEXT);
#define NUMBER(name, type) pg_arg_array(args, PG_##type);
	ALERT_EVENT_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
	return first;
}

void args_alert_event(struct pg_args *args, int first, const struct alert_event *event)
{
#define TEXT(name) pg_array_text(args, first++, event->name);
#define NUMBER(name, type) pg_array_int(args, first++, event->name);
	ALERT_EVENT_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
}
