/*
 * The ledger role on lists instead of Redis and PostgreSQL: what it acknowledges when, and what a failure leaves
 * behind.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "fakes.h"
#include "lib/examples.h"
#include "lib/test.h"
#include "service/ledger/chores.h"

#define ENTRIES 16
#define EVENTS 1024

/* An outbox entry; its partition is its user's number. */
struct stored {
	bool there;
	int partition;
	char id[OUTBOX_ID_MAX];
	struct buf bytes;
};

static struct fake fake;
static struct timers timers;
static struct wait *waiting; /* the role's tick */
static struct outbox_store outbox;
static struct ledger_store ledger;
static struct admin_store admin;
static struct ledger_role *role;
static struct stored stored[ENTRIES];
static int entries;
/* What the ledger knows, and how the stores behave. */
static char known[ENTRIES][128], origins[ENTRIES][OUTBOX_ID_MAX + 20];
static int rows;
static bool ledger_away, takeback_fails, stopped, change_pending;
static int64_t change_age_us,
	change_again_us; /* the change's age; in how long the role wants to look again (-1: as before) */
static int busy_partition;
static bool bell_works;
static void (*rung)(void *arg); /* the role waits for entries; NULL: it does not */
static void *rung_arg;
static char trail[512]; /* what happened, in order */
static struct fake_event events[EVENTS];
static int event_count;

static void later(void (*run)(void *), void *op)
{
	assert_true(event_count < EVENTS);
	events[event_count++] = (struct fake_event){run, op};
}

static void outbox_answer(void *op)
{
	((struct outbox_op *)op)->done(op);
}

static void ledger_answer(void *op)
{
	((struct ledger_op *)op)->done(op);
}

static void outbox_ok(struct outbox_op *op)
{
	op->ok = true;
	later(outbox_answer, op);
}

static void ledger_ok(struct ledger_op *op)
{
	op->ok = true;
	later(ledger_answer, op);
}

static void note(const char *what, const char *which)
{
	size_t n = strlen(trail);

	snprintf(trail + n, sizeof(trail) - n, "%s%s %s", n ? ", " : "", what, which);
}

static void add_entry(int partition, const char *id, const char *request_id)
{
	struct stored *one = &stored[entries++];
	struct arena arena = {0};
	struct entry entry;

	entry_example(&entry, &arena, arena_printf(&arena, "u%d", partition), request_id);
	entry.started_at_us = entry.at_us = fake.now_us;
	*one = (struct stored){.there = true, .partition = partition};
	snprintf(one->id, sizeof(one->id), "%s", id);
	entry_pack(&entry, &one->bytes);
	arena_release(&arena);
}

static void fake_waiting(struct outbox_store *store, struct outbox_waiting *op)
{
	(void)store;
	for (int p = 0; p < PARTITIONS; p++) {
		uint64_t n = 0;
		for (int i = 0; i < entries; i++)
			n += stored[i].there && stored[i].partition == p;
		if (n) {
			op->waiting[op->count].partition = p;
			op->waiting[op->count++].entries = n;
		}
		op->entries += n;
	}
	outbox_ok(&op->op);
}

static void fake_drain(struct outbox_store *store, struct outbox_drain *op)
{
	(void)store;
	snprintf(op->generation, sizeof(op->generation), "%016d", op->partition);
	op->entry = arena_zalloc(op->op.arena, ENTRIES, sizeof(*op->entry));
	for (int i = 0; i < entries && op->count < op->limit; i++) {
		if (!stored[i].there || stored[i].partition != op->partition)
			continue;
		snprintf(op->entry[op->count].id, OUTBOX_ID_MAX, "%s", stored[i].id);
		op->entry[op->count].bytes = (const uint8_t *)stored[i].bytes.data;
		op->entry[op->count++].len = stored[i].bytes.len;
	}
	op->entries = (uint64_t)op->count;
	outbox_ok(&op->op);
}

