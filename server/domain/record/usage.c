/* Sums over the ledger's windows. */
#include "domain/record/usage.h"

#include "base/units.h"
#include "domain/limit/bucket.h"

int64_t usage_since_us(enum window_unit unit, int64_t now_us)
{
	/* A window that follows a change of zone may last almost twice as long as its unit. */
	static const int days[WINDOW_COUNT] = {[WINDOW_DAY] = 3, [WINDOW_WEEK] = 15, [WINDOW_MONTH] = 63};

	return now_us - days[unit] * DAY_US;
}

int64_t usage_start(const struct usage_window *windows, int count, enum window_unit unit, int64_t start, int64_t now_us)
{
	for (int i = 0; i < count; i++)
		if (windows[i].unit == unit && windows[i].reset && windows[i].window_start > start &&
			windows[i].window_start <= now_us)
			start = windows[i].window_start;
	return start;
}

int64_t usage_ahead(const struct usage_window *windows, int count, int64_t now_us)
{
	int64_t ahead = 0;

	for (int i = 0; i < count; i++)
		if (windows[i].window_start > now_us && windows[i].window_start > ahead)
			ahead = windows[i].window_start;
	return ahead;
}

int64_t usage_of(const struct usage_window *windows, int count, enum window_unit unit, enum dimension dimension,
	uint64_t interface_hash, uint64_t model_hash, int64_t start, int64_t now_us)
{
	/* Clamped at the end: a row may lie below 0, where a correction took from what the others count. */
	__int128 used = 0;

	for (int i = 0; i < count; i++) {
		const struct usage_window *window = &windows[i];

		if (window->unit == unit && window->window_start >= start && window->window_start <= now_us &&
			(!interface_hash || interface_hash == window->interface_hash) &&
			(!model_hash || model_hash == window->model_hash))
			used += amounts_of(&window->used, dimension);
	}
	return used < 0 ? 0 : used > COUNT_MAX ? COUNT_MAX : (int64_t)used;
}
