/*
 * Hash chains over a fixed array of entries, and a ring in order of use. Entries with overrides own a slot in a second
 * array.
 */
#include "service/cache/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/list.h"

/* The overrides of one account, and the policy that results from merging them with its tier. */
struct own {
	struct list used; /* in the ring `owns_used`; `entry` is NULL while the slot is free */
	struct entry *entry;
	bool merged;
	uint64_t generation; /* of the catalog used for the merge */
	uint8_t tier_pid[8]; /* the tier and the number of overrides merged; fewer once some have ended */
	int merged_count;
	struct limit overrides[LIMITS_MAX];
	struct policy policy;
};

struct entry {
	struct list used;
	struct entry *chain;
	uint64_t hash;
	bool taken;
	enum account_kind kind;
	char tenant[ID_MAX + 1], id[ID_MAX + 1];
	struct account_profile profile; /* its overrides are in `own` */
	struct own *own;
};

struct account_cache {
	size_t buckets; /* a power of two */
	struct entry **bucket;
	struct entry *entries;
	struct own *owns;
	struct list used, owns_used; /* most recently used first; never empty */
};

struct account_cache *account_cache_new(int64_t entries)
{
	size_t count = entries < 16 ? 16 : (size_t)entries;
	size_t owns = count / 64 < 16 ? 16 : count / 64;
	struct account_cache *cache = mem_zalloc(1, sizeof(*cache));

	cache->buckets = 16;
	while (cache->buckets < count)
		cache->buckets *= 2;
	cache->bucket = mem_zalloc(cache->buckets, sizeof(struct entry *));
	cache->entries = mem_zalloc(count, sizeof(*cache->entries));
	cache->owns = mem_zalloc(owns, sizeof(*cache->owns));
	list_init(&cache->used);
	list_init(&cache->owns_used);
	for (size_t i = 0; i < count; i++)
		list_push_back(&cache->used, &cache->entries[i].used);
	for (size_t i = 0; i < owns; i++)
		list_push_back(&cache->owns_used, &cache->owns[i].used);
	return cache;
}

void account_cache_free(struct account_cache *cache)
{
	if (!cache)
		return;
	free(cache->bucket);
	free(cache->entries);
	free(cache->owns);
	free(cache);
}

static uint64_t key_hash(enum account_kind kind, const char *tenant, const char *id)
{
	char key[2 * ID_MAX + 2];
	size_t tenant_len = strlen(tenant);
	size_t id_len = strlen(id);

	key[0] = (char)kind;
	memcpy(key + 1, tenant, tenant_len + 1);
	memcpy(key + tenant_len + 2, id, id_len);
	return hash64(key, tenant_len + 2 + id_len);
}

static struct entry *entry_find(
	struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id, uint64_t hash)
{
	for (struct entry *entry = cache->bucket[hash & (cache->buckets - 1)]; entry; entry = entry->chain)
		if (entry->hash == hash && entry->kind == kind && strcmp(entry->id, id) == 0 &&
			strcmp(entry->tenant, tenant) == 0)
			return entry;
	return NULL;
}

static void own_drop(struct account_cache *cache, struct entry *entry)
{
	struct own *own = entry->own;

	if (!own)
		return;
	entry->own = NULL;
	own->entry = NULL;
	list_remove(&own->used);
	list_push_back(&cache->owns_used, &own->used);
}

static void entry_drop(struct account_cache *cache, struct entry *entry)
{
	struct entry **at = &cache->bucket[entry->hash & (cache->buckets - 1)];

	if (!entry->taken)
		return;
	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	entry->taken = false;
	own_drop(cache, entry);
	list_remove(&entry->used);
	list_push_back(&cache->used, &entry->used);
}

static void touch(struct list *ring, struct list *link)
{
	list_remove(link);
	list_push_front(ring, link);
}

/* Takes the least recently used slot; the account that owned it is dropped from the cache entirely. */
static struct own *own_take(struct account_cache *cache, struct entry *entry)
{
	struct own *own = container_of(cache->owns_used.prev, struct own, used);

	if (own->entry)
		entry_drop(cache, own->entry);
	own->entry = entry;
	own->merged = false;
	touch(&cache->owns_used, &own->used);
	return own;
}

