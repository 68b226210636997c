/* Events, sums and reports, and their packed form. Anyone who can publish may have written what is read: check every
 * bound. */
#include "domain/watch.h"

#include <string.h>

#include "base/crypto/hash.h"
#include "base/utf8.h"
#include "base/text/pack.h"

enum { FORM = 2, EVENT_MIN = 60 };

static const int draw_most[WATCH_DRAWS] = {DRAW_MAX, DRAW_MAX, DRAW_WATCHED_MAX};

bool watch_is_denial(const struct watch_event *event)
{
	return event->kind == WATCH_REFUSAL || (event->kind == WATCH_CHECK && !event->allowed);
}

/* xorshift64: fast, and uniform enough for sampling. */
static uint64_t next(uint64_t *chance)
{
	*chance ^= *chance << 13;
	*chance ^= *chance >> 7;
	*chance ^= *chance << 17;
	return *chance;
}

/* Algorithm R. */
int watch_place(int64_t *seen, int *kept, int most, uint64_t *chance)
{
	uint64_t place;

	++*seen;
	if (*kept < most)
		return (*kept)++;
	place = next(chance) % (uint64_t)*seen;
	return place < (uint64_t)most ? (int)place : -1;
}

void watch_totals_count(struct watch_totals *totals, const struct watch_event *event)
{
	struct watch_totals one = {0};

	if (event->kind == WATCH_CHECK && event->allowed)
		one.allowed = 1;
	else if (event->kind == WATCH_CHECK)
		one.denied[event->reason] = 1;
	else if (event->kind == WATCH_RECORD)
		one = (struct watch_totals){
			.records = 1, .input = event->input, .output = event->output, .cost = event->cost};
	else if (event->kind == WATCH_CANCEL)
		one.cancels = 1;
	else if (event->kind == WATCH_GRANT)
		one.grants = 1;
	else
		one.refusals = 1;
	watch_totals_add(totals, &one);
}

/* The struct holds nothing but consecutive int64_t sums. */
enum { SUMS = sizeof(struct watch_totals) / sizeof(int64_t) };
_Static_assert(sizeof(struct watch_totals) == SUMS * sizeof(int64_t), "only sums");
_Static_assert(SUMS == REASON_COUNT + 8, "all of them");

static int64_t *sums_of(struct watch_totals *totals)
{
	return &totals->allowed;
}

void watch_totals_add(struct watch_totals *totals, const struct watch_totals *more)
{
	struct watch_totals copy = *more;
	int64_t *to = sums_of(totals), *from = sums_of(&copy);

	for (int i = 0; i < SUMS; i++)
		if (__builtin_add_overflow(to[i], from[i], &to[i]))
			to[i] = INT64_MAX;
}

int64_t watch_totals_denied(const struct watch_totals *totals)
{
	int64_t sum = 0;

	for (int i = 0; i < REASON_COUNT; i++)
		if (__builtin_add_overflow(sum, totals->denied[i], &sum))
			return INT64_MAX;
	return sum;
}

uint64_t watch_user_hash(const char *tenant, const char *user)
{
	char both[2 * (ID_MAX + 1)];
	size_t tenant_len = strlen(tenant) + 1, user_len = strlen(user);

	if (tenant_len > ID_MAX + 1 || user_len > ID_MAX)
		return 0;
	memcpy(both, tenant, tenant_len);
	memcpy(both + tenant_len, user, user_len);
	return hash64(both, tenant_len + user_len);
}

void watch_event_pack(const struct watch_event *event, struct buf *out)
{
	buf_put_u8(out, (uint8_t)event->kind);
	buf_put_u8(out, event->allowed);
	buf_put_u8(out, (uint8_t)event->reason);
	buf_put_u8(out, (uint8_t)event->quality);
	buf_put_u8(out, (uint8_t)event->account_kind);
	buf_put_i64(out, event->at_us);
	buf_put_i64(out, event->input);
	buf_put_i64(out, event->output);
	buf_put_i64(out, event->cost);
	buf_put_i64(out, event->waited_us);
	text_put(out, event->limit);
	text_put(out, event->user);
	text_put(out, event->request_id);
	text_put(out, event->interface);
	text_put(out, event->model);
	text_put(out, event->tier);
	text_put(out, event->pool);
	text_put(out, event->cause);
}

/* Callers get it in messages, where text must be UTF-8. */
static const char *name_cut(struct cut *cut, struct arena *arena)
{
	const char *text = text_cut(cut, arena);
	size_t len = strlen(text);

	if (len > ID_MAX || !utf8_valid(text, len))
		cut->bad = true;
	return text;
}

static int64_t sum_cut(struct cut *cut)
{
	int64_t sum = cut_i64(cut);

	if (sum < 0)
		cut->bad = true;
	return sum;
}

