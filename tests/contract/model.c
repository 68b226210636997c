/*
 * The backend in memory: server/domain/limit/decision.h, with the same order of steps as the functions in
 * docs/store.md.
 */
#include "model_store.h"
#include "seeding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_DEFAULT_US INT64_C(900000000)
enum { EXPIRE_FEW = 4 };

static bool expire_few(struct model *model, const struct expected expected[], struct loaded *loaded)
{
	struct marker *marker = marker_due(model, INT64_MIN, "");
	bool some = false;

	for (int i = 0; marker && i < EXPIRE_FEW; i++) {
		int64_t expires = marker->reservation.expires_at_us;

		if (marker_on(marker, expected, loaded->count)) {
			marker_expire(model, marker, loaded->pointer);
			some = true;
		}
		marker = marker_due(model, expires, marker->key);
	}
	if (some)
		save_all(loaded);
	return some;
}

static bool test_all(struct model *model, struct limits_check *op, struct loaded *loaded)
{
	const struct account_state *states[ACCOUNTS_MAX];

	for (int i = 0; i < loaded->count; i++)
		states[i] = loaded->pointer[i];
	return decision_test(states, loaded->count, &op->request, model->now_us, loaded->verdict);
}

static void check_answer(struct limits_check *op, enum limits_status status, const struct reservation *reservation)
{
	op->op.status = status;
	op->state = reservation->state;
	op->started_at_us = reservation->started_at_us;
	op->expires_at_us = reservation->expires_at_us;
	op->held = reservation->held;
	op->unsure = false;
}

/* True if any account decides on amounts that PostgreSQL has not confirmed. */
static bool is_unsure(const struct loaded *loaded)
{
	bool unsure = false;

	for (int i = 0; i < loaded->count; i++)
		unsure |= loaded->pointer[i]->provisional || loaded->pointer[i]->unseeded;
	return unsure;
}

static void check_take(struct model *model, struct limits_check *op, struct loaded *loaded)
{
	struct marker *old = marker_find(model, op->tenant, op->user, op->request_id);
	struct marker *marker;

	if (old)
		marker_forget(old);
	marker = marker_new(model, op->tenant, op->user, op->request_id);
	nonce_first(marker, nonce_of(model, op->nonce));
	memcpy(marker->digest, op->digest, 8);
	marker->unsure = is_unsure(loaded);
	decision_take(loaded->pointer, loaded->count, &op->request, model->now_us, op->ttl_us, &marker->reservation,
		loaded->verdict);
	marker->reservation.held.counted = counted_keep(op->request.estimate.counted);
	marker_accounts(marker, op->expected, op->count);
	save_all(loaded);
	check_answer(op, LIMITS_OK, &marker->reservation);
}

/* The earlier check of the same id, unless it was given back before anything was recorded. */
static struct marker *known(struct model *model, const struct limits_check *op)
{
	struct marker *marker = op->dry_run ? NULL : marker_find(model, op->tenant, op->user, op->request_id);

	if (marker && marker->reservation.state == RESERVATION_CANCELLED && !marker->reservation.attempts)
		return NULL;
	return marker;
}

static void known_answer(struct model *model, struct limits_check *op, struct marker *marker)
{
	uint64_t nonce = nonce_of(model, op->nonce);
	int place = nonce_find(marker, nonce);
	bool open = marker->reservation.state == RESERVATION_OPEN;

	if (open && place < 0)
		nonce_add(marker, nonce);
	check_answer(op, open && place == 0 ? LIMITS_OK : LIMITS_REPEAT, &marker->reservation);
	op->unsure = marker->unsure;
}

static int64_t first_end(struct model *model, const struct limits_check *op, const struct loaded *loaded)
{
	char own[2 * ID_MAX + 8];
	int64_t first = 0;

	snprintf(own, sizeof(own), "%s/%s/", op->tenant, op->user);
	list_each (&model->markers, at, after) {
		struct marker *marker = container_of(at, struct marker, link);
		int64_t expires = marker->reservation.expires_at_us;

		if (marker->reservation.state == RESERVATION_OPEN && strncmp(marker->key, own, strlen(own)) == 0 &&
			(!first || expires < first))
			first = expires;
	}
	if (!first || !loaded->state[0].open)
		return 0;
	return first > model->now_us ? first : model->now_us;
}

