/* Compares two JSON objects field by field (audit_change.h). They are table rows: flat, except for lists of limits. */
#include "cli/report/audit_change.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bursar/v1/admin.pb-c.h"
#include "cli/text/format.h"
#include "cli/text/limit_spec.h"

/* The maximum number of fields shown, and of bytes of a value; --json shows everything. */
enum { NEW_MAX = 6, VALUE_MAX = 60 };

/*
 * Fields not shown: those that every change touches, and those that the entry already shows, such as the name and the
 * reason.
 */
static const char *const untold[] = {"id", "name", "kind", "tenant", "model", "provider", "version", "epoch", "gen",
	"position", "created_at", "updated_at", "zone_kept_us", "suspended_reason", NULL};

/* Prices per token, in pico-USD. */
static const char *const prices[] = {
	"input", "output", "cached_input", "cache_write", "reasoning", "audio_input", "audio_output", NULL};

static bool is_among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

static const ProtobufCEnumDescriptor *enum_of(const char *key, const char **prefix)
{
	static const struct {
		const char *key, *prefix;
		const ProtobufCEnumDescriptor *descriptor;
	} rows[] = {
		{"role", "ROLE_", &bursar__v1__role__descriptor},
		{"fail_policy", "FAIL_POLICY_", &bursar__v1__fail_policy__descriptor},
		{"unknown_users", "UNKNOWN_USERS_", &bursar__v1__unknown_users__descriptor},
		{"unknown_model", "UNKNOWN_MODEL_", &bursar__v1__unknown_model__descriptor},
		{"cost_source", "COST_SOURCE_", &bursar__v1__cost_source__descriptor},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*prefix = rows[i].prefix;
		if (strcmp(rows[i].key, key) == 0)
			return rows[i].descriptor;
	}
	return NULL;
}

static void put_number(struct buf *out, const char *key, int64_t number)
{
	const char *prefix;
	const ProtobufCEnumDescriptor *descriptor = enum_of(key, &prefix);

	if (descriptor)
		put_enum(out, descriptor, (int)number, prefix);
	else if (is_among(prices, key))
		put_money(out, number * 1000); /* pico-USD per token are micro-USD per million tokens */
	else if (ends_in(key, "from_us") || ends_in(key, "to_us") || ends_in(key, "until_us"))
		put_time(out, number);
	else if (ends_in(key, "_us"))
		put_duration(out, number);
	else
		buf_putf(out, "%" PRId64, number);
}

/* Whether the value is a default that nobody has set. */
static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) || json_is_false(value) ||
	       (json_is_string(value) && !*json_string_value(value)) ||
	       (json_is_integer(value) && json_integer_value(value) == 0) ||
	       ((json_is_array(value) || json_is_object(value)) &&
		       json_array_size(value) + json_object_size(value) == 0);
}

static void put_value(struct buf *out, const char *key, const json_t *value)
{
	char *text;

	if (json_is_boolean(value))
		buf_put_str(out, json_is_true(value) ? "yes" : "no");
	else if (json_is_integer(value))
		put_number(out, key, json_integer_value(value));
	else if (is_empty(value))
		buf_put_str(out, "none");
	else if (json_is_string(value))
		buf_put_str(out, json_string_value(value));
	else if ((text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY))) {
		buf_putf(out, "%.*s%s", VALUE_MAX, text, strlen(text) > VALUE_MAX ? "..." : "");
		free(text);
	}
}

static const char *text_of(const json_t *limit, const char *key)
{
	const char *text = json_string_value(json_object_get(limit, key));

	return text ? text : "";
}

static int64_t number_of(const json_t *limit, const char *key)
{
	return json_integer_value(json_object_get(limit, key));
}

/* Appends the limit as it is typed. The database counts dimensions, kinds and windows from 0, the API from 1. */
static void put_limit(struct buf *out, const json_t *row)
{
	Bursar__V1__Limit limit = BURSAR__V1__LIMIT__INIT;

	limit.dimension = (Bursar__V1__Dimension)(number_of(row, "dimension") + 1);
	limit.kind = (Bursar__V1__LimitKind)(number_of(row, "kind") + 1);
	if (limit.kind == BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR)
		limit.window = (Bursar__V1__CalendarWindow)(number_of(row, "unit") + 1);
	limit.amount = number_of(row, "amount");
	limit.period_us = number_of(row, "period_us");
	limit.burst = number_of(row, "burst");
	limit.interface = (char *)text_of(row, "interface");
	limit.model = (char *)text_of(row, "model");
	limit.shadow = json_is_true(json_object_get(row, "shadow"));
	limit.until_us = number_of(row, "until_us");
	limit_spec_put(out, &limit, false);
}

