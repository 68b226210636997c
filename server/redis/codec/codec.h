/* What C and Lua exchange, as bytes. docs/store.md has the layouts. */
#ifndef BURSAR_REDIS_CODEC_CODEC_H
#define BURSAR_REDIS_CODEC_CODEC_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "store/limits.h"

/* Packed policies by pid, so that a policy is packed once rather than for every call. Embedded, zeroed. */
#define PACKED_SLOTS 64
struct packed_policies {
	struct {
		uint8_t pid[8];
		struct buf bytes;
	} slot[PACKED_SLOTS];
};
/* The packed form of a prepared policy; valid until the next call. */
const struct buf *policy_packed(struct packed_policies *packed, const struct policy *policy);
void packed_policies_release(struct packed_policies *packed);

/* The first byte of an answer, and the bits of requests. */
enum { CHECK_DRY_RUN = 1, CHECK_PROBE_COST = 2, CHECK_EXPIRY_CHARGES = 4, CHECK_PROVISIONAL_OK = 8 };
enum { ADOPT_EVEN_IF_MOVED = 1 };
enum { RECORD_FINAL = 1, RECORD_ANYWAY = 2, RECORD_COUNTED = 4 };
enum { CANCEL_UNLESS_REPEATED = 1, CANCEL_FORGET = 2 };
enum { EXPIRE_CHARGES = 1 };
enum {
	RECORD_FLAG_OWN = 1,
	RECORD_FLAG_SUSPENDED = 2,
	RECORD_FLAG_BYPASS = 4,
	RECORD_FLAG_PROVISIONAL = 8,
	RECORD_FLAG_DELETED = 16,
	POLICY_FLAG_KEEP = 32
};

/*
 * These append to `out`. A blob without its policy (`packed` NULL) is enough when Redis knows the policy already, which
 * is nearly always so; otherwise it answers LIMITS_NO_POLICY.
 */
void codec_blob(struct buf *out, const struct expected *expected, struct packed_policies *packed);
/* What asks whether a denial is to be told. */
void codec_tell(struct buf *out, const struct limits_check *op);
void codec_check(struct buf *out, const struct limits_check *op, int64_t window_us, bool expiry_charges,
	const uint8_t accounts_digest[8]);
void codec_record(struct buf *out, const struct limits_settle *op, int64_t window_us, const uint8_t accounts_digest[8]);
void codec_cancel(struct buf *out, const struct limits_settle *op, int64_t window_us, const uint8_t accounts_digest[8]);
void codec_give_up(struct buf *out, uint64_t nonce, const uint8_t accounts_digest[8]);
void codec_policy(struct buf *out, const struct limits_policy *op);
void codec_adopt(struct buf *out, const struct limits_adopt *op);
/* The initial record of a seeded account; the time after which it may be deleted (s) goes to `expires_s`. */
void codec_seed(struct buf *out, const struct limits_seed *op, struct packed_policies *packed, uint32_t *expires_s);

/* A whole record as it is stored, for tests and tools: the pid of its policy, the policy it carries (NULL: none), and its
 * state under that policy. False when the bytes are invalid. */
bool codec_record_pid(const void *record, size_t len, uint8_t pid[8]);
const uint8_t *codec_record_policy(const void *record, size_t len, size_t *policy_len);
bool codec_record_state(const void *record, size_t len, const struct policy *policy, struct account_state *out);

/*
 * Reads the status and the time of any answer, and what accompanies the refusals that all functions share (ABSENT,
 * STALE, BEHIND, NEEDKEYS; texts are copied to op->arena). False, with LIMITS_FAILED, when the bytes are not an answer.
 */
bool codec_status(struct cut *cut, struct limits_op *op);
/* Reads what follows the status if there is a decision. False when the bytes are invalid. */
bool codec_check_answer(struct cut *cut, struct limits_check *op);
bool codec_settle_answer(struct cut *cut, struct limits_settle *op);

#endif