static void fake_ack(struct outbox_store *store, struct outbox_ack *op)
{
	(void)store;
	for (int i = 0; i < entries; i++) {
		if (stored[i].partition == op->partition && strcmp(stored[i].id, op->last) <= 0)
			stored[i].there = false;
	}
	note("ack", op->last);
	outbox_ok(&op->op);
}

static void fake_takeback(struct outbox_store *store, struct outbox_takeback *op)
{
	(void)store;
	op->op.ok = !takeback_fails;
	for (int i = 0; i < entries && op->op.ok; i++) {
		if (stored[i].there && strcmp(stored[i].id, op->id) == 0) {
			stored[i].there = false;
			op->taken = true;
		}
	}
	note(op->taken ? "takeback" : "no takeback", op->id);
	later(outbox_answer, &op->op);
}

static void fake_charge(struct outbox_store *store, struct outbox_charge *op)
{
	(void)store;
	note("charge", op->entry->info.request_id);
	outbox_ok(&op->op);
}

static void fake_overdue(struct outbox_store *store, struct outbox_overdue *op)
{
	(void)store;
	op->op.ok = true;
	later(outbox_answer, &op->op);
}

static void fake_sweep(struct outbox_store *store, struct outbox_sweep *op)
{
	(void)store;
	outbox_ok(&op->op);
}

static void fake_raise(struct outbox_store *store, struct outbox_raise *op)
{
	(void)store;
	outbox_ok(&op->op);
}

static void fake_counters(struct outbox_store *store, struct outbox_counters *op)
{
	(void)store;
	op->absent = true;
	outbox_ok(&op->op);
}

static bool fake_when_any(struct outbox_store *store, void (*told)(void *arg), void *arg)
{
	(void)store;
	rung = bell_works ? told : NULL;
	rung_arg = arg;
	return rung != NULL;
}

static const struct outbox_store_ops outbox_ops = {.waiting = fake_waiting,
	.drain = fake_drain,
	.ack = fake_ack,
	.takeback = fake_takeback,
	.charge = fake_charge,
	.overdue = fake_overdue,
	.sweep = fake_sweep,
	.raise = fake_raise,
	.counters = fake_counters,
	.when_any = fake_when_any};

static enum ledger_fate fate_of(struct ledger_item *item)
{
	if (item->partition == busy_partition)
		return LEDGER_BUSY;
	for (int i = 0; i < rows; i++) {
		if (strcmp(known[i], item->entry->info.request_id) == 0)
			return strcmp(origins[i], item->origin) == 0 ? LEDGER_REPEAT : LEDGER_DOUBLE;
	}
	snprintf(known[rows], sizeof(known[0]), "%s", item->entry->info.request_id);
	snprintf(origins[rows++], sizeof(origins[0]), "%s", item->origin);
	return LEDGER_WRITTEN;
}

static void fake_write(struct ledger_store *store, struct ledger_write *op)
{
	(void)store;
	op->op.ok = !ledger_away;
	if (ledger_away)
		err_set(&op->op.err, ERR_UNAVAILABLE, "away");
	for (int i = 0; i < op->count && op->op.ok; i++) {
		op->item[i].entry = arena_zalloc(op->op.arena, 1, sizeof(struct entry));
		assert_true(entry_unpack(op->item[i].bytes, op->item[i].len, op->op.arena, op->item[i].entry));
		op->item[i].fate = fate_of(&op->item[i]);
	}
	later(ledger_answer, &op->op);
}

static void fake_upkeep(struct ledger_store *store, struct ledger_upkeep *op)
{
	(void)store;
	note("upkeep", "");
	ledger_ok(&op->op);
}

static void fake_windows(struct ledger_store *store, struct ledger_windows *op)
{
	(void)store;
	ledger_ok(&op->op);
}

static void fake_changes(struct ledger_store *store, struct ledger_changes *op)
{
	(void)store;
	op->change = arena_zalloc(op->op.arena, 1, sizeof(*op->change));
	op->count = change_pending;
	op->change[0].key = (struct account_key){ACCOUNT_USER, "default", "ann"};
	op->change[0].age_us = change_age_us;
	ledger_ok(&op->op);
}

