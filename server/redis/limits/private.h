/* Shared by limits.c (requests) and account.c (accounts). */
#ifndef BURSAR_REDIS_LIMITS_PRIVATE_H
#define BURSAR_REDIS_LIMITS_PRIVATE_H

#include "redis/limits/debts.h"
#include "store/changes.h"

struct redis_limits {
	struct limits_store store;
	struct redis_store redis;
	struct debts debts;
	uint64_t nonce; /* the last one used */
};

struct redis_limits *redis_limits_of(struct limits_store *store);

/* Clears the answer fields of an operation. */
void limits_begin(struct limits_op *op);
/* True when the op has got its status from the answer; a decision may follow in `cut`. */
bool limits_answered(struct limits_op *op, const redisReply *reply, const struct err *err, struct cut *cut);
/* A call that may have changed these accounts has ended, perhaps without an answer. Before its caller is told. */
void limits_changed(const struct expected expected[], int count);
/* FCALL of a function on a request: a marker, its partition's keys, its accounts. Leaves the marker's key in the
 * scratch buffer. */
struct redis_command *limits_request_command(struct redis_limits *limits, enum redis_function function,
	void (*done)(struct redis_command *, const redisReply *, const struct err *), void *user, const char *tenant,
	const char *name, const struct expected expected[], int count);
void limits_arg_blob(struct redis_store *redis, struct redis_command *command, const struct expected *expected);
/* Appends the blobs of all its accounts, but without their policies: Redis knows those of its records. */
void limits_arg_blobs(
	struct redis_store *redis, struct redis_command *command, const struct expected expected[], int count);
/* Sends the command, with these blobs as its last arguments. */
void limits_send(struct redis_store *redis, struct redis_command *command, const struct expected expected[], int count,
	int64_t deadline_us);
/*
 * For `done` of such a command: true if Redis asks for the policies (the first call after a tier was changed, or after
 * what it knew was lost). The command has been sent again with them then, to the same `done` and by the same deadline.
 */
bool limits_sent_again(struct redis_store *redis, const struct redis_command *command, struct limits_op *op,
	const struct expected expected[], int count);

void limits_birth_start(struct limits_store *store, struct limits_birth *op);
void limits_seed_start(struct limits_store *store, struct limits_seed *op);
void limits_policy_start(struct limits_store *store, struct limits_policy *op);
void limits_adopt_start(struct limits_store *store, struct limits_adopt *op);
void limits_reset_start(struct limits_store *store, struct limits_reset *op);
void limits_adjust_start(struct limits_store *store, struct limits_adjust *op);
void limits_erase_start(struct limits_store *store, struct limits_erase *op);
void limits_reservations_start(struct limits_store *store, struct limits_reservations *op);
void limits_reservation_start(struct limits_store *store, struct limits_reservation *op);
void limits_facts_start(struct limits_store *store, struct limits_facts *op);

#endif
