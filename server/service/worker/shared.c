/* A hash table in which a newer account replaces the older one in its entry. Queries are batched, one job at a time. */
#include "service/worker/shared.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto/hash.h"
#include "base/list.h"
#include "base/observe/log.h"
#include "service/worker/worker.h"

enum { ENTRIES = 1024, FRESH_US = 10000000, QUERY_US = 2000000 };

struct sharing {
	enum account_kind kind; /* 0: free */
	char tenant[ID_MAX + 1], id[ID_MAX + 1];
	int64_t users; /* 0: unknown */
	int64_t fresh_until_us; /* clock_mono_us */
	bool asked; /* a query is queued or in flight */
};

struct shared {
	struct worker *worker;
	struct sharing entry[ENTRIES];
	int queued_count, asking_count;
	int queued[SHARED_KEYS_MAX], asking[SHARED_KEYS_MAX]; /* entries */
	bool submitted, stopped;
	struct arena arena;
	struct shared_counts op;
};

static void ask(struct shared *shared);

struct shared *shared_new(struct worker *worker)
{
	struct shared *shared = mem_zalloc(1, sizeof(*shared));

	shared->worker = worker;
	return shared;
}

void shared_free(struct shared *shared)
{
	if (!shared)
		return;
	arena_release(&shared->arena);
	free(shared);
}

bool shared_stop(struct shared *shared)
{
	shared->stopped = true;
	return !shared->submitted;
}

/* By the time of the answer, the entry may belong to another account. */
static bool same(const struct sharing *entry, const struct account_key *key)
{
	return entry->kind == key->kind && strcmp(entry->id, key->id) == 0 && strcmp(entry->tenant, key->tenant) == 0;
}

static void answered(struct admin_job *job)
{
	struct shared *shared = container_of(container_of(job, struct shared_counts, job), struct shared, op);
	int64_t now_us = clock_mono_us();

	shared->submitted = false;
	if (!job->ok && job->err.code == ERR_UNAVAILABLE)
		worker_durable_said(shared->worker, ERR_UNAVAILABLE, now_us);
	for (int i = 0; i < shared->asking_count; i++) {
		struct sharing *entry = &shared->entry[shared->asking[i]];

		if (!same(entry, &shared->op.key[i]))
			continue;
		entry->asked = false;
		if (job->ok) {
			entry->users = shared->op.users[i];
			entry->fresh_until_us = now_us + FRESH_US;
		}
	}
	arena_reset(&shared->arena);
	if (shared->queued_count)
		ask(shared);
}

static void ask(struct shared *shared)
{
	struct admin_store *admin = shared->worker->parts.admin;

	if (shared->submitted)
		return;
	shared->op = (struct shared_counts){
		.job = {.arena = &shared->arena, .done = answered, .deadline_us = clock_mono_us() + QUERY_US},
		.count = shared->queued_count,
	};
	for (int i = 0; i < shared->queued_count; i++) {
		const struct sharing *entry = &shared->entry[shared->queued[i]];

		shared->asking[i] = shared->queued[i];
		shared->op.key[i] = (struct account_key){
			.kind = entry->kind,
			.tenant = arena_strndup(&shared->arena, entry->tenant, strlen(entry->tenant)),
			.id = arena_strndup(&shared->arena, entry->id, strlen(entry->id)),
		};
	}
	shared->asking_count = shared->queued_count;
	shared->queued_count = 0;
	shared->submitted = true;
	admin->ops->shared_counts(admin, &shared->op);
}

static bool can_ask(const struct shared *shared)
{
	return shared->worker->parts.admin && !shared->stopped &&
	       clock_mono_us() >= shared->worker->durable_away_until_us;
}

bool shared_users_of(struct shared *shared, enum account_kind kind, const char *tenant, const char *id, int64_t *users)
{
	const struct account_key key = {.kind = kind, .tenant = tenant, .id = id};
	uint64_t hash = hash64(id, strlen(id)) ^ hash64(tenant, strlen(tenant)) * 31 ^ (uint64_t)kind << 17;
	struct sharing *entry = &shared->entry[hash % ENTRIES];

	if (!same(entry, &key)) {
		*entry = (struct sharing){.kind = kind, .asked = false};
		memcpy(entry->tenant, tenant, strlen(tenant) + 1);
		memcpy(entry->id, id, strlen(id) + 1);
	}
	*users = entry->users;
	if (clock_mono_us() < entry->fresh_until_us)
		return true;
	if (!entry->asked && can_ask(shared) && shared->queued_count < SHARED_KEYS_MAX) {
		entry->asked = true;
		shared->queued[shared->queued_count++] = (int)(entry - shared->entry);
		ask(shared);
	}
	return *users > 0 || !entry->asked;
}