static const json_t *limit_named(const json_t *limits, const char *name)
{
	for (size_t i = 0; i < json_array_size(limits); i++)
		if (strcmp(text_of(json_array_get(limits, i), "name"), name) == 0)
			return json_array_get(limits, i);
	return NULL;
}

/* Compares limits by name: "a -> b" for a changed one, "+b" for a new one, "-a" for a removed one. */
static void put_limits(struct buf *out, const json_t *before, const json_t *after)
{
	struct buf was = {0}, now = {0};
	const char *separator = "";

	for (size_t i = 0; i < json_array_size(after); i++) {
		const json_t *limit = json_array_get(after, i), *old = limit_named(before, text_of(limit, "name"));

		put_limit(&now, limit);
		if (old)
			put_limit(&was, old);
		if (strcmp(buf_str(&was), buf_str(&now)) != 0) {
			buf_putf(out, "%s%s%s%s", separator, old ? buf_str(&was) : "+", old ? " -> " : "",
				buf_str(&now));
			separator = ", ";
		}
		buf_reset(&was);
		buf_reset(&now);
	}
	for (size_t i = 0; i < json_array_size(before); i++) {
		const json_t *limit = json_array_get(before, i);

		if (limit_named(after, text_of(limit, "name")))
			continue;
		buf_putf(out, "%s-", separator);
		put_limit(out, limit);
		separator = ", ";
	}
	buf_release(&was);
	buf_release(&now);
}

static void put_key(struct buf *out, const char *key)
{
	size_t len = strlen(key) - (ends_in(key, "_us") || ends_in(key, "_at") ? 3 : 0);

	for (size_t i = 0; i < len; i++)
		buf_put(out, key[i] == '_' ? " " : &key[i], 1);
	buf_put_str(out, ": ");
}

static void put_field(struct buf *out, const char *key, const json_t *was, const json_t *now, bool both)
{
	size_t begun = out->len;

	if (begun)
		buf_put_str(out, "; ");
	put_key(out, key);
	size_t empty = out->len;
	if (strcmp(key, "limits") == 0) {
		put_limits(out, was, now);
		if (out->len == empty) /* quiet, warn or the order */
			buf_put_str(out, "notifications or order");
		return;
	}
	if (both) {
		put_value(out, key, was);
		buf_put_str(out, " -> ");
	}
	put_value(out, key, now);
}

static void put_new(struct buf *out, const json_t *now)
{
	const char *key;
	json_t *value;
	int told = 0, more = 0;

	buf_put_str(out, "new");
	json_object_foreach((json_t *)now, key, value)
	{
		if (is_among(untold, key) || is_empty(value))
			continue;
		if (told++ < NEW_MAX)
			put_field(out, key, NULL, value, false);
		else
			more++;
	}
	if (more)
		buf_putf(out, "; and %d more", more);
}

static void put_changes(struct buf *out, const json_t *was, const json_t *now)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)now, key, value)
	{
		const json_t *old = json_object_get(was, key);

		if (!is_among(untold, key) && !json_equal(old, value) && !(is_empty(old) && is_empty(value)))
			put_field(out, key, old, value, true);
	}
	json_object_foreach((json_t *)was, key, value) if (!is_among(untold, key) && !json_object_get(now, key) &&
							   !is_empty(value)) put_field(out, key, value, NULL, true);
}

void audit_change_put(struct buf *out, const char *before, const char *details)
{
	json_t *was = json_loads(before, JSON_DECODE_ANY, NULL), *now = json_loads(details, JSON_DECODE_ANY, NULL);
	struct buf line = {0};

	if (json_is_object(was) && json_is_object(now))
		put_changes(&line, was, now);
	else if (json_is_object(now))
		put_new(&line, now);
	else if (json_is_object(was))
		buf_put_str(&line, "deleted");
	buf_put(out, line.data, line.len);
	buf_release(&line);
	json_decref(was);
	json_decref(now);
}