static void fake_lease(struct ledger_store *store, struct ledger_lease *op)
{
	(void)store;
	op->held = strcmp(op->name, "upkeep") != 0 || busy_partition < 0;
	ledger_ok(&op->op);
}

static const struct ledger_store_ops ledger_ops = {.write = fake_write,
	.upkeep = fake_upkeep,
	.windows = fake_windows,
	.changes = fake_changes,
	.lease = fake_lease};

static void admin_answer(void *op)
{
	((struct admin_job *)op)->done(op);
}

static void fake_confirm(struct admin_store *store, struct account_confirm *op)
{
	(void)store;
	op->job.ok = true;
	if (op->count > 0 && op->note->again_us == 0)
		change_pending = false;
	change_again_us = op->count > 0 ? op->note->again_us : -1;
	assert_true(op->count == 0 || op->note->version == 3);
	later(admin_answer, &op->job);
}

/* ann's two overrides, some of which have ended by the role's time. */
static struct limit overrides[2];
static int override_count;

static void fake_ends(struct admin_store *store, struct override_ends *op)
{
	(void)store;
	op->job.ok = true;
	op->key = arena_zalloc(op->job.arena, 1, sizeof(*op->key));
	op->key[0] = (struct account_key){ACCOUNT_USER, "default", "ann"};
	for (int i = 0; i < override_count; i++)
		op->count |= limit_ended(&overrides[i], op->now_us);
	later(admin_answer, &op->job);
}

static void fake_change(struct admin_store *store, struct account_change *op)
{
	(void)store;
	op->row.profile =
		(struct account_profile){.version = 3, .overrides = overrides, .override_count = override_count};
	op->job.ok = op->change(op, &op->row, &op->job.err);
	if (op->job.ok) {
		override_count = op->row.profile.override_count;
		note(op->job.actor, op->key.id);
	}
	later(admin_answer, &op->job);
}

/* Nothing is due (tests/e2e/test_allowances.py has the rest). */
static void fake_next(struct admin_store *store, struct allowance_next *op)
{
	(void)store;
	op->job.ok = true;
	later(admin_answer, &op->job);
}

static const struct admin_store_ops admin_ops = {.account_confirm = fake_confirm,
	.override_ends = fake_ends,
	.account_change = fake_change,
	.allowance_next = fake_next};

static void timers_start(struct timers *self, struct wait *wait, int64_t delay_us)
{
	(void)self;
	wait->at_us = clock_mono_us() + delay_us;
	assert_null(waiting);
	waiting = wait;
}

static void timers_cancel(struct timers *self, struct wait *wait)
{
	(void)self;
	if (waiting == wait)
		waiting = NULL;
}

static void answer_all(void)
{
	do {
		int n = event_count;
		for (int i = 0; i < n; i++)
			events[i].run(events[i].op);
		memmove(events, events + n, (size_t)(event_count - n) * sizeof(events[0]));
		event_count -= n;
		fake_run(&fake);
	} while (event_count > 0 || fake.events > 0);
}

/* Runs a tick and answers everything that it starts. */
static void tick(void)
{
	struct wait *due = waiting;

	waiting = NULL;
	if (due) /* else all chores are under way */
		due->due(due);
	answer_all();
}

/* Ticks until the role asks for its outboxes again, however long it pauses after a failure. */
static void tick_until_empty(void)
{
	for (int i = 0; i < 2000; i++) {
		int left = 0;
		tick();
		for (int k = 0; k < entries; k++)
			left += stored[k].there;
		if (left == 0)
			return;
		struct timespec pause = {.tv_nsec = 1000000};
		nanosleep(&pause, NULL);
	}
	fail_msg("entries are left");
}

/* Ticks until the change's note has been dropped. */
static void tick_until_changed(void)
{
	for (int i = 0; i < 5000 && change_pending; i++) {
		struct timespec pause = {.tv_nsec = 1000000};
		tick();
		nanosleep(&pause, NULL);
	}
	assert_false(change_pending);
}

