/*
 * Entries in groups, by the hash of the account. An entry goes through three steps: denied once (nothing is asked of the
 * store yet), followed (a ticket), known (a check that was sent after the ticket's confirmation was denied).
 */
#include "service/worker/denials.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto/hash.h"
#include "base/units.h"

enum { GROUP = 8, IDS = 4, TOLD = 4 };
#define LIFE_US (60 * SECOND_US)

struct denial {
	uint64_t key; /* change_key */
	uint64_t used;
	uint64_t session, ticket; /* ticket 0: not followed */
	uint32_t changes; /* change_count(key) when it was first denied: another number ends everything */
	bool known;
	int64_t until_us; /* the store's clock */
	int64_t first_end_us;
	uint8_t pid[8];
	struct account_state *state; /* without its policy pointer; only as long as its limits */
	int ids;
	uint64_t id[IDS]; /* of requests that the store denied since the account is known */
	int tolds;
	struct {
		uint64_t key;
		int64_t until_us;
	} told[TOLD];
};

struct denials {
	struct changes_store *changes;
	int64_t memory_us;
	size_t groups;
	uint64_t turn;
	bool used; /* has ever had an entry */
	uint64_t *keys; /* of the entries; 0 = free. A group fills a line of the processor's cache */
	struct denial *entries;
};

struct denials *denials_new(struct changes_store *changes, int64_t memory_us, size_t entries)
{
	struct denials *denials;

	if (!changes || memory_us <= 0)
		return NULL;
	denials = mem_zalloc(1, sizeof(*denials));
	denials->changes = changes;
	denials->memory_us = memory_us;
	denials->groups = (entries + GROUP - 1) / GROUP;
	denials->keys = mem_zalloc(denials->groups * GROUP, sizeof(*denials->keys));
	denials->entries = mem_zalloc(denials->groups * GROUP, sizeof(*denials->entries));
	return denials;
}

void denials_free(struct denials *denials)
{
	if (!denials)
		return;
	for (size_t i = 0; i < denials->groups * GROUP; i++)
		free(denials->entries[i].state);
	free(denials->entries);
	free(denials->keys);
	free(denials);
}

static size_t group_of(const struct denials *denials, uint64_t key)
{
	return key % denials->groups * GROUP;
}

static struct denial *entry_find(struct denials *denials, uint64_t key)
{
	size_t group = group_of(denials, key);

	for (size_t i = group; i < group + GROUP; i++)
		if (denials->keys[i] == key) {
			denials->entries[i].used = ++denials->turn;
			return &denials->entries[i];
		}
	return NULL;
}

static void entry_forget(struct denial *entry, uint64_t session)
{
	entry->session = session;
	entry->ticket = 0;
	entry->known = false;
	entry->ids = entry->tolds = 0;
}

static struct denial *entry_take(struct denials *denials, uint64_t key)
{
	struct denial *entry = entry_find(denials, key);
	size_t oldest = group_of(denials, key);

	if (entry)
		return entry;
	for (size_t i = oldest; i < group_of(denials, key) + GROUP; i++)
		if (denials->entries[i].used < denials->entries[oldest].used)
			oldest = i;
	changes_begin();
	denials->used = true;
	denials->keys[oldest] = key;
	entry = &denials->entries[oldest];
	entry_forget(entry, 0);
	entry->key = key;
	entry->used = ++denials->turn;
	entry->changes = change_count(key) - 1; /* differs: the account has not been denied yet */
	return entry;
}

static uint64_t key_of(const struct accounts *accounts, int index)
{
	return change_key(accounts->account[index].kind, accounts->tenant, accounts->account[index].id);
}

static bool id_seen(const struct denial *entry, const char *request_id)
{
	uint64_t id = hash64(request_id, strlen(request_id));

	for (int i = 0; i < entry->ids && i < IDS; i++)
		if (entry->id[i] == id)
			return true;
	return false;
}

static size_t state_size(int limits)
{
	return offsetof(struct account_state, limits) + (size_t)limits * sizeof(union limit_state);
}

