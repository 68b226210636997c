/* Shared by limits.c and outbox.c: a link, and the pieces that commands consist of. */
#ifndef BURSAR_REDIS_CODEC_STORE_PRIVATE_H
#define BURSAR_REDIS_CODEC_STORE_PRIVATE_H

#include "redis/codec/codec.h"
#include "redis/codec/keys.h"
#include "redis/link/link.h"
#include "redis/stores.h"

struct redis_store {
	struct redis_link *link;
	int64_t timeout_us, window_us;
	bool expiry_charges;
	struct buf scratch; /* for one argument at a time */
	struct packed_policies packed;
	struct accounts_digest digest;
};

/* Arguments before the keys (FCALL, the function, their number); keys of a partition, including the marker, before the
 * accounts. */
enum { ARGS_BEFORE = 3, PARTITION_KEYS = 4 };

bool redis_store_init(
	struct redis_store *store, const struct redis_options *options, int64_t timeout_us, struct err *err);
void redis_store_release(struct redis_store *store);

/* Appends the scratch buffer as an argument. */
void arg_scratch(struct redis_store *store, struct redis_command *command);
void arg_partition(struct redis_store *store, struct redis_command *command, int partition, enum partition_key key);
void arg_account(struct redis_store *store, struct redis_command *command, enum account_kind kind, const char *tenant,
	const char *id);
void arg_floor(struct redis_store *store, struct redis_command *command, enum account_kind kind, const char *tenant,
	const char *id);
void arg_number7(struct redis_store *store, struct redis_command *command, int64_t value);

/* The deadline of a call: the earlier of the caller's and the store's own. */
int64_t store_deadline(const struct redis_store *store, int64_t deadline_us);
/* The bytes of an answer; false (and an error in `err`) when it is not a string. */
bool reply_cut(const redisReply *reply, struct cut *out, struct err *err);
/* Unique random bytes. */
void fresh_bytes(void *out, size_t size);
/* The same as 16 hex digits. */
void fresh_generation(char out[17]);

#endif
