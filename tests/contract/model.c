/* The backend in memory: server/domain/decision.h with the order of things that docs/store.md gives the scripts. */
#include "backend.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"

#define WINDOW_DEFAULT_US INT64_C(900000000)
enum { EXPIRE_FEW = 4 };

struct account {
	struct list link;
	char key[2 * ID_MAX + 8];
	struct account_state state;
	struct policy *policy; /* the state's; replaced, never changed */
};

struct marker {
	struct list link;
	char key[3 * ID_MAX + 8];
	bool is_reset, was_late;
	uint8_t digest[8];
	struct reservation reservation;
	char account[ACCOUNTS_MAX][2 * ID_MAX + 8];
	int64_t ends_us; /* forgotten from then on; INT64_MAX while open */
	struct amounts last;
	int64_t lost[LIMITS_MAX];
};

struct model {
	struct backend backend;
	int64_t now_us, window_us;
	bool expiry_charges;
	struct list accounts, markers;
};

/* The accounts of one call, copied: written back when the call changes something. */
struct loaded {
	int count;
	struct account *account[ACCOUNTS_MAX];
	struct account_state state[ACCOUNTS_MAX];
	struct account_state *pointer[ACCOUNTS_MAX];
	struct policy *policy[ACCOUNTS_MAX]; /* not NULL: converted to this one */
	struct verdict verdict[ACCOUNTS_MAX];
};

static struct model *model_of(struct backend *backend)
{
	return container_of(backend, struct model, backend);
}

static void account_key(const struct belief *belief, char out[2 * ID_MAX + 8])
{
	snprintf(out, 2 * ID_MAX + 8, "%d/%s/%s", (int)belief->kind, belief->tenant, belief->id);
}

static struct account *account_find(struct model *model, const char *key)
{
	list_each (&model->accounts, at, after) {
		struct account *account = container_of(at, struct account, link);

		if (strcmp(account->key, key) == 0)
			return account;
	}
	return NULL;
}

static struct account *account_of(struct model *model, const struct belief *belief)
{
	char key[2 * ID_MAX + 8];

	account_key(belief, key);
	return account_find(model, key);
}

static struct policy *policy_copy(const struct policy *policy)
{
	struct policy *copy = malloc(sizeof(*copy));

	if (!copy)
		mem_exhausted(sizeof(*copy));
	*copy = *policy;
	return copy;
}

static void marker_free(struct marker *marker)
{
	list_remove(&marker->link);
	free(marker);
}

static struct marker *marker_find(struct model *model, const char *tenant, const char *user, const char *request_id)
{
	char key[3 * ID_MAX + 8];

	snprintf(key, sizeof(key), "%s/%s/%s", tenant, user, request_id);
	list_each (&model->markers, at, after) {
		struct marker *marker = container_of(at, struct marker, link);

		if (marker->ends_us <= model->now_us)
			marker_free(marker);
		else if (strcmp(marker->key, key) == 0)
			return marker;
	}
	return NULL;
}

static struct marker *marker_new(struct model *model, const char *tenant, const char *user, const char *request_id)
{
	struct marker *marker = mem_zalloc(1, sizeof(*marker));

	snprintf(marker->key, sizeof(marker->key), "%s/%s/%s", tenant, user, request_id);
	marker->ends_us = INT64_MAX;
	list_push_back(&model->markers, &marker->link);
	return marker;
}

static void marker_accounts(struct marker *marker, const struct belief beliefs[], int count)
{
	for (int i = 0; i < count; i++)
		account_key(&beliefs[i], marker->account[i]);
}

static bool marker_on(const struct marker *marker, const struct belief beliefs[], int count)
{
	if (marker->reservation.accounts != count)
		return false;
	for (int i = 0; i < count; i++) {
		char key[2 * ID_MAX + 8];

		account_key(&beliefs[i], key);
		if (strcmp(key, marker->account[i]) != 0)
			return false;
	}
	return true;
}

