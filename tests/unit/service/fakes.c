/* The fake stores. */
#include "fakes.h"
#include "contract/seeding.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "reference/reference.h"
#include "domain/limit/profile.h"
#include "tiers_default.h"

static void later(struct fake *fake, void (*run)(void *op), void *op)
{
	assert(fake->events < FAKES_MAX * 8);
	fake->event[fake->events++] = (struct fake_event){.run = run, .op = op};
}

void fake_run(struct fake *fake)
{
	for (int i = 0; i < fake->events; i++)
		fake->event[i].run(fake->event[i].op);
	fake->events = 0;
}

static struct fake *of(struct limits_store *store)
{
	return container_of(store, struct fake, limits);
}

static void op_answer(void *op)
{
	((struct limits_op *)op)->done(op);
}

static void answer(struct fake *fake, struct limits_op *op, enum limits_status status)
{
	op->status = fake->away ? LIMITS_FAILED : status;
	op->now_us = fake->now_us;
	if (op->status == LIMITS_FAILED)
		err_set(&op->err, ERR_UNAVAILABLE, "redis is away");
	later(fake, op_answer, op);
}

struct fake_account *fake_account_find(struct fake *fake, enum account_kind kind, const char *id)
{
	for (int i = 0; i < fake->accounts; i++)
		if (fake->account[i].kind == kind && strcmp(fake->account[i].id, id) == 0)
			return &fake->account[i];
	return NULL;
}

static void account_stale(struct fake_account *account, struct limits_op *op, int index)
{
	struct stale *stale = &op->stale[op->stale_count++];

	stale->index = index;
	stale->version = account->version;
	stale->meta = (const uint8_t *)buf_str(&account->meta);
	stale->meta_len = account->meta.len;
}

/* ABSENT, STALE, BEHIND or CLOCK, in the order of docs/store.md; OK if the expected state holds. Converts and rolls. */
static enum limits_status load(struct fake *fake, struct limits_op *op, const struct expected *expected, int count,
	struct account_state *states[])
{
	uint32_t absent = 0;
	uint32_t behind = 0;

	for (int i = 0; i < count; i++) {
		struct fake_account *account = fake_account_find(fake, expected[i].kind, expected[i].id);

		if (!account)
			absent |= 1u << i;
		else if (account->version > expected[i].version)
			account_stale(account, op, i);
		else if (account->version < expected[i].version)
			behind |= 1u << i;
		states[i] = account ? &account->state : NULL;
	}
	op->mask = absent ? absent : behind;
	if (absent || op->stale_count || behind)
		return absent ? LIMITS_ABSENT : op->stale_count ? LIMITS_STALE : LIMITS_BEHIND;
	for (int i = 0; i < count; i++)
		if (windows_start(&expected[i].windows, WINDOW_DAY, fake->now_us) < 0)
			return LIMITS_CLOCK;
	for (int i = 0; i < count; i++) {
		struct fake_account *account = fake_account_find(fake, expected[i].kind, expected[i].id);

		state_roll(states[i], &expected[i].windows, fake->now_us);
		if (expected[i].epoch > account->epoch &&
			memcmp(expected[i].policy->pid, account->policy.pid, 8) != 0) {
			state_convert(states[i], expected[i].policy, fake->now_us);
			account->policy = *expected[i].policy;
			states[i]->policy = &account->policy;
			account->epoch = expected[i].epoch;
		}
	}
	return LIMITS_OK;
}

static void stand(struct limits_op *op, struct account_state *states[], const struct verdict verdicts[], int count)
{
	op->standings = count;
	for (int i = 0; i < count; i++) {
		struct policy *policy = arena_alloc(op->arena, sizeof(*policy));

		op->standing[i] = arena_zalloc(op->arena, 1, sizeof(*op->standing[i]));
		op->standing[i]->state = *states[i];
		*policy = *states[i]->policy;
		op->standing[i]->state.policy = policy;
		op->standing[i]->verdict = verdicts[i];
	}
}