static int begin(void **state)
{
	(void)state;
	fake_init(&fake);
	entries = rows = event_count = override_count = 0;
	waiting = NULL;
	ledger_away = takeback_fails = stopped = change_pending = false;
	change_age_us = 60000000;
	busy_partition = -1;
	bell_works = false;
	rung = NULL;
	trail[0] = '\0';
	timers = (struct timers){.start = timers_start, .cancel = timers_cancel};
	outbox.ops = &outbox_ops;
	ledger.ops = &ledger_ops;
	admin.ops = &admin_ops;
	fake.worker->parts.timers = &timers;
	fake.worker->parts.admin = &admin;
	role = ledger_role_start(
		&(struct ledger_role_options){.worker = fake.worker, .outbox = &outbox, .ledger = &ledger});
	return 0;
}

static void on_stopped(void *arg)
{
	(void)arg;
	stopped = true;
}

static int end(void **state)
{
	(void)state;
	if (!stopped)
		ledger_role_stop(role, on_stopped, NULL);
	while (!stopped)
		tick();
	for (int i = 0; i < entries; i++)
		buf_release(&stored[i].bytes);
	fake_release(&fake);
	return 0;
}

#define WITH_ROLE(name) TEST_WITH(name, begin, end)

WITH_ROLE(what_the_ledger_has_is_acknowledged)
{
	add_entry(1, "1-0", "a");
	add_entry(1, "2-0", "b");
	add_entry(7, "3-0", "c");
	tick();
	assert_int_equal(rows, 3);
	assert_non_null(strstr(trail, "ack 2-0"));
	assert_non_null(strstr(trail, "ack 3-0"));
	assert_string_equal(origins[0] + 16, origins[0][15] == '1' ? ":1-0" : ":3-0");
}

static int64_t pause_us(void)
{
	return role->pump[0].chore.next_us - clock_mono_us();
}

/* The intervals of the other chores are longer. */
WITH_ROLE(empty_outboxes_are_left_alone_until_the_store_tells_of_an_entry)
{
	const int64_t poll_us = 50000, most_us = 4 * poll_us, rare_us = 1000000;

	fake.conf.ledger_poll_ms = 50;
	bell_works = true;
	tick();
	assert_non_null(rung);
	assert_in_range(pause_us(), most_us + 1, rare_us);
	add_entry(1, "1-0", "a");
	rung(rung_arg);
	assert_in_range(pause_us() + rare_us, 1, poll_us + rare_us);
	assert_in_range(waiting->at_us - clock_mono_us() + rare_us, 1, poll_us + rare_us);
	tick_until_empty();
	assert_non_null(strstr(trail, "ack 1-0"));
}

WITH_ROLE(a_store_that_cannot_tell_is_asked_more_and_more_rarely)
{
	fake.conf.ledger_poll_ms = 50;
	for (int i = 0; i < 4; i++) {
		role->pump[0].chore.next_us = 0;
		tick();
		assert_in_range(role->pump[0].chore.interval_us, 50000, 200000);
	}
	assert_int_equal(role->pump[0].chore.interval_us, 200000);
}

WITH_ROLE(a_double_charge_is_taken_back_before_later_entries_are_acknowledged)
{
	snprintf(known[0], sizeof(known[0]), "b");
	snprintf(origins[0], sizeof(origins[0]), "elsewhere");
	rows = 1;
	busy_partition = 200;
	add_entry(1, "1-0", "a");
	add_entry(1, "2-0", "b");
	add_entry(1, "3-0", "c");
	tick();
	assert_string_equal(trail, "takeback 2-0, ack 3-0");
}

