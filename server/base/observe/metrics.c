/*
 * Each thread counts in its own shard, with plain loads and stores that are atomic only for the reader's sake; printing
 * sums the shards. A locked add on a shared cell would bounce its cache line between all workers.
 * Gauges that are set live in one more shard, `common`. Shards outlive their threads, because counters must not fall.
 */
#include "base/observe/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/observe/metric_names.h"

enum type { COUNTER, GAUGE, SECONDS, TIME, SIZE };

/* The upper bounds of a histogram's buckets; one more bucket and the sum follow them. */
static const int64_t time_ends[] = {
	50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 5000000, 30000000};
static const int64_t size_ends[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};
enum { ENDS = 16, BUCKETS = ENDS + 1 };
_Static_assert((int)BUCKETS == (int)METRIC_BUCKETS, "one bucket for each end, and one for the rest");
_Static_assert(sizeof(time_ends) / sizeof(time_ends[0]) == ENDS && sizeof(size_ends) == sizeof(time_ends), "ends");

struct label_set {
	const char *label;
	const char *const *values;
};

struct row {
	const char *name;
	const char *help;
	enum type type;
	const struct label_set *sets[2];
	unsigned counts[2];
	unsigned cells;
};

#define VALUE_TEXT(set, name, text) text,
#define SET_TABLE(set, label_) \
	static const char *const values_##set[] = {METRIC_SET_##set(VALUE_TEXT)}; \
	static const struct label_set set_##set = {.label = (label_), .values = values_##set};
METRIC_LABEL_SETS(SET_TABLE)
static const struct label_set set_METHOD = {.label = "method", .values = metric_methods};
static const struct label_set set_TIER = {.label = "tier", .values = metric_tiers};
static const struct label_set set_INTERFACE = {.label = "interface", .values = metric_interfaces};

