/* A table under a lock: written a few times a second at most, read by scrapers. */
#include "service/pool/board.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/observe/metrics.h"

struct board_row {
	char tenant[ID_MAX + 1], pool[POOL_NAME_MAX + 1];
	bool seen;
	struct pool_stats stats; /* without its pointers, which are not used */
	struct pool_shares shares;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct board_row rows[POOL_BOARD_MAX];
static int row_count;

/* NULL if the board is full. Call it with the lock held. */
static struct board_row *row_of(const char *tenant, const char *pool)
{
	struct board_row *row;

	for (int i = 0; i < row_count; i++)
		if (strcmp(rows[i].tenant, tenant) == 0 && strcmp(rows[i].pool, pool) == 0)
			return &rows[i];
	if (row_count == POOL_BOARD_MAX || strlen(tenant) > ID_MAX || strlen(pool) > POOL_NAME_MAX)
		return NULL;
	row = &rows[row_count++];
	*row = (struct board_row){.seen = false};
	strcpy(row->tenant, tenant);
	strcpy(row->pool, pool);
	return row;
}

void pool_board_note(const char *tenant, const char *pool)
{
	pthread_mutex_lock(&lock);
	row_of(tenant, pool);
	pthread_mutex_unlock(&lock);
}

void pool_board_write(
	const char *tenant, const char *pool, const struct pool_stats *stats, const struct pool_shares *shares)
{
	struct board_row *row;

	pthread_mutex_lock(&lock);
	row = row_of(tenant, pool);
	if (row) {
		row->seen = true;
		row->stats = *stats;
		row->shares = *shares;
	}
	pthread_mutex_unlock(&lock);
}

void pool_board_clear(void)
{
	pthread_mutex_lock(&lock);
	row_count = 0;
	pthread_mutex_unlock(&lock);
}

bool pool_board_at(int at, char tenant[ID_MAX + 1], char pool[POOL_NAME_MAX + 1])
{
	bool there;

	pthread_mutex_lock(&lock);
	there = at < row_count;
	if (there) {
		strcpy(tenant, rows[at].tenant);
		strcpy(pool, rows[at].pool);
	}
	pthread_mutex_unlock(&lock);
	return there;
}

/* One figure for each pool, each of its levels, or each cause of refusal. */
struct family {
	const char *name, *type, *help;
	enum { PER_POOL, PER_LEVEL, PER_SHED } per;
	int decimals;
	double (*value)(const struct board_row *row, int at);
};

#define POOL_VALUE(name, expression) \
	static double value_##name(const struct board_row *row, int at) \
	{ \
		(void)at; \
		return (double)(expression); \
	}
POOL_VALUE(slots, row->stats.slots)
POOL_VALUE(running, row->stats.running)
POOL_VALUE(oldest_wait, (double)row->stats.oldest_wait_us / 1e6)
POOL_VALUE(oldest_eligible_wait, (double)row->stats.oldest_eligible_wait_us / 1e6)
POOL_VALUE(starving, row->stats.starving)
POOL_VALUE(mean_hold, (double)row->stats.mean_hold_us / 1e6)
POOL_VALUE(learning, row->stats.learning_us > 0)
POOL_VALUE(paused, row->stats.paused)
POOL_VALUE(at_once, row->stats.granted_at_once)
POOL_VALUE(waited, row->stats.granted_waited)
POOL_VALUE(aged, row->stats.granted_aged)
POOL_VALUE(expired, row->stats.expired)
POOL_VALUE(timed_out, row->stats.timed_out)
POOL_VALUE(jain, row->shares.jain)
POOL_VALUE(level_waiting, row->stats.level_row[at].waiting)
POOL_VALUE(level_running, row->stats.level_row[at].running)
POOL_VALUE(level_granted, row->stats.level_row[at].granted)
POOL_VALUE(slot_seconds, (double)row->stats.level_row[at].seat_us / 1e6)
POOL_VALUE(share, row->shares.share[at])
POOL_VALUE(entitled, row->shares.entitled[at])
POOL_VALUE(shed, row->stats.shed[at])

static const struct family families[] = {
	{"slots", "gauge", "Slots of the pool.", PER_POOL, 0, value_slots},
	{"running", "gauge", "Slots in use.", PER_POOL, 0, value_running},
	{"oldest_wait_seconds", "gauge", "How long the longest waiter has waited.", PER_POOL, 3, value_oldest_wait},
	{"oldest_eligible_wait_seconds", "gauge", "The same, only for requests that could run now.", PER_POOL, 3,
		value_oldest_eligible_wait},
	{"starving", "gauge", "Requests that have waited longer than the pool's starve time.", PER_POOL, 0,
		value_starving},
	{"mean_hold_seconds", "gauge", "How long a slot is held, moving average.", PER_POOL, 3, value_mean_hold},
	{"learning", "gauge", "1: nothing is granted after a fail-over until all leases are known or have ended.",
		PER_POOL, 0, value_learning},
	{"paused", "gauge", "1: an admin paused the pool, so nothing is granted.", PER_POOL, 0, value_paused},
	{"granted_at_once_total", "counter", "Requests that did not wait.", PER_POOL, 0, value_at_once},
	{"granted_waited_total", "counter", "Requests granted after waiting.", PER_POOL, 0, value_waited},
	{"granted_aged_total", "counter", "Of these, requests granted through the aged lane.", PER_POOL, 0, value_aged},
	{"expired_total", "counter", "Leases that expired.", PER_POOL, 0, value_expired},
	{"timed_out_total", "counter", "Requests that reached their maximum wait.", PER_POOL, 0, value_timed_out},
	{"jain_index", "gauge", "Jain's index of shares against entitled shares: 1 is perfectly fair.", PER_POOL, 4,
		value_jain},
	{"waiting", "gauge", "Requests in the queue.", PER_LEVEL, 0, value_level_waiting},
	{"running_by_priority", "gauge", "Slots in use by a priority.", PER_LEVEL, 0, value_level_running},
	{"granted_total", "counter", "Grants.", PER_LEVEL, 0, value_level_granted},
	{"slot_seconds_total", "counter", "Slot time used.", PER_LEVEL, 3, value_slot_seconds},
	{"share", "gauge", "Share of the slot time that all priorities used.", PER_LEVEL, 4, value_share},
	{"entitled_share", "gauge", "Share by weight among the priorities that use or want slots.", PER_LEVEL, 4,
		value_entitled},
	{"shed_total", "counter", "Requests refused at once, by cause.", PER_SHED, 0, value_shed},
};

static void put_value(struct buf *out, const struct family *family, const struct board_row *row, int at)
{
	static const char *const causes[] = {"pool_queue", "level_queue", "user_queue", "predicted", "levels"};

	buf_putf(out, "bursar_pool_%s{tenant=\"", family->name);
	metrics_put_label(out, row->tenant);
	buf_put_str(out, "\",pool=\"");
	metrics_put_label(out, row->pool);
	if (family->per == PER_LEVEL)
		buf_putf(out, "\",priority=\"%d", row->stats.level_row[at].priority);
	else if (family->per == PER_SHED)
		buf_putf(out, "\",cause=\"%s", causes[at]);
	buf_putf(out, "\"} %.*f\n", family->decimals, family->value(row, at));
}

static void put_family(struct buf *out, const struct family *family)
{
	buf_putf(out, "# HELP bursar_pool_%s %s\n# TYPE bursar_pool_%s %s\n", family->name, family->help, family->name,
		family->type);
	for (int i = 0; i < row_count; i++) {
		const struct board_row *row = &rows[i];
		int count = family->per == PER_POOL ? 1 : family->per == PER_SHED ? 5 : row->stats.level_rows;

		for (int at = 0; row->seen && at < count; at++)
			put_value(out, family, row, at);
	}
}

void pool_board_print(struct buf *out)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; row_count > 0 && i < sizeof(families) / sizeof(families[0]); i++)
		put_family(out, &families[i]);
	pthread_mutex_unlock(&lock);
}