WITH_ROLE(nothing_after_a_failed_takeback_is_acknowledged)
{
	snprintf(known[0], sizeof(known[0]), "b");
	snprintf(origins[0], sizeof(origins[0]), "elsewhere");
	rows = 1;
	busy_partition = 200;
	takeback_fails = true;
	add_entry(1, "1-0", "a");
	add_entry(1, "2-0", "b");
	add_entry(1, "3-0", "c");
	tick();
	assert_true(strncmp(trail, "no takeback 2-0, ack 1-0", 24) == 0);
	assert_null(strstr(trail, "ack 3-0"));
	takeback_fails = false;
	trail[0] = '\0';
	tick_until_empty();
	assert_string_equal(trail, "takeback 2-0, ack 3-0");
}

WITH_ROLE(what_another_writer_has_is_left_alone)
{
	busy_partition = 1;
	add_entry(1, "1-0", "a");
	add_entry(2, "2-0", "b");
	tick();
	assert_string_equal(trail, "ack 2-0");
	assert_true(stored[0].there);
	busy_partition = 200;
	tick_until_empty();
	assert_int_equal(rows, 2);
}

WITH_ROLE(without_a_ledger_nothing_is_acknowledged_until_it_is_back)
{
	busy_partition = 200;
	ledger_away = true;
	add_entry(1, "1-0", "a");
	tick();
	assert_string_equal(trail, "");
	ledger_away = false;
	tick_until_empty();
	assert_string_equal(trail, "ack 1-0");
}

WITH_ROLE(a_change_is_written_through_and_confirmed)
{
	struct fake_row *row = fake_row_add(&fake, ACCOUNT_USER, "ann", 3);

	(void)state, (void)row;
	change_pending = true;
	tick();
	assert_int_equal(fake.policies, 1);
	assert_false(change_pending);
}

WITH_ROLE(an_override_that_has_ended_is_taken_away_and_another_stays)
{
	fake_row_add(&fake, ACCOUNT_USER, "ann", 2);
	for (int i = 0; i < 2; i++) {
		overrides[i] = (struct limit){
			.dimension = DIM_REQUESTS, .kind = KIND_CALENDAR, .unit = (enum window_unit)i, .amount = 5};
		assert_true(limit_prepare(&overrides[i], NULL));
	}
	overrides[0].until_us = fake.now_us - 1;
	overrides[1].until_us = fake.now_us + INT64_C(3600000000);
	override_count = 2;
	tick();
	assert_int_equal(override_count, 1);
	assert_int_equal(overrides[0].unit, WINDOW_WEEK);
	assert_int_equal(fake.policies, 1);
	assert_non_null(strstr(trail, "bursard ann"));
}

/* A worker may be about to seed it with the profile from before the change. */
WITH_ROLE(a_change_of_a_record_that_is_absent_is_looked_at_again_with_growing_pauses)
{
	fake_row_add(&fake, ACCOUNT_USER, "ann", 3);
	change_pending = true;
	change_age_us = 3000000;
	tick();
	assert_true(change_pending);
	assert_int_equal(change_again_us, 4000000);
	change_age_us = 11000000;
	tick_until_changed();
	assert_false(change_pending);
}

WITH_ROLE(the_last_look_at_a_record_that_is_absent_comes_when_nobody_can_make_it_any_more)
{
	fake_row_add(&fake, ACCOUNT_USER, "ann", 3);
	change_pending = true;
	change_age_us = 7000000;
	tick();
	assert_true(change_pending);
	assert_int_equal(change_again_us, 3000001);
}

WITH_ROLE(a_change_that_redis_did_not_answer_stays_due)
{
	fake_row_add(&fake, ACCOUNT_USER, "ann", 3);
	fake.away = true;
	change_pending = true;
	tick();
	assert_true(change_pending);
	assert_int_equal(change_again_us, -1);
	fake.away = false;
	fake.accounts = 0;
	tick_until_changed();
}

WITH_ROLE(a_stop_waits_for_the_batch_that_is_under_way)
{
	struct wait *due = waiting;

	busy_partition = 200;
	add_entry(1, "1-0", "a");
	waiting = NULL;
	due->due(due);
	ledger_role_stop(role, on_stopped, NULL);
	answer_all();
	assert_string_equal(trail, "ack 1-0");
	assert_true(stopped);
	assert_null(waiting);
}
