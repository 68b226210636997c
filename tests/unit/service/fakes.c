/* The worker on fake stores: PostgreSQL, changes and timers, and what tests begin with. */
#include "fakes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "tiers_default.h"

void fake_later(struct fake *fake, void (*run)(void *op), void *op)
{
	assert(fake->events < FAKE_EVENTS_MAX);
	fake->event[fake->events++] = (struct fake_event){.run = run, .op = op};
}

void fake_run(struct fake *fake)
{
	for (int i = 0; i < fake->events; i++)
		fake->event[i].run(fake->event[i].op);
	fake->events = 0;
}

static uint64_t follow(struct changes_store *store, const struct changes_account *account, int count)
{
	struct fake_changes *changes = container_of(store, struct fake_changes, store);

	(void)account;
	changes->follows += count;
	return changes->off ? 0 : ++changes->tickets;
}

static void view(struct changes_store *store, struct changes_view *out)
{
	const struct fake_changes *changes = container_of(store, struct fake_changes, store);
	int64_t mono_us = clock_mono_us();

	*out = (struct changes_view){0};
	if (changes->off)
		return;
	*out = (struct changes_view){.session = changes->session,
		.in_effect = changes->unconfirmed ? 0 : changes->tickets,
		.heard_us = mono_us - changes->silent_us,
		.time_us = container_of(changes, struct fake, changes)->now_us - changes->silent_us,
		.ahead_us = clock_ahead_us() + (changes->step ? 1000000 : 0)};
}

static void lookup_answer(void *op)
{
	((struct account_lookup *)op)->done(op);
}

static void lookup(struct accounts_store *store, struct account_lookup *op)
{
	struct fake *fake = container_of(store, struct fake, accounts_store);

	fake->lookups++;
	op->ok = !fake->durable_away && !fake->durable_slow;
	if (fake->durable_away)
		err_set(&op->err, ERR_UNAVAILABLE, "PostgreSQL is away");
	else if (fake->durable_slow)
		err_set(&op->err, ERR_DEADLINE, "PostgreSQL has not answered");
	for (int i = 0; i < op->count; i++)
		for (int r = 0; r < fake->rows; r++)
			if (fake->row[r].kind == op->account[i].kind &&
				strcmp(fake->row[r].id, op->account[i].id) == 0) {
				op->account[i].known = true;
				op->account[i].profile = fake->row[r].profile;
				op->account[i].window = fake->row[r].window;
				op->account[i].windows = fake->row[r].windows;
			}
	fake_later(fake, lookup_answer, op);
}

static void ledger_answer(void *op)
{
	((struct ledger_lookup *)op)->done(op);
}

static void ledger(struct accounts_store *store, struct ledger_lookup *op)
{
	struct fake *fake = container_of(store, struct fake, accounts_store);

	op->ok = !fake->durable_away;
	op->found = fake->ledger_found;
	op->counted = fake->ledger_counted;
	op->amounts = (struct amounts){.requests = 1, .input = 7, .output = 3, .cost = 11};
	op->usage = (struct entry_usage){.model = "", .provider = "", .price_model = "", .mode = ""};
	fake_later(fake, ledger_answer, op);
}

static void wait_answer(void *op)
{
	((struct wait *)op)->due(op);
}

static void wait_start(struct timers *timers, struct wait *wait, int64_t delay_us)
{
	struct fake *fake = container_of(timers, struct fake, timers);

	(void)delay_us;
	fake->waits++;
	fake_later(fake, wait_answer, wait);
}

static void notes_answer(void *arg)
{
	struct alert_notes *op = arg;

	op->job.ok = true;
	op->job.done(&op->job);
}

static void notes(struct admin_store *admin, struct alert_notes *op)
{
	struct fake *fake = container_of(admin, struct fake, admin);

	fake->notes += op->count;
	fake_later(fake, notes_answer, op);
}

static struct price_book *book(void)
{
	struct price price = {.provider = "openai", .model = "gpt-5-mini"};

	for (int i = 0; i < METER_COUNT; i++)
		price.base.pico[i] = PRICE_NONE;
	price.base.pico[METER_INPUT] = 250000;
	price.base.pico[METER_OUTPUT] = 2000000;
	return price_book_new(&price, 1, NULL, 0);
}