static void changed(const struct expected *expected, int count)
{
	for (int i = 0; i < count; i++)
		change_note(expected[i].kind, expected[i].tenant, expected[i].id);
}

static struct fake_marker *marker_find(struct fake *fake, const char *request_id)
{
	for (int i = 0; request_id && i < fake->markers; i++)
		if (strcmp(fake->marker[i].request_id, request_id) == 0)
			return &fake->marker[i];
	return NULL;
}

static struct fake_marker *marker_add(
	struct fake *fake, const char *request_id, const struct expected *expected, int count)
{
	struct fake_marker *marker = &fake->marker[fake->markers++];

	assert(fake->markers < FAKES_MAX);
	*marker = (struct fake_marker){0};
	strcpy(marker->request_id, request_id);
	for (int i = 0; i < count; i++) {
		marker->kind[i] = expected[i].kind;
		strcpy(marker->id[i], expected[i].id);
	}
	return marker;
}

static enum limits_status decide(struct fake *fake, struct limits_check *op, struct account_state *states[])
{
	struct verdict verdicts[ACCOUNTS_MAX] = {0};
	struct fake_marker *marker;
	bool allowed = decision_test(
		(const struct account_state *const *)states, op->count, &op->request, fake->now_us, verdicts);

	if (allowed && !op->dry_run) {
		marker = marker_add(fake, op->request_id, op->expected, op->count);
		memcpy(marker->digest, op->digest, 8);
		buf_put(&marker->info, op->info, op->info_len);
		decision_take(
			states, op->count, &op->request, fake->now_us, op->ttl_us, &marker->reservation, verdicts);
		op->state = RESERVATION_OPEN;
		op->started_at_us = marker->reservation.started_at_us;
		op->expires_at_us = marker->reservation.expires_at_us;
		op->held = marker->reservation.held;
		changed(op->expected, op->count);
	}
	stand(&op->op, states, verdicts, op->count);
	return allowed ? LIMITS_OK : LIMITS_DENIED;
}

static bool unseeded(struct limits_check *op, struct account_state *states[])
{
	op->op.unseeded_count = 0;
	for (int i = 0; !op->provisional_ok && i < op->count; i++)
		unseeded_add(&op->op, i, states[i]);
	return op->op.unseeded_count > 0;
}

static void check(struct limits_store *store, struct limits_check *op)
{
	struct fake *fake = of(store);
	struct fake_marker *marker = op->dry_run ? NULL : marker_find(fake, op->request_id);
	struct account_state *states[ACCOUNTS_MAX];
	struct verdict none[ACCOUNTS_MAX] = {0};
	enum limits_status status;

	op->nonce = (uint64_t)++fake->checks;
	if (fake->away || fake->missed > 0) {
		fake->missed -= fake->missed > 0;
		answer(fake, &op->op, LIMITS_FAILED);
		return;
	}
	if (marker && marker->reservation.state == RESERVATION_CANCELLED && !marker->reservation.attempts) {
		marker->request_id[0] = '\0';
		marker = NULL;
	}
	if (marker && memcmp(marker->digest, op->digest, 8) != 0) {
		answer(fake, &op->op, LIMITS_CONFLICT);
		return;
	}
	status = load(fake, &op->op, op->expected, op->count, states);
	if (status == LIMITS_OK && unseeded(op, states)) {
		status = LIMITS_UNSEEDED;
	} else if (status == LIMITS_OK && marker) {
		status = LIMITS_REPEAT;
		op->state = marker->reservation.state;
		op->started_at_us = marker->reservation.started_at_us;
		op->expires_at_us = marker->reservation.expires_at_us;
		op->held = marker->reservation.held;
		stand(&op->op, states, none, op->count);
	} else if (status == LIMITS_OK) {
		status = decide(fake, op, states);
	}
	answer(fake, &op->op, status);
}

static bool same_accounts(const struct fake_marker *marker, const struct limits_settle *op)
{
	if (marker->reservation.accounts != op->count)
		return false;
	for (int i = 0; i < op->count; i++)
		if (marker->kind[i] != op->expected[i].kind || strcmp(marker->id[i], op->expected[i].id) != 0)
			return false;
	return true;
}