/* The account's state at `now_us`; NULL if it may have changed, or belongs to another policy or profile. */
static struct standing *state_load(const struct denial *entry, const struct accounts *accounts, int index,
	const struct changes_view *view, int64_t now_us)
{
	const struct request_account *account = &accounts->account[index];
	struct standing *standing;

	if (!entry || !entry->known || entry->session != view->session || now_us >= entry->until_us ||
		entry->changes != change_count(entry->key) || entry->state->version != account->profile->version ||
		memcmp(entry->pid, account->policy->pid, sizeof(entry->pid)) != 0)
		return NULL;
	standing = arena_zalloc(accounts->arena, 1, sizeof(*standing));
	memcpy(&standing->state, entry->state, state_size(account->policy->count));
	standing->state.policy = account->policy;
	/* Only a check that the store decides sets an account's clock back; until then its buckets would never fill. */
	if (state_roll(&standing->state, &account->windows, now_us) || standing->state.unseeded)
		return NULL;
	for (int u = 0; u < WINDOW_COUNT; u++)
		if (windows_start(&account->windows, (enum window_unit)u, standing->state.clock_us) < 0)
			return NULL;
	return standing;
}

/* An org that is reached through a team counts only while the team is known not to have moved. */
static void states_load(struct denials *denials, const struct accounts *accounts, struct denial *user,
	const struct changes_view *view, struct denials_answer *out)
{
	bool lost = false;

	for (int i = 0; i < accounts->count; i++) {
		enum account_kind kind = accounts->account[i].kind;
		struct denial *entry = i ? entry_find(denials, key_of(accounts, i)) : user;

		out->standing[i] =
			kind == ACCOUNT_ORG && lost ? NULL : state_load(entry, accounts, i, view, out->now_us);
		lost |= kind == ACCOUNT_TEAM && !out->standing[i];
	}
}

static bool denied(struct standing *const standing[], int count, const struct request *request, int64_t now_us)
{
	const struct account_state *states[ACCOUNTS_MAX];
	struct verdict verdicts[ACCOUNTS_MAX] = {0};
	int known = 0;
	bool passes;

	for (int i = 0; i < count; i++)
		if (standing[i])
			states[known++] = &standing[i]->state;
	passes = decision_test(states, known, request, now_us, verdicts);
	known = 0;
	for (int i = 0; i < count; i++)
		if (standing[i])
			standing[i]->verdict = verdicts[known++];
	return !passes;
}

bool denials_answer(struct denials *denials, const struct accounts *accounts, const struct request *request,
	struct denials_ask *ask, struct denials_answer *out)
{
	struct denial *user = denials->used ? entry_find(denials, key_of(accounts, 0)) : NULL;
	struct changes_view view;
	int64_t mono_us;

	ask->session = ask->in_effect = 0;
	if (!user)
		return false;
	denials->changes->ops->view(denials->changes, &view);
	ask->session = view.session;
	ask->in_effect = view.in_effect;
	mono_us = clock_mono_us();
	if (!user->known || !view.heard_us || mono_us - view.heard_us > denials->memory_us ||
		clock_was_set(view.ahead_us) || (!ask->id_is_new && !id_seen(user, ask->request_id)))
		return false;
	*out = (struct denials_answer){
		.now_us = view.time_us + (mono_us - view.heard_us), .first_end_us = user->first_end_us};
	states_load(denials, accounts, user, &view, out);
	return out->standing[0] && denied(out->standing, accounts->count, request, out->now_us);
}

static bool denies(const struct standing *standing)
{
	return standing->verdict.failed || standing->state.suspended || standing->state.deleted;
}

/* The user, those that deny, and the team through which an org was reached that denies. */
static bool matters(const struct accounts *accounts, const struct limits_check *op, int index)
{
	return index == 0 || denies(op->op.standing[index]) ||
	       (accounts->account[index].kind == ACCOUNT_TEAM && index + 1 < op->op.standings &&
		       accounts->account[index + 1].kind == ACCOUNT_ORG && denies(op->op.standing[index + 1]));
}

