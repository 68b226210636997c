/* HTTP headers, as structured fields (RFC 9651) where the draft asks for them. */
#include "domain/text/headers.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/units.h"
#include "domain/time/date.h"

#define ROOM 500 /* what eight limits take, so that the buffers need not grow */
#define LIST_MAX 2000 /* bytes of RateLimit-Policy, and of RateLimit */
#define WAIT_MAX_S INT64_C(2147483)
#define SHORT_WAIT_US (5 * SECOND_US) /* below it milliseconds are worth telling */
#define LONG_WAIT_US (60 * SECOND_US) /* nobody should wait longer inside a call */
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
static void put_plain_name(const struct header_limit *row, struct buf *out)
{
	if (row->account_kind != ACCOUNT_USER) {
		buf_put_str(out, account_kind_name(row->account_kind));
		buf_put_str(out, ".");
	}
	if (row->limit->name[0])
		buf_put_str(out, row->limit->name);
	else
		buf_putf(out, "%08" PRIx32, row->limit->id);
}

static void put_name(const struct header_limit *row, struct buf *out)
{
	buf_put_str(out, out->len ? ", \"" : "\"");
	put_plain_name(row, out);
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

static void add(struct header out[HEADERS_MAX], int *count, const char *name, const char *value)
{
	out[(*count)++] = (struct header){.name = name, .value = value};
}

/* Both lists, without row `skip`. False when a row does not fit: it is left out. */
static bool put_lists(
	const struct header_limit limits[], int count, int skip, int64_t now_us, struct buf *policy, struct buf *state)
{
	bool fits = true;

	for (int i = 0; i < count; i++) {
		size_t policy_len = policy->len, state_len = state->len;

		if (limits[i].limit->shadow || i == skip)
			continue;
		put_policy(&limits[i], policy);
		put_state(&limits[i], now_us, state);
		if (policy->len > LIST_MAX || state->len > LIST_MAX) {
			policy->len = policy_len;
			state->len = state_len;
			fits = false;
		}
	}
	return fits;
}

static void add_lists(const struct header_limit limits[], int count, int first, int64_t now_us, struct arena *arena,
	struct header out[HEADERS_MAX], int *n)
{
	struct buf policy = {0};
	struct buf state = {0};

	buf_reserve(&policy, ROOM);
	buf_reserve(&state, ROOM);
	if (!put_lists(limits, count, -1, now_us, &policy, &state) && first >= 0) {
		buf_reset(&policy);
		buf_reset(&state);
		put_lists(&limits[first], 1, -1, now_us, &policy, &state);
		put_lists(limits, count, first, now_us, &policy, &state);
	}
	if (policy.len) {
		add(out, n, "RateLimit-Policy", arena_strndup(arena, policy.data, policy.len));
		add(out, n, "RateLimit", arena_strndup(arena, state.data, state.len));
	}
	buf_release(&policy);
	buf_release(&state);
}

static const char *number(struct arena *arena, int64_t value)
{
	return arena_printf(arena, "%" PRId64, value);
}

/* Timers of JavaScript take more than 2^31 - 1 ms for "at once". */
static int64_t wait_seconds(const struct header_decision *decision)
{
	int64_t seconds = seconds_up(decision->retry_after_us);

	return seconds < WAIT_MAX_S ? seconds : WAIT_MAX_S;
}

static void add_denial(const struct header_limit limits[], const struct header_decision *decision, struct arena *arena,
	struct header out[HEADERS_MAX], int *n)
{
	bool waits = !decision->permanent && decision->retry_after_us > 0;
	struct buf name = {0};

	add(out, n, "X-Bursar-Reason", reason_name(decision->reason));
	if (decision->binding >= 0) {
		put_plain_name(&limits[decision->binding], &name);
		add(out, n, "X-Bursar-Limit", arena_strndup(arena, name.data, name.len));
		buf_release(&name);
	}
	if (waits)
		add(out, n, "Retry-After", number(arena, wait_seconds(decision)));
	if (waits && decision->retry_after_us < SHORT_WAIT_US)
		add(out, n, "retry-after-ms", number(arena, (decision->retry_after_us + 999) / 1000));
	/* The SDKs of OpenAI and Anthropic otherwise wait inside the call, for an hour if need be. */
	if (decision->permanent || decision->retry_after_us > LONG_WAIT_US)
		add(out, n, "x-should-retry", "false");
}

int headers_make(const struct header_limit limits[], int count, const struct header_decision *decision,
	struct arena *arena, struct header out[HEADERS_MAX])
{
	int told = decision->denied ? decision->binding : tightest(limits, count);
	int n = 0;

	add_lists(limits, count, told, decision->now_us, arena, out, &n);
	if (told >= 0) {
		const struct figures *at = &limits[told].figures;

		add(out, &n, "X-RateLimit-Limit", number(arena, at->effective));
		add(out, &n, "X-RateLimit-Remaining", number(arena, at->remaining));
		if (!decision->denied)
			add(out, &n, "X-RateLimit-Reset",
				number(arena, seconds_up(at->resets_at_us - decision->now_us)));
		else if (!decision->permanent)
			add(out, &n, "X-RateLimit-Reset", number(arena, wait_seconds(decision)));
	}
	if (decision->denied)
		add_denial(limits, decision, arena, out, &n);
	return n;
}
