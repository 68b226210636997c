/* Events as JSON, as docs/alerts.md has the table: the names and forms of AlertEvent in the API's JSON, so that one reader does for both. */
#include <stdio.h>
#include <string.h>

#include "base/text/json_token.h"
#include "base/units.h"
#include "domain/alert/message/body.h"
#include "domain/time/date.h"

static void put_name(const char *name, struct buf *out)
{
	char last = out->len ? out->data[out->len - 1] : '{';

	buf_put_str(out, last == '{' || last == '[' ? "\"" : ",\"");
	buf_put_str(out, name);
	buf_put_str(out, "\":");
}

static void put_text(const char *name, const char *text, struct buf *out)
{
	put_name(name, out);
	json_write_text(text, out);
}

/* A 64-bit number is a text: readers in JavaScript would lose digits beyond 2^53. */
static void put_long(const char *name, int64_t value, struct buf *out)
{
	put_name(name, out);
	buf_put_str(out, "\"");
	buf_put_dec(out, value);
	buf_put_str(out, "\"");
}

static void put_int(const char *name, int64_t value, struct buf *out)
{
	put_name(name, out);
	buf_put_dec(out, value);
}

/* An enumerator of the API: its prefix, and our own name of it in upper case. */
static void put_enum(const char *name, const char *prefix, const char *value, struct buf *out)
{
	put_name(name, out);
	buf_put_str(out, "\"");
	buf_put_str(out, prefix);
	for (const char *at = value ? value : "UNSPECIFIED"; *at; at++) {
		char upper = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);

		buf_put(out, &upper, 1);
	}
	buf_put_str(out, "\"");
}

static const char *kind_of(const struct alert_event *event)
{
	static const char *const names[ALERT_KIND_END] = {NULL, "threshold", "projected", "anomaly", "denial",
		"suspended", "tier", "starving", "ledger_lag", "drift", "prices_old", "unpriced", "key_ends", "test"};

	return event->kind > 0 && event->kind < ALERT_KIND_END ? names[event->kind] : NULL;
}

static const char *severity_of(const struct alert_event *event)
{
	static const char *const names[] = {NULL, "info", "warning", "critical"};

	return event->severity >= ALERT_INFO && event->severity <= ALERT_CRITICAL ? names[event->severity] : NULL;
}

static const char *dimension_of(const struct alert_event *event)
{
	static const char *const names[DIM_COUNT] = {
#define ROW(NAME, number, name, ...) [DIM_##NAME] = name,
		DIMENSIONS(ROW)
#undef ROW
	};

	return event->dimension >= 0 && event->dimension < DIM_COUNT ? names[event->dimension] : NULL;
}

static const char *window_of(const struct alert_event *event)
{
	static const char *const names[WINDOW_COUNT] = {"day", "week", "month"};

	return event->unit >= 0 && event->unit < WINDOW_COUNT ? names[event->unit] : NULL;
}

/* Without the braces. `text`: what the channel says of it. */
static void put_event(const struct alert_event *event, const char *text, struct buf *out)
{
	put_long("id", event->id, out);
	put_long("cursor", event->seq, out);
	put_long("at_us", event->at_us, out);
	put_text("tenant", event->tenant, out);
	put_text("rule", event->rule, out);
	put_enum("kind", "ALERT_KIND_", kind_of(event), out);
	put_enum("severity", "ALERT_SEVERITY_", severity_of(event), out);
	put_enum("account_kind", "ACCOUNT_KIND_", account_kind_name(event->account_kind), out);
	put_text("account", event->account, out);
	put_text("text", text, out);
	put_text("limit", event->limit_name, out);
	put_enum("dimension", "DIMENSION_", dimension_of(event), out);
	put_enum("window", "CALENDAR_WINDOW_", window_of(event), out);
	put_long("window_start_us", event->window_start_us, out);
	put_long("window_end_us", event->window_end_us, out);
	put_long("used", event->used, out);
	put_long("amount", event->amount, out);
	put_int("percent", event->percent, out);
	put_long("threshold", event->threshold, out);
	put_text("subject", event->subject, out);
	put_text("before", event->before, out);
	put_text("after", event->after, out);
	put_name("lifted", out);
	buf_put_str(out, event->lifted ? "true" : "false");
	put_long("age_us", event->age_us, out);
	put_long("count", event->count, out);
}

/* RFC 3339. */
static void put_time(int64_t at_us, struct buf *out)
{
	int64_t days = floor_div(at_us, DAY_US), rest = at_us - days * DAY_US;
	char date[DATE_TEXT];

	put_name("timestamp", out);
	buf_putf(out, "\"%sT%02d:%02d:%02d.%06dZ\"", date_format(days, date), (int)(rest / HOUR_US),
		(int)(rest / MINUTE_US % 60), (int)(rest / SECOND_US % 60), (int)(rest % SECOND_US));
}

static const char *event_text(const struct draft *draft, int index)
{
	struct buf text = {0};
	const char *made;

	if (draft->channel->body[0])
		return draft_item(draft, index);
	alert_event_text(draft->events[index], draft->language, &text);
	made = arena_strndup(draft->arena, buf_str(&text), text.len);
	buf_release(&text);
	return made;
}

void draft_json(const struct draft *draft, struct buf *out)
{
	bool several = draft->count > 1 || draft->more;

	buf_put_str(out, "{");
	put_text("type", several ? "bursar.alerts" : "bursar.alert", out);
	put_time(draft->events[draft->count - 1]->at_us, out);
	put_name("data", out);
	buf_put_str(out, "{");
	put_text("title", draft->title, out);
	if (!several) {
		put_event(draft->events[0], event_text(draft, 0), out);
	} else {
		put_long("more", draft->more, out);
		put_name("events", out);
		for (int i = 0; i < draft->count; i++) {
			buf_put_str(out, i ? ",{" : "[{");
			put_event(draft->events[i], event_text(draft, i), out);
			buf_put_str(out, "}");
		}
		buf_put_str(out, "]");
	}
	buf_put_str(out, "}}");
}
