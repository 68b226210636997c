/*
 * What an outbox entry says, and the two parts of it that Lua only carries: `info` (who asked, kept with the
 * reservation) and `usage` (what one record used). docs/store.md has the layout of the entry around them.
 */
#ifndef BURSAR_DOMAIN_RECORD_ENTRY_H
#define BURSAR_DOMAIN_RECORD_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "domain/limit/account.h"
#include "domain/limit/decision.h"

/* Token classes of a record, of the table in domain/limit/dimensions.h. */
enum token_class {
#define ROW(NAME, name) TOKEN_##NAME,
	TOKEN_CLASSES(ROW)
#undef ROW
		TOKEN_CLASS_COUNT
};
const char *token_class_name(enum token_class class);

struct tokens {
	int64_t count[TOKEN_CLASS_COUNT];
};
/* Sums of the input and of the output classes. Callers have checked that no sum passes COUNT_MAX (tokens_check). */
int64_t tokens_input(const struct tokens *tokens);
int64_t tokens_output(const struct tokens *tokens);
bool tokens_check(const struct tokens *tokens, const char *field, struct err *err);
/* The same for differences, which may be below 0: in either direction no more than COUNT_MAX together. */
bool tokens_check_signed(const struct tokens *tokens, const char *field, struct err *err);

#define FLAG_UNPRICED \
	1 /* not charged by a price of its own: to be re-rated. The flags from 8 on say why, and come with it */
#define FLAG_PARENT_RATE 2 /* a class cost its parent's rate */
#define FLAG_ABOVE_CONTEXT 4
#define FLAG_OTHER_MODEL \
	8 /* no price knows its model: charged by another model's (the checked one's, the fallback's) */
#define FLAG_STANDARD_RATE 16 /* the price does not have its mode: charged at the standard rate */
#define FLAG_CAPPED 32 /* cost more than a counter holds: charged what one holds */

struct entry_account {
	enum account_kind kind;
	const char *id;
};

/* Kept with the reservation. Strings are NUL-terminated; after unpacking they lie in the arena. */
struct entry_info {
	const char *tenant, *user, *request_id, *interface, *model; /* model: as checked */
	const char *tier; /* of the user at the check */
	/*
	 * The model that `model` leads to, on whose limits the request counts (catalog_model): the id as its price has it. Without a price
	 * the name in lower case, and no provider. "" when no model was named.
	 */
	const char *provider, *price_model;
	const char *mode; /* as checked; "" = standard */
	const char *reason; /* resets, adjustments: the admin's reason */
	const char *actor; /* resets, adjustments: who */
	bool groups_unknown; /* nobody could say whether the user is in a team or an org: the ledger looks */
	int accounts;
	struct entry_account account[ACCOUNTS_MAX]; /* the user first; the order of everything else in the entry */
};

/* Of one record. */
struct entry_usage {
	const char *model; /* as served */
	const char *provider,
		*price_model; /* whose price it was at; without one likewise the served name in lower case, and no provider */
	const char *mode; /* "" = standard */
	int64_t price_from_us;
	uint32_t flags;
	struct tokens tokens;
};

void entry_info_pack(const struct entry_info *info, struct buf *out);
bool entry_info_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry_info *out);
void entry_usage_pack(const struct entry_usage *usage, struct buf *out);
bool entry_usage_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry_usage *out);

enum entry_kind { ENTRY_RECORD = 0, ENTRY_EXPIRY = 1, ENTRY_RESET = 2, ENTRY_CANCEL = 3, ENTRY_ADJUST = 4 };

/* What an adjustment keeps beside its amounts: which request's attempt it corrects ("": none), and by which tokens, of any sign. */
void entry_adjustment_pack(const char *request_id, int attempt, const struct entry_usage *usage, struct buf *out);

/* Where one bucket of an account stood afterwards. */
struct entry_bucket {
	uint32_t limit_id;
	int64_t full_at_us, rem, num, den;
};
struct entry_part {
	bool present; /* its record was there: buckets are known */
	int64_t clock_us;
	int64_t window_start
		[WINDOW_COUNT]; /* of the windows that the request counts in; of a reset those that it begins. 0: not known */
	int buckets;
	struct entry_bucket *bucket;
};

/* What a reset took out of one calendar counter. */
struct entry_lost {
	enum dimension dimension;
	enum window_unit unit;
	int64_t window_start, used;
};

struct entry {
	enum entry_kind kind;
	int attempt; /* of an adjustment: the one that it corrects */
	bool final, late, never_checked;
	bool ledger_only; /* an adjustment that changed no counter: neither is it in a window */
	int64_t at_us, started_at_us;
	struct amounts amounts; /* charged; requests may be 0 */
	struct entry_info info;
	struct entry_usage usage; /* zero for expiries and resets; of an adjustment the tokens have any sign */
	const char *adjusts; /* adjustments: the request that is corrected; "" = none */
	int losts; /* resets */
	struct entry_lost *lost;
	struct entry_part part[ACCOUNTS_MAX]; /* as many as info.accounts */
};

/* The model by which limits and windows count the request: whose price the check used, else as it was checked. */
const char *entry_counted_model(const struct entry_info *info);

/* False when the bytes are not an entry: the writer puts them into ledger_rejects as they are. */
bool entry_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry *out);
/* Lua writes entries; this is for tests and for fuzzing. */
void entry_pack(const struct entry *entry, struct buf *out);

/* The `reservation` handle of the API: who, when, on which accounts, for which model and mode, as base64url text. */
struct handle {
	const char *tenant, *user, *request_id;
	int64_t started_at_us;
	const char *model; /* as checked; "" = none. NULL is packed as "" */
	const char *mode; /* likewise; "" = standard */
	int accounts;
	struct entry_account account[ACCOUNTS_MAX];
};
/* Text in the arena. */
const char *handle_format(const struct handle *handle, struct arena *arena);
/* ERR_INVALID on field `field` when it is none. Ids inside are checked. */
bool handle_parse(
	const char *text, size_t len, const char *field, struct arena *arena, struct handle *out, struct err *err);

#endif
