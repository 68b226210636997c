/* HTTP headers, as structured fields (RFC 9651) where the draft asks for them. */
#include "domain/headers.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "domain/date.h"

#define SECOND_US INT64_C(1000000)
#define DAY_S INT64_C(86400)
#define ROOM 500 /* what eight limits take, so that the buffers need not grow */
#define FIELD_MAX INT64_C(999999999999999) /* an integer of a structured field has at most 15 digits */

static int64_t seconds_up(int64_t us)
{
	return us > 0 ? (us + SECOND_US - 1) / SECOND_US : 0;
}

static int64_t field_integer(int64_t n)
{
	return n < 0 ? 0 : n > FIELD_MAX ? FIELD_MAX : n;
}

/* Names are a-z 0-9 _ - by limit_prepare; one whose name is unknown goes by its id. */
static void put_name(const struct header_limit *row, struct buf *out)
{
	const char *prefix = row->account_kind == ACCOUNT_USER ? "" : account_kind_name(row->account_kind);

	buf_put_str(out, out->len ? ", \"" : "\"");
	buf_put_str(out, prefix);
	if (*prefix)
		buf_put_str(out, ".");
	if (row->limit->name[0])
		buf_put_str(out, row->limit->name);
	else
		buf_putf(out, "%08" PRIx32, row->limit->id);
	buf_put_str(out, "\"");
}

static const char *quota_unit(enum dimension dimension)
{
	static const char *const units[DIM_COUNT] = {
		"requests", "tokens", "input-tokens", "output-tokens", "nano-usd", "concurrent-requests"};

	return units[dimension];
}

/* The length of a window in seconds, as the calendar counts its days; 0 for a level. */
static int64_t window_seconds(const struct header_limit *row)
{
	int64_t year;
	int month;
	int day;

	if (row->limit->kind == KIND_LEVEL)
		return 0;
	if (row->limit->kind == KIND_BUCKET)
		return seconds_up(row->limit->period_us);
	if (row->limit->unit != WINDOW_MONTH)
		return row->limit->unit == WINDOW_DAY ? DAY_S : 7 * DAY_S;
	/* A day before the end is inside the month in whatever zone. */
	date_of(floor_div(row->figures.resets_at_us, DAY_S * SECOND_US) - 1, &year, &month, &day);
	return (date_days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - date_days(year, month, 1)) *
	       DAY_S;
}

static void put_parameter(struct buf *out, const char *name, int64_t value)
{
	buf_put_str(out, name);
	buf_put_dec(out, value);
}

static void put_policy(const struct header_limit *row, struct buf *out)
{
	int64_t quota = row->limit->kind == KIND_CALENDAR ? row->figures.effective : row->limit->amount;
	int64_t window = window_seconds(row);

	put_name(row, out);
	put_parameter(out, ";q=", field_integer(quota));
	buf_put_str(out, ";qu=\"");
	buf_put_str(out, quota_unit(row->limit->dimension));
	buf_put_str(out, "\"");
	if (window)
		put_parameter(out, ";w=", field_integer(window));
}

static void put_state(const struct header_limit *row, int64_t now_us, struct buf *out)
{
	put_name(row, out);
	put_parameter(out, ";r=", field_integer(row->figures.remaining));
	if (row->limit->kind != KIND_LEVEL)
		put_parameter(out, ";t=", seconds_up(row->figures.resets_at_us - now_us));
}

/* The limit with the least part remaining; -1 when all are shadows. */
static int tightest(const struct header_limit limits[], int count)
{
	int found = -1;

	for (int i = 0; i < count; i++) {
		const struct figures *at = &limits[i].figures;
		const struct figures *best = found < 0 ? NULL : &limits[found].figures;

		if (limits[i].limit->shadow)
			continue;
		if (!best || (__int128)at->remaining * best->effective < (__int128)best->remaining * at->effective)
			found = i;
	}
	return found;
}

/* `buf` is only lent, and its content forgotten. */
static const char *number(struct arena *arena, struct buf *buf, int64_t value)
{
	buf_reset(buf);
	buf_put_dec(buf, value);
	return arena_strndup(arena, buf->data, buf->len);
}

static void add(struct header out[HEADERS_MAX], int *count, const char *name, const char *value)
{
	out[(*count)++] = (struct header){.name = name, .value = value};
}

int headers_make(const struct header_limit limits[], int count, int binding, int64_t now_us, int64_t retry_after_us,
	struct arena *arena, struct header out[HEADERS_MAX])
{
	struct buf policy = {0};
	struct buf state = {0};
	int n = 0;

	buf_reserve(&policy, ROOM);
	buf_reserve(&state, ROOM);
	for (int i = 0; i < count; i++) {
		if (limits[i].limit->shadow)
			continue;
		put_policy(&limits[i], &policy);
		put_state(&limits[i], now_us, &state);
	}
	if (policy.len) {
		add(out, &n, "RateLimit-Policy", arena_strndup(arena, policy.data, policy.len));
		add(out, &n, "RateLimit", arena_strndup(arena, state.data, state.len));
	}
	if (binding < 0)
		binding = tightest(limits, count);
	if (binding >= 0 && binding < count) {
		const struct figures *at = &limits[binding].figures;

		add(out, &n, "X-RateLimit-Limit", number(arena, &state, at->effective));
		add(out, &n, "X-RateLimit-Remaining", number(arena, &state, at->remaining));
		add(out, &n, "X-RateLimit-Reset", number(arena, &state, seconds_up(at->resets_at_us - now_us)));
	}
	if (retry_after_us > 0)
		add(out, &n, "Retry-After", number(arena, &state, seconds_up(retry_after_us)));
	buf_release(&policy);
	buf_release(&state);
	return n;
}
