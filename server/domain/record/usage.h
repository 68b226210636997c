/*
 * What the ledger knows of an account's calendar windows: a row for each window, interface and model. Any calendar limit, also one that
 * is new, can be answered from them.
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
		model_hash; /* selector_hash of what was counted; of the model as its name leads today, where that is known */
	struct amounts used;
};

/* Rows of windows that started before this may be forgotten: no window of the unit that runs at now_us started earlier. */
int64_t usage_since_us(enum window_unit unit, int64_t now_us);

/* Where the running window starts by the ledger: at `start`, where the calendar has it, or at the last reset since. */
int64_t usage_start(
	const struct usage_window *windows, int count, enum window_unit unit, int64_t start, int64_t now_us);

/* The latest start behind now_us, of a window that the store's clock began too early; 0 when there is none. */
int64_t usage_ahead(const struct usage_window *windows, int count, int64_t now_us);

/*
 * What was used of `dimension` since `start` (of the running window), by requests that the selectors match (0 = all). Rows behind
 * now_us, of a time when the store's clock was ahead, do not count. At most COUNT_MAX.
 */
int64_t usage_of(const struct usage_window *windows, int count, enum window_unit unit, enum dimension dimension,
	uint64_t interface_hash, uint64_t model_hash, int64_t start, int64_t now_us);

#endif
