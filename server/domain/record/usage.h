/*
 * What the ledger knows about an account's calendar windows: a row for each window, interface and model. Any calendar
 * limit, even a new one, can be computed from them.
 */
#ifndef BURSAR_DOMAIN_RECORD_USAGE_H
#define BURSAR_DOMAIN_RECORD_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/limit/decision.h"

struct usage_window {
	enum window_unit unit;
	int64_t window_start; /* us */
	bool reset; /* a reset began the window here; nothing was used in this row */
	const char *model; /* as it was counted; in the arena of whoever read it */
	uint64_t interface_hash,
		model_hash; /* selector_hash of what was counted; for the model, of what its name resolves to today, if known */
	struct amounts used;
};

/* Rows of windows that started before this may be deleted: no window of the unit that runs at now_us started earlier. */
int64_t usage_since_us(enum window_unit unit, int64_t now_us);

/* Where the running window starts according to the ledger: at `start`, given by the calendar, or at the last reset
 * since. */
int64_t usage_start(
	const struct usage_window *windows, int count, enum window_unit unit, int64_t start, int64_t now_us);

/* The latest start after now_us: of a window begun too early by the store's clock; 0 when there is none. */
int64_t usage_ahead(const struct usage_window *windows, int count, int64_t now_us);

/*
 * What requests matching the selectors (0 = all) used of `dimension` since `start` (of the running window). Rows after
 * now_us, from a time when the store's clock was ahead, do not count. At most COUNT_MAX.
 */
int64_t usage_of(const struct usage_window *windows, int count, enum window_unit unit, enum dimension dimension,
	uint64_t interface_hash, uint64_t model_hash, int64_t start, int64_t now_us);

#endif