bool watch_event_read(struct cut *cut, struct arena *arena, struct watch_event *out)
{
	uint8_t kind = cut_u8(cut), allowed = cut_u8(cut), reason = cut_u8(cut), quality = cut_u8(cut),
		account = cut_u8(cut);

	*out = (struct watch_event){
		.kind = (enum watch_kind)kind,
		.allowed = allowed != 0,
		.reason = (enum reason)reason,
		.quality = quality,
		.account_kind = (enum account_kind)account,
		.at_us = sum_cut(cut),
	};
	out->input = sum_cut(cut);
	out->output = sum_cut(cut);
	out->cost = sum_cut(cut);
	out->waited_us = sum_cut(cut);
	out->limit = name_cut(cut, arena);
	out->user = name_cut(cut, arena);
	out->request_id = name_cut(cut, arena);
	out->interface = name_cut(cut, arena);
	out->model = name_cut(cut, arena);
	out->tier = name_cut(cut, arena);
	out->pool = name_cut(cut, arena);
	out->cause = name_cut(cut, arena);
	if (kind < WATCH_CHECK || kind >= WATCH_KINDS || reason >= REASON_COUNT || quality > WATCH_QUALITY_MAX ||
		account > ACCOUNT_TENANT)
		cut->bad = true;
	return !cut->bad;
}

void watch_head_pack(const struct watch_report *report, struct buf *out)
{
	buf_put_u8(out, FORM);
	buf_put_u64(out, report->worker);
	buf_put_u32(out, report->number);
	buf_put_i64(out, report->from_us);
	buf_put_i64(out, report->to_us);
	text_put(out, report->server);
	buf_put_u8(out, (uint8_t)report->users);
	for (int i = 0; i < report->users; i++)
		buf_put_u64(out, report->user[i]);
	buf_put_u8(out, (uint8_t)report->parts);
}

void watch_part_pack(const char *tenant, const struct watch_totals *totals, struct buf *out)
{
	struct watch_totals copy = *totals;
	const int64_t *sums = sums_of(&copy);

	text_put(out, tenant);
	for (int i = 0; i < SUMS; i++)
		buf_put_i64(out, sums[i]);
}

void watch_sample_pack(int64_t seen, int count, struct buf *out)
{
	buf_put_i64(out, seen);
	buf_put_u16(out, (uint16_t)count);
}

static bool head_read(struct cut *cut, struct arena *arena, struct watch_report *out)
{
	if (cut_u8(cut) != FORM)
		return false;
	*out = (struct watch_report){.worker = cut_u64(cut)};
	out->number = cut_u32(cut);
	out->from_us = sum_cut(cut);
	out->to_us = sum_cut(cut);
	out->server = name_cut(cut, arena);
	out->users = cut_u8(cut);
	if (out->users > WATCH_USERS_MAX)
		return false;
	for (int i = 0; i < out->users; i++)
		out->user[i] = cut_u64(cut);
	out->parts = cut_u8(cut);
	return !cut->bad && out->from_us <= out->to_us && out->parts <= WATCH_TENANTS_MAX;
}

static bool sample_read(struct cut *cut, struct arena *arena, int most, struct watch_sample *out)
{
	out->seen = sum_cut(cut);
	out->count = cut_u16(cut);
	if (cut->bad || out->count > most || out->count > out->seen || (size_t)out->count * EVENT_MIN > cut->left ||
		(out->seen && !out->count))
		return false;
	out->event = arena_zalloc(arena, (size_t)out->count + 1, sizeof(out->event[0]));
	for (int i = 0; i < out->count; i++)
		if (!watch_event_read(cut, arena, &out->event[i]))
			return false;
	return true;
}

static bool part_read(struct cut *cut, struct arena *arena, struct watch_part *out)
{
	int64_t *sums = sums_of(&out->totals);

	out->tenant = name_cut(cut, arena);
	for (int i = 0; i < SUMS; i++)
		sums[i] = sum_cut(cut);
	for (int i = 0; i < WATCH_DRAWS; i++)
		if (!sample_read(cut, arena, draw_most[i], &out->sample[i]))
			return false;
	return !cut->bad && out->tenant[0];
}

bool watch_report_read(const void *bytes, size_t len, struct arena *arena, struct watch_report *out)
{
	struct cut cut = cut_of(bytes, len);

	if (!head_read(&cut, arena, out))
		return false;
	out->part = arena_zalloc(arena, (size_t)out->parts + 1, sizeof(out->part[0]));
	for (int i = 0; i < out->parts; i++)
		if (!part_read(&cut, arena, &out->part[i]))
			return false;
	return !cut.bad && cut.left == 0;
}