static void model_check(struct backend *backend, struct limits_check *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = known(model, op);
	struct loaded loaded;
	bool passes;

	op->op.now_us = model->now_us;
	op->op.unseeded_count = 0;
	op->tell = TELL_UNKNOWN;
	op->told_until_us = 0;
	if (op->latest_us && model->now_us > op->latest_us) {
		op->op.status = LIMITS_CLOCK;
		return;
	}
	if (marker && memcmp(marker->digest, op->digest, 8) != 0 && memcmp(marker->digest, "\0\0\0\0\0\0\0", 8) != 0) {
		op->op.status = LIMITS_CONFLICT;
		return;
	}
	op->op.status = load_all(model, &op->op, op->expected, op->count, false, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (!op->dry_run)
		save_turned_back(&loaded);
	for (int i = 0; !op->provisional_ok && i < loaded.count; i++)
		unseeded_add(&op->op, i, loaded.pointer[i]);
	if (op->op.unseeded_count) {
		op->op.status = LIMITS_UNSEEDED;
		loaded_free(&loaded);
		return;
	}
	if (marker) {
		known_answer(model, op, marker);
		standings_answer(&op->op, op->expected, &loaded);
		loaded_free(&loaded);
		return;
	}
	passes = test_all(model, op, &loaded);
	if (!passes && !op->dry_run && expire_few(model, op->expected, &loaded))
		passes = test_all(model, op, &loaded);
	op->first_end_us = passes ? 0 : first_end(model, op, &loaded);
	if (passes && !op->dry_run)
		check_take(model, op, &loaded);
	else
		check_answer(
			op, passes ? LIMITS_OK : LIMITS_DENIED, &(struct reservation){.started_at_us = model->now_us});
	if (!passes && !op->dry_run && op->tell_place)
		model_tell(model, op, &loaded);
	standings_answer(&op->op, op->expected, &loaded);
	loaded_free(&loaded);
}

static void model_reset(struct backend *backend, struct limits_reset *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->expected.tenant, op->expected.id, op->request_id);
	struct loaded loaded;

	op->op.now_us = model->now_us;
	if (marker) {
		op->op.status = LIMITS_REPEAT;
		memcpy(op->lost, marker->lost, sizeof(op->lost));
		return;
	}
	op->op.status = load_all(model, &op->op, &op->expected, 1, false, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	decision_reset(loaded.pointer[0], model->now_us, op->lost);
	save_all(&loaded);
	marker = marker_new(model, op->expected.tenant, op->expected.id, op->request_id);
	marker->is_reset = true;
	marker->ends_us = model->now_us + model->window_us;
	memcpy(marker->lost, op->lost, sizeof(marker->lost));
}

static void profile_apply(
	struct account_state *state, const struct account_profile *profile, const struct expected *expected)
{
	state->version = expected->version;
	state->epoch = expected->epoch;
	state->suspended = profile->suspended;
	state->bypass = profile->bypass;
	state->deleted = profile->deleted;
	state->grace_percent = profile->grace_percent;
	state->grace_until_us = profile->grace_until_us;
}

static void model_seed(struct backend *backend, struct limits_seed *op)
{
	struct model *model = model_of(backend);
	struct account *account;

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_NOTHING;
	if (account_of(model, &op->expected))
		return;
	account = mem_zalloc(1, sizeof(*account));
	account_key(&op->expected, account->key);
	account->policy = policy_copy(op->expected.policy);
	account->state.policy = account->policy;
	account->state.provisional = op->provisional;
	profile_apply(&account->state, op->profile, &op->expected);
	state_roll(&account->state, &op->expected.windows, model->now_us);
	account->state.unseeded = op->provisional ? calendars_of(account->policy) : 0;
	memcpy(account->state.limits, op->limits, sizeof(op->limits));
	list_push_back(&model->accounts, &account->link);
	op->op.status = LIMITS_OK;
}

static void model_policy(struct backend *backend, struct limits_policy *op)
{
	struct model *model = model_of(backend);
	struct account *account = account_of(model, &op->expected);

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_ABSENT;
	if (!account)
		return;
	op->op.status = LIMITS_NOTHING;
	if (account->state.version > op->expected.version ||
		(account->state.version == op->expected.version && !account->state.provisional))
		return;
	state_follow(&account->state, model->now_us);
	if (memcmp(account->policy->pid, op->expected.policy->pid, 8) != 0) {
		struct policy *policy = policy_copy(op->expected.policy);

		state_convert(&account->state, policy, model->now_us);
		free(account->policy);
		account->policy = policy;
	}
	profile_apply(&account->state, op->profile, &op->expected);
	if (account->state.provisional) {
		account->state.unseeded = calendars_of(account->policy);
		memset(account->state.window_end, 0, sizeof(account->state.window_end));
	}
	account->state.provisional = account->state.provisional && op->provisional;
	op->op.status = LIMITS_OK;
}

static void model_adopt(struct backend *backend, struct limits_adopt *op)
{
	struct model *model = model_of(backend);
	struct loaded loaded;

	op->op.now_us = model->now_us;
	op->op.status = load_all(model, &op->op, &op->expected, 1, false, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	op->op.status = adopt_into(op, loaded.pointer[0]);
	if (op->op.status == LIMITS_OK)
		save_all(&loaded);
	loaded_free(&loaded);
}

static int model_expire(struct backend *backend, const struct expected expected[], int count)
{
	struct model *model = model_of(backend);
	struct marker *marker;
	int expired = 0;

	while ((marker = marker_due(model, INT64_MIN, ""))) {
		struct account_state *states[ACCOUNTS_MAX] = {NULL};

		for (int i = 0; i < marker->reservation.accounts; i++)
			for (int b = 0; b < count; b++) {
				struct account *account = account_of(model, &expected[b]);

				if (!account || strcmp(account->key, marker->account[i]) != 0)
					continue;
				/* The sweeper knows no windows; the next call that does rolls them. */
				state_follow(&account->state, model->now_us);
				states[i] = &account->state;
			}
		marker_expire(model, marker, states);
		expired++;
	}
	return expired;
}

static bool model_look(
	struct backend *backend, const struct expected *expected, struct arena *arena, struct account_state *out)
{
	struct account *account = account_of(model_of(backend), expected);
	struct policy *policy;

	if (!account)
		return false;
	*out = account->state;
	out->policy = expected->policy;
	if (memcmp(account->policy->pid, expected->policy->pid, 8) != 0) {
		policy = arena_zalloc(arena, 1, sizeof(*policy));
		*policy = *account->policy;
		out->policy = policy;
	}
	return true;
}

static void model_clock(struct backend *backend, int64_t now_us)
{
	model_of(backend)->now_us = now_us;
}

static void model_settings(struct backend *backend, int64_t window_us, bool expiry_charges)
{
	model_of(backend)->window_us = window_us;
	model_of(backend)->expiry_charges = expiry_charges;
}

static void model_clear(struct backend *backend)
{
	struct model *model = model_of(backend);

	list_each (&model->accounts, at, after) {
		struct account *account = container_of(at, struct account, link);

		free(account->policy);
		free(account);
	}
	list_init(&model->accounts);
	list_each (&model->markers, at, after) {
		free(container_of(at, struct marker, link));
	}
	list_init(&model->markers);
	model_forget_told(model);
	model_settings(backend, WINDOW_DEFAULT_US, false);
}

static struct backend *model_open(void)
{
	struct model *model = mem_zalloc(1, sizeof(*model));

	model->backend.ops = &backend_model;
	list_init(&model->accounts);
	list_init(&model->markers);
	list_init(&model->told);
	model_clear(&model->backend);
	return &model->backend;
}

static void model_close(struct backend *backend)
{
	model_clear(backend);
	free(model_of(backend));
}

const struct backend_ops backend_model = {
	.name = "model",
	.open = model_open,
	.close = model_close,
	.clear = model_clear,
	.clock = model_clock,
	.settings = model_settings,
	.adjust = model_adjust,
	.seed = model_seed,
	.policy = model_policy,
	.adopt = model_adopt,
	.check = model_check,
	.record = model_record,
	.cancel = model_cancel,
	.give_up = model_give_up,
	.renew = model_renew,
	.reset = model_reset,
	.expire = model_expire,
	.look = model_look,
};
