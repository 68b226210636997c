/* The world of a case: accounts with their limits, the clock, and the backend that holds them. */
#ifndef TESTS_CONTRACT_WORLD_H
#define TESTS_CONTRACT_WORLD_H

#include "backend.h"
#include "base/arena.h"
#include "script.h"

struct subject {
	enum account_kind kind;
	char id[ID_MAX + 1];
	struct account_profile profile;
	struct policy policy, stored; /* as edited; as sent to the backend */
	uint32_t version, epoch;
	bool seeded, dirty;
	int64_t ledger[LIMITS_MAX]; /* indexed like the limits; 0 = what the limit has settled */
};

struct world {
	struct backend *backend;
	struct arena arena;
	int64_t now_us;
	int subjects;
	struct subject subject[ACCOUNTS_MAX];
	struct subject *current;
};

/* Empties the world and the backend. */
void world_clear(struct world *world);

/* The subject of a kind; creates it if there is none. */
struct subject *world_subject(struct world *world, const struct line *line, const char *kind);

/* Sends edits to the backend: seeds an account that is absent; later changes wait for world_apply. */
void world_settle(struct world *world, const struct line *line);

/* Writes the current subject's edits through, with a new version; or only raises the tenant's epoch, so that the next
 * check brings them. */
void world_apply(struct world *world, const struct line *line, bool by_epoch);

/* The account's limits adopt the ledger's amounts (`ledger`), or what they have settled if the ledger has none. */
void world_adopt(struct world *world, const struct line *line, const struct unseeded *unseeded);

/* The state of the accounts that a caller expects now. Returns how many accounts. */
int world_expected(struct world *world, const struct line *line, struct expected out[ACCOUNTS_MAX]);

/* The subject's state as stored, rolled to now. */
void world_look(struct world *world, const struct line *line, const struct subject *subject, bool roll,
	struct account_state *out);

/* "rpm" of the user, "team/rpm" of others: the subject and the index of the limit in `state`. */
const struct subject *world_limit(struct world *world, const struct line *line, const char *path, int *index);

#endif
