/* The names of keys in Redis. docs/store.md lists them. */
#ifndef BURSAR_REDIS_CODEC_KEYS_H
#define BURSAR_REDIS_CODEC_KEYS_H

#include "base/buf.h"
#include "base/utf8.h"
#include "domain/limit/account.h"
#include "domain/record/partition.h"

enum partition_key { KEY_GEN, KEY_DUE, KEY_OUT, KEY_POL };

/* The keys of a pool, in the order in which its functions take them. */
#define POOL_KEYS 12
enum pool_key {
	POOL_KEY_CFG,
	POOL_KEY_ST,
	POOL_KEY_REQ,
	POOL_KEY_USR,
	POOL_KEY_WAIT,
	POOL_KEY_READY,
	POOL_KEY_SINCE,
	POOL_KEY_AGE,
	POOL_KEY_LEASE,
	POOL_KEY_WK,
	POOL_KEY_OWN,
	POOL_KEY_GC,
};

/* All of these append to `out`. */
void key_pool(struct buf *out, const char *tenant, const char *pool, enum pool_key key);
void key_partition(struct buf *out, int partition, enum partition_key key);
void key_account(struct buf *out, enum account_kind kind, const char *tenant, const char *id);
/* The reverse of key_account. False for any other key. Appends nothing. */
bool key_account_parse(
	const char *key, size_t len, enum account_kind *kind, char tenant[ID_MAX + 1], char id[ID_MAX + 1]);
/* The lowest version that the account's record may be created with; kept for a while after a change made without a
 * record. */
void key_floor(struct buf *out, enum account_kind kind, const char *tenant, const char *id);
/* In the partition of the user. */
void key_marker(struct buf *out, const char *tenant, const char *user, const char *request_id);
/* The prefix of the keys of a tenant's markers in this partition; of one user's, who is in this partition, if `user` is
 * not "". */
void key_markers(struct buf *out, int partition, const char *tenant, const char *user);
/* In the partition of the account: resets. The id cannot collide with that of a user's request. */
void key_reset_marker(
	struct buf *out, enum account_kind kind, const char *tenant, const char *id, const char *request_id);

/* The names of the accounts as one hash: tells whether a reservation counts on the given accounts. */
struct accounts_digest {
	struct buf text;
};
void accounts_digest_add(struct accounts_digest *digest, enum account_kind kind, const char *tenant, const char *id);
/* Eight bytes; empties the digest. */
void accounts_digest_end(struct accounts_digest *digest, uint8_t out[8]);

#endif
