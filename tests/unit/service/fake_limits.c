/* The fake store of limits (fakes.h): accounts and markers in lists, decided by the C model. */
#include "fakes.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/units.h"
#include "contract/seeding.h"
#include "domain/limit/profile.h"
#include "reference/reference.h"

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
		err_set(&op->err, fake->slow ? ERR_DEADLINE : ERR_UNAVAILABLE, "redis is away");
	fake_later(fake, op_answer, op);
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

/* As if there were only one user with only one limit. Told again after 10 s. */
static enum tell tell(struct fake *fake, const char *place)
{
	if (!place)
		return TELL_UNKNOWN;
	for (int i = 0; i < fake->tolds; i++)
		if (strcmp(fake->told[i], place) == 0)
			return TELL_NOT_AGAIN;
	fake->told[fake->tolds++] = place;
	return TELL_NOW;
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
	op->tell = allowed || op->dry_run ? TELL_UNKNOWN : tell(fake, op->tell_place);
	op->told_until_us = fake->now_us + 10 * SECOND_US;
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

static struct limits_debt *debt(struct limits_store *store, const struct limits_check *op)
{
	struct limits_debt *debt = mem_zalloc(1, sizeof(*debt));

	(void)op;
	debt->store = store;
	debt->bytes = sizeof(*debt);
	return debt;
}

static void debt_end(struct limits_debt *debt, bool owed)
{
	*(owed ? &of(debt->store)->given_back : &of(debt->store)->kept) += 1;
	free(debt);
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
		struct settlement rest = {.final = true, .becomes = how->becomes};

		status = LIMITS_REPEAT;
		if (how->final && marker->reservation.state == RESERVATION_OPEN)
			decision_settle(states, &marker->reservation, &rest, fake->now_us, &settled, verdicts);
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

const struct limits_store_ops fake_limits_ops = {.check = check,
	.debt = debt,
	.debt_end = debt_end,
	.record = record,
	.cancel = cancel,
	.renew = renew,
	.birth = birth,
	.seed = seed,
	.policy = policy,
	.adopt = adopt,
	.reset = reset};