static bool clock_inside(const struct windows *windows, int64_t now_us)
{
	for (int u = 0; u < WINDOW_COUNT; u++)
		if (windows_start(windows, (enum window_unit)u, now_us) < 0)
			return false;
	return true;
}

static void account_load(struct loaded *loaded, int i, const struct belief *belief, int64_t now_us)
{
	struct account_state *state = &loaded->state[i];

	*state = loaded->account[i]->state;
	loaded->pointer[i] = state;
	loaded->policy[i] = NULL;
	state_roll(state, &belief->windows, now_us);
	if (belief->epoch <= state->epoch || belief->version != state->version)
		return;
	state->epoch = belief->epoch;
	if (memcmp(belief->policy->pid, state->policy->pid, 8) != 0) {
		loaded->policy[i] = policy_copy(belief->policy);
		state_convert(state, loaded->policy[i], now_us);
	}
}

static void loaded_free(struct loaded *loaded)
{
	for (int i = 0; i < loaded->count; i++)
		free(loaded->policy[i]);
}

/* Reads all accounts into `loaded`, rolled and converted. LIMITS_OK, or why it cannot be. */
static enum limits_status load_all(struct model *model, struct limits_op *op, const struct belief beliefs[], int count,
	bool lenient, struct loaded *loaded)
{
	uint32_t behind = 0;
	bool clock = false;

	*loaded = (struct loaded){0};
	op->mask = 0;
	op->stale_count = 0;
	for (int i = 0; i < count; i++) {
		struct account *account = account_of(model, &beliefs[i]);

		if (!account) {
			op->mask |= 1u << i;
			continue;
		}
		loaded->account[i] = account;
		if (account->state.version > beliefs[i].version && !lenient)
			op->stale[op->stale_count++] = (struct stale){.index = i, .version = account->state.version};
		else if (account->state.version < beliefs[i].version && !lenient)
			behind |= 1u << i;
		clock = clock || !clock_inside(&beliefs[i].windows, model->now_us);
	}
	if (op->mask)
		return LIMITS_ABSENT;
	if (op->stale_count)
		return LIMITS_STALE;
	op->mask = behind;
	if (behind)
		return LIMITS_BEHIND;
	if (clock)
		return LIMITS_CLOCK;
	loaded->count = count;
	for (int i = 0; i < count; i++)
		account_load(loaded, i, &beliefs[i], model->now_us);
	return LIMITS_OK;
}

static void save_all(struct loaded *loaded)
{
	for (int i = 0; i < loaded->count; i++) {
		struct account *account = loaded->account[i];

		account->state = loaded->state[i];
		if (loaded->policy[i]) {
			free(account->policy);
			account->policy = loaded->policy[i];
			loaded->policy[i] = NULL;
		}
	}
}

static void standings_answer(struct limits_op *op, const struct belief beliefs[], const struct loaded *loaded)
{
	op->standings = loaded->count;
	for (int i = 0; i < loaded->count; i++) {
		struct standing *standing = arena_zalloc(op->arena, 1, sizeof(*standing));

		standing->state = loaded->state[i];
		standing->verdict = loaded->verdict[i];
		if (memcmp(beliefs[i].policy->pid, loaded->state[i].policy->pid, 8) == 0) {
			standing->state.policy = beliefs[i].policy;
		} else {
			standing->policy_is_other = true;
			standing->other = arena_zalloc(op->arena, 1, sizeof(*standing->other));
			*standing->other = *loaded->state[i].policy;
			standing->state.policy = standing->other;
		}
		op->standing[i] = standing;
	}
}

static void marker_close(struct model *model, struct marker *marker)
{
	if (marker->reservation.state != RESERVATION_OPEN)
		marker->ends_us = model->now_us + model->window_us;
}

/* Expires one reservation on states that have been loaded. */
static void marker_expire(struct model *model, struct marker *marker, struct account_state *const states[])
{
	struct settlement settlement = {.final = true, .becomes = RESERVATION_EXPIRED};
	struct verdict verdicts[ACCOUNTS_MAX];
	struct settled out;

	if (model->expiry_charges)
		settlement.used = marker->reservation.held;
	decision_settle(states, &marker->reservation, &settlement, model->now_us, &out, verdicts);
	marker_close(model, marker);
}