static const struct row rows[] = {
#define METRIC(name_, type_, a, b, help_) \
	{.name = #name_, \
		.help = (help_), \
		.type = (type_), \
		.sets = {&set_##a, &set_##b}, \
		.counts = {METRIC_##a##_COUNT, METRIC_##b##_COUNT}, \
		.cells = METRIC_CELLS_##type_},
#include "base/observe/metrics.def"
#undef METRIC
};

struct shard {
	struct shard *next;
	_Atomic int64_t cells[METRIC_CELL_COUNT];
};

static pthread_mutex_t shards_lock = PTHREAD_MUTEX_INITIALIZER;
static struct shard *shards;
static struct shard common;
_Thread_local _Atomic int64_t *metric_own;

void metric_shard_open(void)
{
	struct shard *shard = mem_zalloc(1, sizeof(*shard));

	pthread_mutex_lock(&shards_lock);
	shard->next = shards;
	shards = shard;
	pthread_mutex_unlock(&shards_lock);
	metric_own = shard->cells;
}

static int64_t cell_sum(unsigned cell)
{
	int64_t sum = atomic_load_explicit(&common.cells[cell], memory_order_relaxed);

	pthread_mutex_lock(&shards_lock);
	for (struct shard *shard = shards; shard; shard = shard->next)
		sum += atomic_load_explicit(&shard->cells[cell], memory_order_relaxed);
	pthread_mutex_unlock(&shards_lock);
	return sum;
}

void metric_set(enum metric metric, unsigned a, unsigned b, int64_t value)
{
	atomic_store_explicit(&common.cells[metric_cell(metric, a, b)], value, memory_order_relaxed);
}

void metric_observe(enum metric metric, unsigned a, unsigned b, int64_t value)
{
	const struct row *row = &rows[metric];
	const int64_t *ends = row->type == SIZE ? size_ends : time_ends;
	unsigned cell = metric_cell((enum metric)(row - rows), a, b);
	unsigned bucket = 0;

	while (bucket < ENDS && value > ends[bucket])
		bucket++;
	metric_cell_add(cell + bucket, 1);
	metric_cell_add(cell + BUCKETS, value);
}

int64_t metric_value(enum metric metric, unsigned a, unsigned b)
{
	const struct row *row = &rows[metric];
	unsigned cell = metric_cell((enum metric)(row - rows), a, b);
	int64_t sum = 0;

	if (row->cells == 1)
		return cell_sum(cell);
	for (unsigned i = 0; i < BUCKETS; i++)
		sum += cell_sum(cell + i);
	return sum;
}

/* Writes "{method="/x",code="OK"" or nothing; the caller adds the closing brace. True when something was written. */
static bool print_labels(struct buf *out, const struct row *row, unsigned a, unsigned b)
{
	unsigned at[2] = {a, b};
	bool any = false;

	for (int i = 0; i < 2; i++) {
		if (!row->sets[i]->label[0])
			continue;
		buf_putf(out, "%s%s=\"", any ? "," : "{", row->sets[i]->label);
		metrics_put_label(out, row->sets[i]->values[at[i]]);
		buf_put_str(out, "\"");
		any = true;
	}
	return any;
}

/* Microseconds as seconds, digit by digit: no float and none of its stray digits. */
static void print_seconds(struct buf *out, int64_t us)
{
	buf_putf(out, "%" PRId64 ".%06d", us / 1000000, (int)(us % 1000000));
}

static void print_amount(struct buf *out, const struct row *row, int64_t value)
{
	if (row->type == TIME || row->type == SECONDS)
		print_seconds(out, value < 0 ? 0 : value);
	else
		buf_putf(out, "%" PRId64, value);
}

static void print_plain(struct buf *out, const struct row *row, unsigned a, unsigned b)
{
	int64_t value = cell_sum(metric_cell((enum metric)(row - rows), a, b));

	if (value == 0 && row->counts[0] * row->counts[1] > 1)
		return;
	buf_putf(out, "bursar_%s", row->name);
	if (print_labels(out, row, a, b))
		buf_put_str(out, "}");
	buf_put_str(out, " ");
	print_amount(out, row, value);
	buf_put_str(out, "\n");
}

static void print_histogram(struct buf *out, const struct row *row, unsigned a, unsigned b)
{
	const int64_t *ends = row->type == SIZE ? size_ends : time_ends;
	unsigned cell = metric_cell((enum metric)(row - rows), a, b);
	int64_t count = 0;

	if (row->counts[0] * row->counts[1] > 1 && metric_value((enum metric)(row - rows), a, b) == 0)
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		count += cell_sum(cell + i);
		buf_putf(out, "bursar_%s_bucket", row->name);
		buf_put_str(out, print_labels(out, row, a, b) ? ",le=\"" : "{le=\"");
		if (i < ENDS)
			print_amount(out, row, ends[i]);
		else
			buf_put_str(out, "+Inf");
		buf_putf(out, "\"} %" PRId64 "\n", count);
	}
	buf_putf(out, "bursar_%s_sum", row->name);
	buf_put_str(out, print_labels(out, row, a, b) ? "} " : " ");
	print_amount(out, row, cell_sum(cell + BUCKETS));
	buf_putf(out, "\nbursar_%s_count", row->name);
	buf_put_str(out, print_labels(out, row, a, b) ? "} " : " ");
	buf_putf(out, "%" PRId64 "\n", count);
}

static void print_row(struct buf *out, const struct row *row)
{
	for (unsigned a = 0; a < row->counts[0]; a++) {
		for (unsigned b = 0; b < row->counts[1]; b++) {
			/* A value that has no name yet was never counted. */
			if (!row->sets[0]->values[a])
				continue;
			if (row->cells == 1)
				print_plain(out, row, a, b);
			else
				print_histogram(out, row, a, b);
		}
	}
}

void metrics_print(struct buf *out)
{
	static const char *const types[] = {"counter", "gauge", "counter", "histogram", "histogram"};

	metric_names_lock();
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct row *row = &rows[i];

		buf_putf(out, "# HELP bursar_%s %s\n# TYPE bursar_%s %s\n", row->name, row->help, row->name,
			types[row->type]);
		print_row(out, row);
	}
	metric_names_unlock();
}
