/* Building a catalog: for its loader, and for tests of the use cases, which need no PostgreSQL. */
#ifndef BURSAR_STORE_CATALOG_BUILD_H
#define BURSAR_STORE_CATALOG_BUILD_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "domain/text/texts.h"
#include "store/catalog.h"

/*
 * The parts of a catalog. catalog_new takes over the arrays, the tenants' model accounts and the book, and makes the
 * tiers' limits count the models that their names resolve to.
 */
struct catalog_parts {
	int tenants, tiers;
	struct tenant *tenant; /* any order; an account without a tenant's row brings its own (see tenant_defaults) */
	struct catalog_tier {
		char tenant[ID_MAX + 1]; /* "" = shipped */
		struct tier tier;
	} * tier; /* any order; policies prepared */
	struct price_book *prices;
	int pools;
	struct catalog_pool {
		char tenant[ID_MAX + 1]; /* "" = shipped */
		struct pool_settings settings;
	} * pool; /* any order */
	int texts;
	struct catalog_texts {
		char tenant[ID_MAX + 1];
		struct text_table table;
	} * text; /* any order; of each tenant that has some */
	struct arena text_rows; /* their templates; taken over like the arrays */
	int keys;
	struct api_key *key; /* any order; not the revoked ones */
	struct arena key_texts; /* their strings; taken over like the arrays */
	bool keys_made; /* there is a key, revoked or not */
	struct signer signer; /* this process's */
	int signers;
	uint8_t (*signer_public)[SIGNER_PUBLIC_BYTES]; /* any order; taken over; of all processes, this one included */
	int64_t stored; /* the durable store's generation */
	int64_t names_at_us; /* model names are resolved as of this time */
	int default_slots; /* of POOL_DEFAULT when it has no row, not even a shipped one */
};

/* The settings of `default` when the database has no row for it. */
void tenant_defaults(struct tenant *tenant, const char *id);

/* Returns it with one reference, the caller's. */
struct catalog *catalog_new(const struct catalog_parts *parts);

/* Embedded in its loader. The newest catalog, swapped under a lock that is never held for long. */
struct catalog_source {
	pthread_mutex_t lock;
	struct catalog *current;
	_Atomic uint64_t generation;
	void (*poke)(struct catalog_source *source); /* set by the loader; NULL: it cannot be hurried */
};
void catalog_source_init(struct catalog_source *source);
/* Takes over the caller's reference; the catalog gets the next generation. */
void catalog_publish(struct catalog_source *source, struct catalog *catalog);
/* Releases the current catalog; others may still hold theirs. */
void catalog_source_release(struct catalog_source *source);

#endif
