/* Writes the profiles of many accounts through to the store. */
#include "service/worker/policy_writes.h"

#include <string.h>

#include "base/list.h"
#include "base/observe/log.h"

/* How many writes are in flight at once, and so how many a check of the same loop turn may wait behind in Redis. */
#define AT_ONCE 64

struct policy_slot {
	union {
		struct limits_op op; /* each begins with it */
		struct limits_policy policy;
		struct limits_erase erase;
	};
	struct policy_writes *owner;
	struct policy_write *write;
};

static void fail(struct policy_writes *writes, struct policy_write *write, const struct err *err)
{
	write->status = LIMITS_FAILED;
	if (!writes->failed)
		writes->err = *err;
	writes->failed = true;
}

/* Builds the expected state to send to the store. Leaves the worker's cache alone; checks fill it. */
static bool believe(struct policy_writes *writes, const struct policy_write *write, struct err *err)
{
	const struct entry_account account = {.kind = write->key.kind, .id = write->key.id};
	struct accounts *accounts = &writes->accounts;

	if (!accounts->tenant || strcmp(accounts->tenant, write->key.tenant) != 0) {
		if (!accounts_init(accounts, writes->worker, writes->arena, writes->snapshot, write->key.tenant, err)) {
			accounts->tenant = NULL;
			return false;
		}
	}
	accounts->learned_count = 0;
	accounts_assume(accounts, account.kind, account.id, write->profile);
	return accounts_of_reservation(accounts, &account, 1, err);
}

static void slot_fill(struct policy_slot *slot);

static void slot_done(struct limits_op *op)
{
	struct policy_slot *slot = container_of(op, struct policy_slot, op);
	struct policy_writes *writes = slot->owner;
	bool in_use = !slot->write->profile && op->status == LIMITS_OK && (slot->erase.open || slot->erase.undrained);

	slot->write->status = in_use ? LIMITS_UNKNOWN : op->status;
	if (op->status == LIMITS_FAILED)
		fail(writes, slot->write, &op->err);
	writes->open--;
	slot_fill(slot);
	if (writes->open > 0)
		return;
	snapshot_give(writes->worker, writes->snapshot);
	writes->done(writes);
}

static void drop(struct policy_slot *slot)
{
	const struct policy_writes *writes = slot->owner;
	struct limits_store *limits = writes->worker->parts.limits;
	const struct account_key *key = &slot->write->key;

	account_cache_forget(writes->worker->cache, key->kind, key->tenant, key->id);
	slot->erase = (struct limits_erase){
		.op = {.arena = writes->arena, .done = slot_done}, .tenant = key->tenant, .user = key->id};
	limits->ops->erase(limits, &slot->erase);
}

/* Starts the next write that can be made in a free slot. */
static void slot_fill(struct policy_slot *slot)
{
	struct policy_writes *writes = slot->owner;
	struct limits_store *limits = writes->worker->parts.limits;
	struct err err;

	while (writes->next < writes->count) {
		slot->write = &writes->write[writes->next++];
		if (!slot->write->profile && slot->write->key.kind != ACCOUNT_USER) {
			slot->write->status = LIMITS_NOTHING;
			continue;
		}
		if (!slot->write->profile) {
			writes->open++;
			drop(slot);
			return;
		}
		if (!believe(writes, slot->write, &err)) {
			slot->write->status = LIMITS_UNKNOWN;
			log_warn("cannot write an account's change through to Redis", F("why", err.text));
			continue;
		}
		slot->policy = (struct limits_policy){
			.op = {.arena = writes->arena, .done = slot_done},
			.expected = account_expect(&writes->accounts, 0),
			.profile = slot->write->profile,
		};
		writes->open++;
		limits->ops->policy(limits, &slot->policy);
		return;
	}
}

bool policy_writes_start(struct policy_writes *writes)
{
	struct err err;

	writes->next = writes->open = 0;
	writes->failed = false;
	writes->accounts.tenant = NULL;
	writes->snapshot = snapshot_take(writes->worker, &err);
	if (!writes->snapshot) {
		for (int i = 0; i < writes->count; i++)
			fail(writes, &writes->write[i], &err);
		return false;
	}
	writes->slot = arena_zalloc(writes->arena, AT_ONCE, sizeof(*writes->slot));
	for (int i = 0; i < AT_ONCE && writes->next < writes->count; i++) {
		writes->slot[i].owner = writes;
		slot_fill(&writes->slot[i]);
	}
	if (writes->open > 0)
		return true;
	snapshot_give(writes->worker, writes->snapshot);
	return false;
}
