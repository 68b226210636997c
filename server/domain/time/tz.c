/* TZif files. */
#include "domain/time/tz.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/units.h"
#include "domain/time/date.h"

enum { HEADER_SIZE = 44, TRANSITIONS_MAX = 4096 };

/* The counts of a header, in its order. */
struct counts {
	uint32_t ut, standard, leap, time, type, text;
};

static uint64_t big_endian(const uint8_t *p, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | p[i];
	return value;
}

static bool header_read(const uint8_t *p, size_t len, struct counts *out)
{
	if (len < HEADER_SIZE || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	out->ut = (uint32_t)big_endian(p + 20, 4);
	out->standard = (uint32_t)big_endian(p + 24, 4);
	out->leap = (uint32_t)big_endian(p + 28, 4);
	out->time = (uint32_t)big_endian(p + 32, 4);
	out->type = (uint32_t)big_endian(p + 36, 4);
	out->text = (uint32_t)big_endian(p + 40, 4);
	return out->time <= TRANSITIONS_MAX && out->type >= 1 && out->type <= 256;
}

static size_t block_size(const struct counts *counts, size_t time_size)
{
	return (size_t)counts->time * (time_size + 1) + (size_t)counts->type * 6 + counts->text +
	       (size_t)counts->leap * (time_size + 4) + counts->standard + counts->ut;
}

static int32_t type_offset(const uint8_t *types, size_t index)
{
	return (int32_t)(uint32_t)big_endian(types + index * 6, 4);
}

static bool offset_sane(int32_t offset)
{
	return offset > -26 * 3600 && offset < 26 * 3600;
}

static bool transitions_read(const uint8_t *p, const struct counts *counts, struct tz *tz)
{
	const uint8_t *index = p + (size_t)counts->time * 8;
	const uint8_t *types = index + counts->time;

	tz->first = type_offset(types, 0);
	tz->at = mem_zalloc(counts->time + 1, sizeof(*tz->at));
	tz->offset = mem_zalloc(counts->time + 1, sizeof(*tz->offset));
	for (uint32_t i = 0; i < counts->time; i++) {
		tz->at[i] = (int64_t)big_endian(p + (size_t)i * 8, 8);
		if (index[i] >= counts->type || (i && tz->at[i] <= tz->at[i - 1]))
			return false;
		tz->offset[i] = type_offset(types, index[i]);
		if (!offset_sane(tz->offset[i]))
			return false;
	}
	tz->count = (int)counts->time;
	return offset_sane(tz->first);
}

/* The footer is a POSIX text between two line ends; empty when the future is unknown. */
static bool footer_read(const uint8_t *p, size_t len, struct tz *tz)
{
	const uint8_t *end;

	if (len < 2 || p[0] != '\n')
		return false;
	end = memchr(p + 1, '\n', len - 1);
	if (!end)
		return false;
	tz->has_rule = end > p + 1;
	return !tz->has_rule || tz_rule_parse((const char *)p + 1, (size_t)(end - p - 1), &tz->rule);
}

bool tz_parse(const uint8_t *data, size_t len, struct tz *out)
{
	struct counts counts;
	struct tz tz = {0};
	size_t skip;
	size_t size;

	if (!header_read(data, len, &counts))
		return false;
	skip = HEADER_SIZE + block_size(&counts, 4);
	if (skip > len || !header_read(data + skip, len - skip, &counts))
		return false;
	skip += HEADER_SIZE;
	size = block_size(&counts, 8);
	if (size > len - skip)
		return false;
	if (!transitions_read(data + skip, &counts, &tz) || !footer_read(data + skip + size, len - skip - size, &tz)) {
		tz_release(&tz);
		return false;
	}
	*out = tz;
	return true;
}

void tz_release(struct tz *tz)
{
	free(tz->at);
	free(tz->offset);
	*tz = (struct tz){0};
}

static bool leap_year(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The local day of a clock change in a year. */
static int64_t change_day(const struct tz_change *change, int64_t year)
{
	int64_t first = date_days(year, 1, 1);
	int64_t next;

	if (change->form == 'D')
		return first + change->day;
	if (change->form == 'J')
		return first + change->day - 1 + (leap_year(year) && change->day >= 60);
	first = date_days(year, change->month, 1);
	next = change->month == 12 ? date_days(year + 1, 1, 1) : date_days(year, change->month + 1, 1);
	/* POSIX counts weekdays from Sunday, we from Monday. */
	first += ((change->weekday + 6) % 7 - date_weekday(first) + 7) % 7 + (change->week - 1) * 7;
	return first < next ? first : first - 7;
}

struct moment {
	int64_t at;
	int32_t offset;
};

static int moment_compare(const void *left, const void *right)
{
	const struct moment *a = left;
	const struct moment *b = right;

	return a->at < b->at ? -1 : a->at > b->at;
}

static int32_t rule_offset(const struct tz_rule *rule, int64_t at, int64_t *from, int64_t *to)
{
	struct moment moments[8];
	int count = 0;
	int64_t year;
	int month;
	int day;
	int i = 0;

	*from = INT64_MIN;
	*to = INT64_MAX;
	if (!rule->has_dst)
		return rule->standard;
	date_of(floor_div(at, DAY_S), &year, &month, &day);
	for (int64_t y = year - 1; y <= year + 2; y++) {
		moments[count++] = (struct moment){
			change_day(&rule->to_standard, y) * DAY_S + rule->to_standard.time - rule->dst, rule->standard};
		moments[count++] = (struct moment){
			change_day(&rule->to_dst, y) * DAY_S + rule->to_dst.time - rule->standard, rule->dst};
	}
	qsort(moments, (size_t)count, sizeof(moments[0]), moment_compare);
	while (i + 1 < count && moments[i + 1].at <= at)
		i++;
	*from = moments[i].at;
	*to = i + 1 < count ? moments[i + 1].at : INT64_MAX;
	return moments[i].offset;
}

int32_t tz_offset(const struct tz *tz, int64_t at, int64_t *from, int64_t *to)
{
	int low = 0;
	int high = tz->count;
	int32_t offset;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (tz->at[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == tz->count && tz->has_rule) {
		offset = rule_offset(&tz->rule, at, from, to);
		if (tz->count && *from < tz->at[tz->count - 1])
			*from = tz->at[tz->count - 1];
		return offset;
	}
	*from = low ? tz->at[low - 1] : INT64_MIN;
	*to = low < tz->count ? tz->at[low] : INT64_MAX;
	return low ? tz->offset[low - 1] : tz->first;
}

int64_t tz_reached(const struct tz *tz, int64_t local)
{
	int64_t at = local - INT64_C(27) * 3600; /* local time is certainly before it */
	int64_t from;
	int64_t to;

	for (;;) {
		int64_t reached = local - tz_offset(tz, at, &from, &to);

		if (reached < at)
			reached = at; /* the clocks jumped over it */
		if (reached < to)
			return reached;
		at = to;
	}
}
