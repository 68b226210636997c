/* The model's data. */
#include "model_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model *model_of(struct backend *backend)
{
	return container_of(backend, struct model, backend);
}

void account_key(const struct expected *expected, char out[2 * ID_MAX + 8])
{
	snprintf(out, 2 * ID_MAX + 8, "%d/%s/%s", (int)expected->kind, expected->tenant, expected->id);
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

struct account *account_of(struct model *model, const struct expected *expected)
{
	char key[2 * ID_MAX + 8];

	account_key(expected, key);
	return account_find(model, key);
}

struct policy *policy_copy(const struct policy *policy)
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

struct marker *marker_find(struct model *model, const char *tenant, const char *user, const char *request_id)
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

struct marker *marker_new(struct model *model, const char *tenant, const char *user, const char *request_id)
{
	struct marker *marker = mem_zalloc(1, sizeof(*marker));

	snprintf(marker->key, sizeof(marker->key), "%s/%s/%s", tenant, user, request_id);
	marker->ends_us = INT64_MAX;
	list_push_back(&model->markers, &marker->link);
	return marker;
}

void marker_accounts(struct marker *marker, const struct expected expected[], int count)
{
	for (int i = 0; i < count; i++)
		account_key(&expected[i], marker->account[i]);
}

bool marker_on(const struct marker *marker, const struct expected expected[], int count)
{
	if (marker->reservation.accounts != count)
		return false;
	for (int i = 0; i < count; i++) {
		char key[2 * ID_MAX + 8];

		account_key(&expected[i], key);
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

/* A caller that expects another version may have other windows, so they stay as they are. */
static void account_load(struct loaded *loaded, int i, const struct expected *expected, int64_t now_us)
{
	struct account_state *state = &loaded->state[i];

	*state = loaded->account[i]->state;
	loaded->pointer[i] = state;
	loaded->policy[i] = NULL;
	if (expected->version != state->version) {
		loaded->turned_back[i] = state_follow(state, now_us);
		return;
	}
	loaded->turned_back[i] = state_roll(state, &expected->windows, now_us);
	if (expected->epoch <= state->epoch)
		return;
	state->epoch = expected->epoch;
	if (memcmp(expected->policy->pid, state->policy->pid, 8) != 0) {
		loaded->policy[i] = policy_copy(expected->policy);
		state_convert(state, loaded->policy[i], now_us);
	}
}

void loaded_free(struct loaded *loaded)
{
	for (int i = 0; i < loaded->count; i++)
		free(loaded->policy[i]);
}

enum limits_status load_all(struct model *model, struct limits_op *op, const struct expected expected[], int count,
	bool lenient, struct loaded *loaded)
{
	uint32_t behind = 0;
	bool clock = false;

	*loaded = (struct loaded){0};
	op->mask = 0;
	op->stale_count = 0;
	for (int i = 0; i < count; i++) {
		struct account *account = account_of(model, &expected[i]);

		if (!account) {
			op->mask |= 1u << i;
			continue;
		}
		loaded->account[i] = account;
		if (account->state.version > expected[i].version && !lenient)
			op->stale[op->stale_count++] = (struct stale){.index = i, .version = account->state.version};
		else if (account->state.version < expected[i].version && !lenient)
			behind |= 1u << i;
		if (account->state.version == expected[i].version)
			clock = clock || !clock_inside(&expected[i].windows, model->now_us);
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
		account_load(loaded, i, &expected[i], model->now_us);
	return LIMITS_OK;
}

static void save_one(struct loaded *loaded, int i)
{
	struct account *account = loaded->account[i];

	account->state = loaded->state[i];
	if (!loaded->policy[i])
		return;
	free(account->policy);
	account->policy = loaded->policy[i];
	loaded->policy[i] = NULL;
}

void save_all(struct loaded *loaded)
{
	for (int i = 0; i < loaded->count; i++)
		save_one(loaded, i);
}

void save_turned_back(struct loaded *loaded)
{
	for (int i = 0; i < loaded->count; i++)
		if (loaded->turned_back[i])
			save_one(loaded, i);
}

void standings_answer(struct limits_op *op, const struct expected expected[], const struct loaded *loaded)
{
	op->standings = loaded->count;
	for (int i = 0; i < loaded->count; i++) {
		struct standing *standing = arena_zalloc(op->arena, 1, sizeof(*standing));

		standing->state = loaded->state[i];
		standing->verdict = loaded->verdict[i];
		if (memcmp(expected[i].policy->pid, loaded->state[i].policy->pid, 8) == 0) {
			standing->state.policy = expected[i].policy;
		} else {
			standing->policy_is_other = true;
			standing->other = arena_zalloc(op->arena, 1, sizeof(*standing->other));
			*standing->other = *loaded->state[i].policy;
			standing->state.policy = standing->other;
		}
		op->standing[i] = standing;
	}
}

/* Far away from those that tests use. */
uint64_t nonce_of(struct model *model, uint64_t nonce)
{
	return nonce ? nonce : (UINT64_C(1) << 40) + ++model->nonce;
}

int nonce_find(const struct marker *marker, uint64_t nonce)
{
	for (int i = 0; i < marker->asked; i++)
		if (marker->nonce[i] == nonce)
			return i;
	return -1;
}

void nonce_add(struct marker *marker, uint64_t nonce)
{
	if (marker->asked < ASKED_MAX)
		marker->nonce[marker->asked++] = nonce;
	else
		marker->nonce[ASKED_MAX - 1] = NONCE_SOMEBODY;
}

void nonce_first(struct marker *marker, uint64_t nonce)
{
	marker->nonce[0] = nonce;
	if (!marker->asked)
		marker->asked = 1;
}

void marker_close(struct model *model, struct marker *marker)
{
	if (marker->reservation.state != RESERVATION_OPEN)
		marker->ends_us = model->now_us + model->window_us;
}

void marker_forget(struct marker *marker)
{
	list_remove(&marker->link);
	free(marker);
}

void marker_expire(struct model *model, struct marker *marker, struct account_state *const states[])
{
	struct settlement settlement = {.final = true, .becomes = RESERVATION_EXPIRED};
	struct verdict verdicts[ACCOUNTS_MAX];
	struct settled out;

	if (model->expiry_charges)
		settlement.used = marker->reservation.held;
	decision_settle(states, &marker->reservation, &settlement, model->now_us, &out, verdicts);
	marker_close(model, marker);
}

struct marker *marker_due(struct model *model, int64_t expires_us, const char *key)
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
