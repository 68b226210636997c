/*
 * What live views show: single decisions, and exact sums of them. A worker gathers its decisions and sends them to all
 * watchers in one report; docs/store.md has its layout.
 */
#ifndef BURSAR_DOMAIN_WATCH_H
#define BURSAR_DOMAIN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "domain/limit/decision.h"

enum watch_kind { WATCH_CHECK = 1, WATCH_RECORD, WATCH_CANCEL, WATCH_GRANT, WATCH_REFUSAL }; /* = bursar.v1.WatchKind */
#define WATCH_KINDS (WATCH_REFUSAL + 1)
#define WATCH_QUALITY_MAX 5

/* Strings are never NULL, "" where unknown. */
struct watch_event {
	enum watch_kind kind;
	bool allowed; /* a check */
	enum reason reason; /* of a denial */
	int quality; /* of a check: = bursar.v1.Quality, at most WATCH_QUALITY_MAX */
	enum account_kind account_kind; /* whose limit denied; 0 = no limit did */
	const char *limit; /* its name */
	int64_t at_us;
	int64_t input, output, cost; /* a check: what it holds; a record: what it charged */
	int64_t waited_us; /* for a slot */
	const char *user, *request_id, *interface, *model, *tier;
	const char *pool; /* grants and refusals */
	const char *cause; /* of a refusal: its reason, as the caller got it */
};

/* True when a caller was refused: a denied check or a refused acquire. */
bool watch_is_denial(const struct watch_event *event);

/* Exact sums. */
struct watch_totals {
	int64_t allowed, denied[REASON_COUNT];
	int64_t records, cancels, grants, refusals;
	int64_t input, output, cost; /* recorded */
};
void watch_totals_count(struct watch_totals *totals, const struct watch_event *event);
/* Saturates at INT64_MAX. */
void watch_totals_add(struct watch_totals *totals, const struct watch_totals *more);
int64_t watch_totals_denied(const struct watch_totals *totals);

/*
 * Samples of single events, by tenant: one of denials, one of all others, and separately all events of users who are
 * watched by name. `seen` counts all of them; the `count` reported ones were drawn from them with equal chances.
 */
enum watch_draw { DRAW_DENIALS, DRAW_OTHERS, DRAW_WATCHED, WATCH_DRAWS };
/*
 * Reservoir sampling: the place among `most` that one more event takes, so that each event seen is kept with the same
 * probability; -1: none. Counts the event. `chance` is any number but 0, and is advanced.
 */
int watch_place(int64_t *seen, int *kept, int most, uint64_t *chance);
enum { DRAW_MAX = 25, DRAW_WATCHED_MAX = 256, WATCH_TENANTS_MAX = 16, WATCH_USERS_MAX = 64 };

struct watch_sample {
	int64_t seen;
	int count;
	struct watch_event *event;
};
struct watch_part {
	const char *tenant;
	struct watch_totals totals;
	struct watch_sample sample[WATCH_DRAWS];
};
struct watch_report {
	uint64_t worker; /* random, chosen by its loop */
	uint32_t number; /* increases by one with each report of a worker; a gap means that reports are missing */
	int64_t from_us, to_us;
	const char *server; /* "host:pid" */
	int users; /* users watched by name, as far as this worker knows: watch_user_hash */
	uint64_t user[WATCH_USERS_MAX];
	int parts;
	struct watch_part *part;
};

uint64_t watch_user_hash(const char *tenant, const char *user);

void watch_event_pack(const struct watch_event *event, struct buf *out);
bool watch_event_read(struct cut *cut, struct arena *arena, struct watch_event *out);

/* A report is sent in pieces: the head, then for each tenant its name and sums, then each sample's head and packed
 * events. */
void watch_head_pack(const struct watch_report *report, struct buf *out);
void watch_part_pack(const char *tenant, const struct watch_totals *totals, struct buf *out);
void watch_sample_pack(int64_t seen, int count, struct buf *out);
/* False when the bytes are not a report, or contain what no worker would send. Everything is in the arena. */
bool watch_report_read(const void *bytes, size_t len, struct arena *arena, struct watch_report *out);

#endif