static void id_keep(struct denial *entry, const char *request_id)
{
	if (!id_seen(entry, request_id))
		entry->id[entry->ids++ % IDS] = hash64(request_id, strlen(request_id));
}

/*
 * The next check of the user may expire a reservation that is overdue by then. Those of other users it leaves alone,
 * because a reservation is on its own user.
 */
static int64_t life_us(const struct denials *denials, const struct limits_check *op)
{
	int64_t first_us = op->first_end_us ? op->first_end_us - op->op.now_us : denials->memory_us;

	return op->op.standing[0]->state.open > 0 && first_us < LIFE_US ? first_us : LIFE_US;
}

static void state_keep(struct denial *entry, const struct standing *standing, int64_t until_us)
{
	const struct account_state *state = &standing->state;

	if (!entry->known || memcmp(entry->pid, state->policy->pid, sizeof(entry->pid)) != 0) {
		free(entry->state);
		entry->state = mem_zalloc(1, state_size(state->policy->count));
	}
	memcpy(entry->state, state, state_size(state->policy->count));
	entry->state->policy = NULL;
	memcpy(entry->pid, state->policy->pid, sizeof(entry->pid));
	entry->until_us = until_us;
	entry->known = true;
}

/* True if the account is to be followed now. */
static bool entry_learn(struct denial *entry, const struct request_account *account, const struct standing *standing,
	const struct denials_ask *ask, int64_t until_us)
{
	uint32_t changes = change_count(entry->key);

	if (entry->changes != changes) {
		entry_forget(entry, ask->session);
		entry->changes = changes;
		return false;
	}
	if (entry->session != ask->session)
		entry_forget(entry, ask->session);
	if (!entry->session)
		return false;
	if (entry->ticket && entry->ticket <= ask->in_effect &&
		memcmp(standing->state.policy->pid, account->policy->pid, sizeof(account->policy->pid)) == 0)
		state_keep(entry, standing, until_us);
	return !entry->ticket;
}

void denials_learn(struct denials *denials, const struct accounts *accounts, const struct limits_check *op,
	const struct denials_ask *ask)
{
	struct denial *follow[ACCOUNTS_MAX], *user = NULL;
	struct changes_account account[ACCOUNTS_MAX];
	int64_t until_us = op->op.now_us + life_us(denials, op);
	int count = 0;
	uint64_t ticket;

	for (int i = 0; i < op->op.standings; i++) {
		struct denial *entry;

		if (!matters(accounts, op, i))
			continue;
		entry = entry_take(denials, key_of(accounts, i));
		if (i == 0)
			user = entry;
		if (!entry_learn(entry, &accounts->account[i], op->op.standing[i], ask, until_us))
			continue;
		follow[count] = entry;
		account[count++] = (struct changes_account){
			.kind = accounts->account[i].kind, .tenant = accounts->tenant, .id = accounts->account[i].id};
	}
	if (user) {
		user->first_end_us = op->first_end_us;
		if (user->known && !ask->id_is_new)
			id_keep(user, ask->request_id);
	}
	if (!count)
		return;
	ticket = denials->changes->ops->follow(denials->changes, account, count);
	for (int i = 0; i < count; i++)
		follow[i]->ticket = ticket;
}

void denials_tell(struct denials *denials, const struct accounts *accounts, uint64_t key, int64_t until_us)
{
	struct denial *user = entry_find(denials, key_of(accounts, 0));
	int at;

	if (!user)
		return;
	for (at = 0; at < TOLD && at < user->tolds && user->told[at].key != key; at++)
		;
	if (at == TOLD || at == user->tolds)
		at = user->tolds++ % TOLD;
	user->told[at].key = key;
	user->told[at].until_us = until_us;
}

bool denials_told(struct denials *denials, const struct accounts *accounts, uint64_t key, int64_t now_us)
{
	const struct denial *user = entry_find(denials, key_of(accounts, 0));

	for (int i = 0; user && i < user->tolds && i < TOLD; i++)
		if (user->told[i].key == key)
			return now_us < user->told[i].until_us;
	return false;
}