static void settle(struct fake *fake, struct limits_settle *op, const struct settlement *how)
{
	struct fake_marker *marker = marker_find(fake, op->request_id);
	struct account_state *states[ACCOUNTS_MAX];
	struct verdict verdicts[ACCOUNTS_MAX] = {0};
	struct request request = {.interface_hash = op->interface_hash, .model_hash = op->model_hash};
	struct settled settled = {0};
	enum limits_status status;

	if (!marker && !op->even_if_unknown) {
		answer(fake, &op->op, LIMITS_UNKNOWN);
		return;
	}
	if (marker && !same_accounts(marker, op)) {
		op->op.info = (const uint8_t *)buf_str(&marker->info);
		op->op.info_len = marker->info.len;
		answer(fake, &op->op, LIMITS_NEEDKEYS);
		return;
	}
	status = load(fake, &op->op, op->expected, op->count, states);
	if (status != LIMITS_OK || fake->away) {
		answer(fake, &op->op, status);
		return;
	}
	if (!marker) {
		marker = marker_add(fake, op->request_id, op->expected, op->count);
		decision_charge(
			states, op->count, &request, &op->used, fake->now_us, &marker->reservation, &settled, verdicts);
		marker->reservation.attempts |= 1u << op->attempt;
		op->late = true;
	} else if (marker->reservation.attempts & 1u << op->attempt) {
		status = LIMITS_REPEAT;
		settled.charged = marker->last;
	} else {
		decision_settle(states, &marker->reservation, how, fake->now_us, &settled, verdicts);
		marker->reservation.attempts |= how->becomes == RESERVATION_RECORDED ? 1u << op->attempt : 0;
		op->late = settled.late;
	}
	marker->last = settled.charged;
	op->charged = settled.charged;
	op->released = settled.released;
	op->state = marker->reservation.state;
	changed(op->expected, op->count);
	stand(&op->op, states, verdicts, op->count);
	answer(fake, &op->op, status);
}

static void record(struct limits_store *store, struct limits_settle *op)
{
	struct settlement how = {.used = op->used, .final = op->final, .becomes = RESERVATION_RECORDED};

	settle(of(store), op, &how);
}

static void cancel(struct limits_store *store, struct limits_settle *op)
{
	struct settlement how = {.final = true, .becomes = RESERVATION_CANCELLED};

	struct fake_marker *marker = marker_find(of(store), op->request_id);
	bool unused = marker && !marker->reservation.attempts && marker->reservation.state == RESERVATION_OPEN;

	of(store)->owed = op->owed;
	op->even_if_unknown = false;
	settle(of(store), op, &how);
	if (op->forget && unused && op->state == RESERVATION_CANCELLED)
		marker->request_id[0] = 0;
}

static void renew(struct limits_store *store, struct limits_renew *op)
{
	struct fake_marker *marker = marker_find(of(store), op->request_id);

	op->expires_at_us = of(store)->now_us + op->ttl_us;
	answer(of(store), &op->op,
		!marker						? LIMITS_UNKNOWN
		: marker->reservation.state == RESERVATION_OPEN ? LIMITS_OK
								: LIMITS_CLOSED);
}

static void birth(struct limits_store *store, struct limits_birth *op)
{
	struct fake *fake = of(store);

	fake->births++;
	strcpy(op->generation, "0123456789abcdef");
	op->birth_us = fake->birth_us;
	strcpy(op->last_entry, "5-1");
	if (fake->undrained > 0) {
		fake->undrained--;
		op->undrained = 1;
		strcpy(op->first_entry, "5-0");
	}
	answer(fake, &op->op, LIMITS_OK);
}

static void account_write(
	struct fake_account *account, const struct expected *expected, const struct account_profile *profile)
{
	account->version = expected->version;
	account->epoch = expected->epoch;
	account->policy = *expected->policy;
	account->state.policy = &account->policy;
	account->state.version = expected->version;
	account->state.suspended = profile->suspended;
	account->state.bypass = profile->bypass;
	buf_reset(&account->meta);
	profile_pack(profile, &account->meta);
}