/* The next reservation that is due after (`expires_us`, `key`); NULL when there is none. */
static struct marker *marker_due(struct model *model, int64_t expires_us, const char *key)
{
	struct marker *first = NULL;

	list_each (&model->markers, at, after) {
		struct marker *marker = container_of(at, struct marker, link);
		int64_t expires = marker->reservation.expires_at_us;

		if (marker->reservation.state != RESERVATION_OPEN || expires > model->now_us)
			continue;
		if (expires < expires_us || (expires == expires_us && strcmp(marker->key, key) <= 0))
			continue;
		if (!first || expires < first->reservation.expires_at_us ||
			(expires == first->reservation.expires_at_us && strcmp(marker->key, first->key) < 0))
			first = marker;
	}
	return first;
}

static bool expire_few(struct model *model, const struct belief beliefs[], struct loaded *loaded)
{
	struct marker *marker = marker_due(model, INT64_MIN, "");
	bool some = false;

	for (int i = 0; marker && i < EXPIRE_FEW; i++) {
		int64_t expires = marker->reservation.expires_at_us;

		if (marker_on(marker, beliefs, loaded->count)) {
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
}

static void check_take(struct model *model, struct limits_check *op, struct loaded *loaded)
{
	struct marker *marker = marker_new(model, op->tenant, op->user, op->request_id);

	memcpy(marker->digest, op->digest, 8);
	decision_take(loaded->pointer, loaded->count, &op->request, model->now_us, op->ttl_us, &marker->reservation,
		loaded->verdict);
	marker_accounts(marker, op->belief, op->count);
	save_all(loaded);
	check_answer(op, LIMITS_OK, &marker->reservation);
}

static void model_check(struct backend *backend, struct limits_check *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = op->dry_run ? NULL : marker_find(model, op->tenant, op->user, op->request_id);
	struct loaded loaded;
	bool passes;

	op->op.now_us = model->now_us;
	if (marker && memcmp(marker->digest, op->digest, 8) != 0) {
		op->op.status = LIMITS_CONFLICT;
		return;
	}
	op->op.status = load_all(model, &op->op, op->belief, op->count, false, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (marker) {
		check_answer(op, LIMITS_REPEAT, &marker->reservation);
		standings_answer(&op->op, op->belief, &loaded);
		loaded_free(&loaded);
		return;
	}
	passes = test_all(model, op, &loaded);
	if (!passes && !op->dry_run && expire_few(model, op->belief, &loaded))
		passes = test_all(model, op, &loaded);
	if (passes && !op->dry_run)
		check_take(model, op, &loaded);
	else
		check_answer(
			op, passes ? LIMITS_OK : LIMITS_DENIED, &(struct reservation){.started_at_us = model->now_us});
	standings_answer(&op->op, op->belief, &loaded);
	loaded_free(&loaded);
}

static void settle_answer(struct limits_settle *op, enum limits_status status, const struct marker *marker,
	const struct amounts *charged, const struct amounts *released)
{
	op->op.status = status;
	op->state = marker->reservation.state;
	op->late = marker->was_late;
	op->charged = *charged;
	op->released = *released;
}

/* The marker of a record, made if the request is unknown. */
static struct marker *marker_unknown(
	struct model *model, struct limits_settle *op, struct loaded *loaded, struct settled *out)
{
	struct request request = {.interface_hash = op->interface_hash, .model_hash = op->model_hash};
	struct marker *marker = marker_new(model, op->tenant, op->user, op->request_id);

	decision_charge(loaded->pointer, loaded->count, &request, &op->used, model->now_us, &marker->reservation, out,
		loaded->verdict);
	if (op->started_at_us > 0)
		marker->reservation.started_at_us = op->started_at_us;
	if (!op->final)
		marker->reservation.state = RESERVATION_EXPIRED;
	marker_accounts(marker, op->belief, op->count);
	return marker;
}

static enum limits_status record_refusal(const struct marker *marker, const struct limits_settle *op)
{
	if (!marker)
		return op->even_if_unknown ? LIMITS_OK : LIMITS_UNKNOWN;
	if (marker->is_reset)
		return LIMITS_CLOSED;
	if (!marker_on(marker, op->belief, op->count))
		return LIMITS_NEEDKEYS;
	if (marker->reservation.attempts & UINT32_C(1) << op->attempt)
		return LIMITS_OK;
	return marker->reservation.state == RESERVATION_RECORDED ? LIMITS_CLOSED : LIMITS_OK;
}

static void record_settle(struct model *model, struct limits_settle *op, struct marker *marker, struct loaded *loaded)
{
	struct settlement settlement = {.used = op->used, .final = op->final, .becomes = RESERVATION_RECORDED};
	struct settled out;

	if (!marker) {
		marker = marker_unknown(model, op, loaded, &out);
	} else {
		decision_settle(
			loaded->pointer, &marker->reservation, &settlement, model->now_us, &out, loaded->verdict);
		marker->was_late = out.late;
	}
	marker->reservation.attempts |= UINT32_C(1) << op->attempt;
	marker->last = out.charged;
	marker_close(model, marker);
	save_all(loaded);
	settle_answer(op, LIMITS_OK, marker, &out.charged, &out.released);
}

static void model_record(struct backend *backend, struct limits_settle *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->tenant, op->user, op->request_id);
	struct loaded loaded;

	op->op.now_us = model->now_us;
	op->op.status = record_refusal(marker, op);
	if (op->op.status != LIMITS_OK) {
		op->state = marker ? marker->reservation.state : RESERVATION_NONE;
		return;
	}
	op->op.status = load_all(model, &op->op, op->belief, op->count, true, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (marker && marker->reservation.attempts & UINT32_C(1) << op->attempt)
		settle_answer(op, LIMITS_REPEAT, marker, &marker->last, &(struct amounts){0});
	else
		record_settle(model, op, marker, &loaded);
	standings_answer(&op->op, op->belief, &loaded);
	loaded_free(&loaded);
}

static void model_cancel(struct backend *backend, struct limits_settle *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->tenant, op->user, op->request_id);
	struct settlement settlement = {.final = true, .becomes = RESERVATION_CANCELLED};
	struct settled out = {0};
	struct loaded loaded;

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_UNKNOWN;
	if (!marker)
		return;
	op->state = marker->reservation.state;
	op->op.status = LIMITS_CLOSED;
	if (marker->is_reset || op->state == RESERVATION_RECORDED || op->state == RESERVATION_EXPIRED)
		return;
	op->op.status = LIMITS_NEEDKEYS;
	if (!marker_on(marker, op->belief, op->count))
		return;
	op->op.status = load_all(model, &op->op, op->belief, op->count, true, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (op->state == RESERVATION_CANCELLED) {
		settle_answer(op, LIMITS_REPEAT, marker, &out.charged, &out.released);
	} else {
		decision_settle(loaded.pointer, &marker->reservation, &settlement, model->now_us, &out, loaded.verdict);
		marker_close(model, marker);
		save_all(&loaded);
		settle_answer(op, LIMITS_OK, marker, &out.charged, &out.released);
	}
	standings_answer(&op->op, op->belief, &loaded);
	loaded_free(&loaded);
}

static void model_renew(struct backend *backend, struct limits_renew *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->tenant, op->user, op->request_id);

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_UNKNOWN;
	if (!marker)
		return;
	op->op.status = LIMITS_CLOSED;
	if (marker->is_reset || marker->reservation.state != RESERVATION_OPEN)
		return;
	if (model->now_us + op->ttl_us > marker->reservation.expires_at_us)
		marker->reservation.expires_at_us = model->now_us + op->ttl_us;
	op->expires_at_us = marker->reservation.expires_at_us;
	op->op.status = LIMITS_OK;
}

static void model_reset(struct backend *backend, struct limits_reset *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->belief.tenant, op->belief.id, op->request_id);
	struct loaded loaded;

	op->op.now_us = model->now_us;
	if (marker) {
		op->op.status = LIMITS_REPEAT;
		memcpy(op->lost, marker->lost, sizeof(op->lost));
		return;
	}
	op->op.status = load_all(model, &op->op, &op->belief, 1, false, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	decision_reset(loaded.pointer[0], model->now_us, op->lost);
	save_all(&loaded);
	marker = marker_new(model, op->belief.tenant, op->belief.id, op->request_id);
	marker->is_reset = true;
	marker->ends_us = model->now_us + model->window_us;
	memcpy(marker->lost, op->lost, sizeof(marker->lost));
}

static void profile_apply(
	struct account_state *state, const struct account_profile *profile, const struct belief *belief)
{
	state->version = belief->version;
	state->epoch = belief->epoch;
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
	if (account_of(model, &op->belief))
		return;
	account = mem_zalloc(1, sizeof(*account));
	account_key(&op->belief, account->key);
	account->policy = policy_copy(op->belief.policy);
	account->state.policy = account->policy;
	account->state.provisional = op->provisional;
	profile_apply(&account->state, op->profile, &op->belief);
	state_roll(&account->state, &op->belief.windows, model->now_us);
	memcpy(account->state.limits, op->limits, sizeof(op->limits));
	list_push_back(&model->accounts, &account->link);
	op->op.status = LIMITS_OK;
}

static void model_policy(struct backend *backend, struct limits_policy *op)
{
	struct model *model = model_of(backend);
	struct account *account = account_of(model, &op->belief);

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_ABSENT;
	if (!account)
		return;
	op->op.status = LIMITS_NOTHING;
	if (account->state.version >= op->belief.version)
		return;
	if (account->state.clock_us < model->now_us)
		account->state.clock_us = model->now_us;
	if (memcmp(account->policy->pid, op->belief.policy->pid, 8) != 0) {
		struct policy *policy = policy_copy(op->belief.policy);

		state_convert(&account->state, policy, model->now_us);
		free(account->policy);
		account->policy = policy;
	}
	profile_apply(&account->state, op->profile, &op->belief);
	op->op.status = LIMITS_OK;
}

static int model_expire(struct backend *backend, const struct belief beliefs[], int count)
{
	struct model *model = model_of(backend);
	struct marker *marker;
	int expired = 0;

	while ((marker = marker_due(model, INT64_MIN, ""))) {
		struct account_state *states[ACCOUNTS_MAX] = {NULL};

		for (int i = 0; i < marker->reservation.accounts; i++)
			for (int b = 0; b < count; b++) {
				struct account *account = account_of(model, &beliefs[b]);

				if (!account || strcmp(account->key, marker->account[i]) != 0)
					continue;
				state_roll(&account->state, &beliefs[b].windows, model->now_us);
				states[i] = &account->state;
			}
		marker_expire(model, marker, states);
		expired++;
	}
	return expired;
}

static bool model_look(
	struct backend *backend, const struct belief *belief, struct arena *arena, struct account_state *out)
{
	struct account *account = account_of(model_of(backend), belief);
	struct policy *policy;

	if (!account)
		return false;
	*out = account->state;
	out->policy = belief->policy;
	if (memcmp(account->policy->pid, belief->policy->pid, 8) != 0) {
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
	model_settings(backend, WINDOW_DEFAULT_US, false);
}

static struct backend *model_open(void)
{
	struct model *model = mem_zalloc(1, sizeof(*model));

	model->backend.ops = &backend_model;
	list_init(&model->accounts);
	list_init(&model->markers);
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
	.seed = model_seed,
	.policy = model_policy,
	.check = model_check,
	.record = model_record,
	.cancel = model_cancel,
	.renew = model_renew,
	.reset = model_reset,
	.expire = model_expire,
	.look = model_look,
};
