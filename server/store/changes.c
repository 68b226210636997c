/* The counters of changes, shared by the workers of this process. */
#include "store/changes.h"

#include <stdatomic.h>
#include <string.h>

#include "base/crypto/hash.h"

/* So many that accounts seldom share one: each change drops what is remembered of all that do. */
enum { COUNTERS = 1 << 18 };

static atomic_uint counters[COUNTERS];
static atomic_bool counting;

uint64_t change_key(enum account_kind kind, const char *tenant, const char *id)
{
	uint64_t key = hash64_keyed(id, strlen(id), hash64(tenant, strlen(tenant)), (uint64_t)kind);

	return key ? key : 1;
}

uint32_t change_count(uint64_t key)
{
	return atomic_load(&counters[key % COUNTERS]);
}

void change_note(enum account_kind kind, const char *tenant, const char *id)
{
	if (!atomic_load(&counting))
		return;
	atomic_fetch_add(&counters[change_key(kind, tenant, id) % COUNTERS], 1);
}

void changes_begin(void)
{
	atomic_store(&counting, true);
}