static void seed(struct limits_store *store, struct limits_seed *op)
{
	struct fake *fake = of(store);
	struct fake_account *account = fake_account_find(fake, op->expected.kind, op->expected.id);

	if (account || fake->away) {
		answer(fake, &op->op, LIMITS_NOTHING);
		return;
	}
	account = &fake->account[fake->accounts++];
	*account = (struct fake_account){.kind = op->expected.kind};
	strcpy(account->id, op->expected.id);
	account_write(account, &op->expected, op->profile);
	account->state.provisional = op->provisional;
	account->state.unseeded = op->provisional ? calendars_of(&account->policy) : 0;
	for (int u = 0; u < WINDOW_COUNT; u++)
		account->state.window_start[u] = windows_start(&op->expected.windows, (enum window_unit)u, op->now_us);
	for (int u = 0; u < WINDOW_COUNT; u++)
		account->state.window_end[u] = windows_end(&op->expected.windows, (enum window_unit)u, op->now_us);
	memcpy(account->state.limits, op->limits, sizeof(op->limits));
	answer(fake, &op->op, LIMITS_OK);
}

static void policy(struct limits_store *store, struct limits_policy *op)
{
	struct fake *fake = of(store);
	struct fake_account *account = fake_account_find(fake, op->expected.kind, op->expected.id);

	fake->policies++;
	if (account && (account->version < op->expected.version ||
			       (account->version == op->expected.version && account->state.provisional))) {
		state_convert(&account->state, op->expected.policy, fake->now_us);
		account_write(account, &op->expected, op->profile);
		if (account->state.provisional)
			account->state.unseeded = calendars_of(&account->policy);
		account->state.provisional = account->state.provisional && op->provisional;
		changed(&op->expected, 1);
	}
	answer(fake, &op->op, account ? LIMITS_OK : LIMITS_ABSENT);
}

static void adopt(struct limits_store *store, struct limits_adopt *op)
{
	struct fake *fake = of(store);
	struct account_state *states[1];
	enum limits_status status = load(fake, &op->op, &op->expected, 1, states);

	fake->adoptions++;
	if (status == LIMITS_OK && fake->settled_meanwhile-- > 0)
		for (int i = 0; i < states[0]->policy->count; i++)
			states[0]->limits[i].calendar.settled += states[0]->policy->limits[i].kind == KIND_CALENDAR;
	answer(fake, &op->op, status == LIMITS_OK ? adopt_into(op, states[0]) : status);
}

static void reset(struct limits_store *store, struct limits_reset *op)
{
	answer(of(store), &op->op, LIMITS_NOTHING);
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
		.wall_us = clock_wall_us() - mono_us + (changes->step ? 1000000 : 0)};
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
	later(fake, lookup_answer, op);
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
	later(fake, ledger_answer, op);
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
	later(fake, wait_answer, wait);
}

static struct price_book *book(void)
{
	struct price price = {.provider = "openai", .model = "gpt-5-mini"};

	for (int i = 0; i < TOKEN_CLASS_COUNT; i++)
		price.base.pico[i] = PRICE_NONE;
	price.base.pico[TOKEN_INPUT] = 250000;
	price.base.pico[TOKEN_OUTPUT] = 2000000;
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
	static const struct limits_store_ops limits_ops = {.check = check,
		.record = record,
		.cancel = cancel,
		.renew = renew,
		.birth = birth,
		.seed = seed,
		.policy = policy,
		.adopt = adopt,
		.reset = reset};
	static const struct accounts_store_ops accounts_ops = {.lookup = lookup, .ledger = ledger};
	struct worker_parts parts = {.limits = &fake->limits,
		.accounts = &fake->accounts_store,
		.catalog = &fake->catalog,
		.timers = &fake->timers,
		.conf = &fake->conf,
		.workers = 1};

	*fake = (struct fake){.limits = {.ops = &limits_ops},
		.accounts_store = {.ops = &accounts_ops},
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