static struct entry *entry_take(
	struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id, uint64_t hash)
{
	struct entry *entry = container_of(cache->used.prev, struct entry, used);
	struct entry **bucket = &cache->bucket[hash & (cache->buckets - 1)];

	entry_drop(cache, entry);
	entry->taken = true;
	entry->hash = hash;
	entry->kind = kind;
	memcpy(entry->tenant, tenant, strlen(tenant) + 1);
	memcpy(entry->id, id, strlen(id) + 1);
	entry->chain = *bucket;
	*bucket = entry;
	return entry;
}

struct policy *policy_copy(struct arena *arena, const struct policy *policy)
{
	struct policy *copy = arena_alloc(arena, sizeof(*copy));

	memcpy(copy, policy, offsetof(struct policy, limits) + (size_t)policy->count * sizeof(policy->limits[0]));
	return copy;
}

struct account_profile *profile_copy(struct arena *arena, const struct account_profile *profile)
{
	struct account_profile *copy = arena_alloc(arena, sizeof(*copy));
	size_t size = (size_t)profile->override_count * sizeof(*profile->overrides);

	*copy = *profile;
	copy->overrides = NULL;
	if (size) {
		copy->overrides = arena_alloc(arena, size);
		memcpy(copy->overrides, profile->overrides, size);
	}
	return copy;
}

const struct account_profile *account_cache_get(
	struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id, struct arena *arena)
{
	struct entry *entry = entry_find(cache, kind, tenant, id, key_hash(kind, tenant, id));

	if (!entry)
		return NULL;
	touch(&cache->used, &entry->used);
	if (entry->own)
		touch(&cache->owns_used, &entry->own->used);
	return profile_copy(arena, &entry->profile);
}

void account_cache_put(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id,
	const struct account_profile *profile)
{
	uint64_t hash = key_hash(kind, tenant, id);
	struct entry *entry = entry_find(cache, kind, tenant, id, hash);

	if (entry && entry->profile.version > profile->version)
		return;
	if (!entry)
		entry = entry_take(cache, kind, tenant, id, hash);
	touch(&cache->used, &entry->used);
	if (!profile->override_count)
		own_drop(cache, entry);
	else if (!entry->own)
		entry->own = own_take(cache, entry);
	entry->profile = *profile;
	entry->profile.overrides = NULL;
	if (entry->own) {
		entry->own->merged = false;
		memcpy(entry->own->overrides, profile->overrides,
			(size_t)profile->override_count * sizeof(*profile->overrides));
		entry->profile.overrides = entry->own->overrides;
	}
}

void account_cache_forget(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id)
{
	struct entry *entry = entry_find(cache, kind, tenant, id, key_hash(kind, tenant, id));

	if (entry)
		entry_drop(cache, entry);
}

static struct own *own_find(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id,
	const struct account_profile *profile)
{
	struct entry *entry = entry_find(cache, kind, tenant, id, key_hash(kind, tenant, id));

	return entry && entry->profile.version == profile->version ? entry->own : NULL;
}

const struct policy *account_cache_policy(struct account_cache *cache, enum account_kind kind, const char *tenant,
	const char *id, const struct account_profile *profile, const struct policy *tier, uint64_t generation,
	struct arena *arena)
{
	struct own *own = own_find(cache, kind, tenant, id, profile);

	if (!own || !own->merged || own->merged_count != profile->override_count || own->generation != generation ||
		memcmp(own->tier_pid, tier->pid, sizeof(own->tier_pid)) != 0)
		return NULL;
	return policy_copy(arena, &own->policy);
}

void account_cache_keep_policy(struct account_cache *cache, enum account_kind kind, const char *tenant, const char *id,
	const struct account_profile *profile, const struct policy *tier, uint64_t generation,
	const struct policy *merged)
{
	struct own *own = own_find(cache, kind, tenant, id, profile);

	if (!own)
		return;
	own->policy = *merged;
	own->merged = true;
	own->merged_count = profile->override_count;
	own->generation = generation;
	memcpy(own->tier_pid, tier->pid, sizeof(own->tier_pid));
}