void fake_publish(struct fake *fake, enum fail_policy fail_policy)
{
	struct catalog_parts parts = {.tenants = 1, .tiers = TIERS_DEFAULT, .prices = book()};

	parts.tenant = mem_zalloc(1, sizeof(*parts.tenant));
	parts.tier = mem_zalloc(TIERS_DEFAULT, sizeof(*parts.tier));
	*parts.tenant = fake->tenant;
	for (int i = 0; i < TIERS_DEFAULT; i++) {
		struct tier *tier = &parts.tier[i].tier;

		strcpy(tier->name, tiers_default[i].name);
		strcpy(tier->upgrade_to, tiers_default[i].upgrade_to);
		tier->default_output_tokens = TIERS_DEFAULT_OUTPUT_TOKENS;
		tier->fail_policy = fail_policy;
		if (fake->pro_policy && strcmp(tier->name, "pro") == 0)
			tier->fail_policy = fake->pro_policy;
		if (!tier_default_policy(&tiers_default[i], &tier->policy, NULL))
			abort();
	}
	catalog_publish(&fake->catalog, catalog_new(&parts));
}

static void init(struct fake *fake, bool remembering)
{
	static const struct changes_store_ops changes_ops = {.follow = follow, .view = view};
	static const struct accounts_store_ops accounts_ops = {.lookup = lookup, .ledger = ledger};
	static const struct admin_store_ops admin_ops = {.alert_notes = notes};
	struct worker_parts parts = {.limits = &fake->limits,
		.accounts = &fake->accounts_store,
		.admin = &fake->admin,
		.catalog = &fake->catalog,
		.timers = &fake->timers,
		.conf = &fake->conf,
		.workers = 1};

	*fake = (struct fake){.limits = {.ops = &fake_limits_ops},
		.accounts_store = {.ops = &accounts_ops},
		.admin = {.ops = &admin_ops},
		.timers = {.start = wait_start},
		.now_us = clock_wall_us()};
	fake->changes = (struct fake_changes){.store = {.ops = &changes_ops}, .session = 1};
	parts.changes = remembering ? &fake->changes.store : NULL;
	conf_init(&fake->conf);
	tenant_defaults(&fake->tenant, "default");
	catalog_source_init(&fake->catalog);
	fake_publish(fake, FAIL_LOCAL);
	fake->worker = worker_new(&parts);
}

void fake_init(struct fake *fake)
{
	init(fake, false);
}

void fake_release(struct fake *fake)
{
	worker_free(fake->worker);
	catalog_source_release(&fake->catalog);
	for (int i = 0; i < fake->accounts; i++)
		buf_release(&fake->account[i].meta);
	for (int i = 0; i < fake->markers; i++)
		buf_release(&fake->marker[i].info);
	conf_release(&fake->conf);
	arena_release(&fake->arena);
}

struct fake_row *fake_row_add(struct fake *fake, enum account_kind kind, const char *id, uint32_t version)
{
	struct fake_row *row = &fake->row[fake->rows++];

	*row = (struct fake_row){.kind = kind, .id = id};
	row->profile.version = version;
	return row;
}

int fake_done_count;

void fake_done(struct flow *flow)
{
	(void)flow;
	fake_done_count++;
}

struct check_question fake_question(const char *user, const char *request_id, int64_t input, int64_t max_output)
{
	return (struct check_question){.tenant = "default",
		.user = user,
		.request_id = request_id,
		.interface = "api",
		.model = "gpt-5-mini",
		.input_tokens = input,
		.max_output_tokens = max_output,
		.deadline_us = INT64_MAX};
}

static struct check *check_of(struct fake *fake, enum check_mode mode, const char *user, const char *request_id)
{
	struct check *check = arena_zalloc(&fake->arena, 1, sizeof(*check));

	check->question = fake_question(user, request_id, 100, 50);
	check->question.mode = mode;
	return check;
}

struct check *fake_check_start(struct fake *fake, enum check_mode mode, const char *user, const char *request_id)
{
	struct check *check = check_of(fake, mode, user, request_id);

	check_start(check, fake->worker, &fake->arena, fake_done);
	return check;
}

void fake_check_run(struct fake *fake, struct check *check)
{
	int before = fake_done_count;

	check_start(check, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	assert_int_equal(fake_done_count, before + 1);
	check_release(check);
}

struct check *fake_check(struct fake *fake, enum check_mode mode, const char *user, const char *request_id)
{
	struct check *check = check_of(fake, mode, user, request_id);

	fake_check_run(fake, check);
	return check;
}

static int setup(void **state, bool remembering)
{
	struct fake *fake = mem_zalloc(1, sizeof(*fake));

	init(fake, remembering);
	fake_done_count = 0;
	*state = fake;
	return 0;
}

int fake_setup(void **state)
{
	return setup(state, false);
}

int fake_setup_remembering(void **state)
{
	return setup(state, true);
}

int fake_teardown(void **state)
{
	fake_release(*state);
	free(*state);
	return 0;
}
