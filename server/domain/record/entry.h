/*
 * The content of an outbox entry, and the two parts of it that Lua passes through unread: `info` (who asked, kept with
 * the reservation) and `usage` (what one record used). docs/store.md has the layout of the entry around them.
 */
#ifndef BURSAR_DOMAIN_RECORD_ENTRY_H
#define BURSAR_DOMAIN_RECORD_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "domain/limit/account.h"
#include "domain/limit/decision.h"

/* What a request used, by what a provider may bill: see METERS of domain/limit/dimensions.h. */
enum meter {
#define ROW(NAME, ...) METER_##NAME,
	METERS(ROW)
#undef ROW
		METER_COUNT
};
enum {
#define ROW(NAME, ...) +1
	METER_KEPT_COUNT = METERS_KEPT(ROW)
#undef ROW
};
enum meter_unit {
#define ROW(NAME, ...) UNIT_##NAME,
	METER_UNITS(ROW)
#undef ROW
};
enum meter_side { SIDE_NONE, SIDE_INPUT, SIDE_OUTPUT };

struct meter_row {
	const char *name; /* in price lists and jsonb */
	const char *field; /* of TokenUsage */
	enum meter_unit unit;
	enum meter_side side;
	enum meter parent; /* itself: none */
};
struct meter_unit_row {
	const char *noun;
	int64_t per; /* prices are USD per so many */
	bool fees;
};
extern const struct meter_row meter_rows[METER_COUNT];
extern const struct meter_unit_row meter_unit_rows[];

const char *meter_name(enum meter meter);
/* The meter of a name, or -1. */
int meter_find(const char *name);

struct meters {
	int64_t count[METER_COUNT];
};
/* Sums of the tokens of the input meters and of the output meters. meters_check must have passed, so that no sum exceeds
 * COUNT_MAX. */
int64_t tokens_input(const struct meters *meters);
int64_t tokens_output(const struct meters *meters);
/* The meter that limits count by the piece; and what they count of these meters, in the arena: NULL if that is nothing. */
enum meter counted_meter(enum counted counted);
const int64_t *meters_counted(const struct meters *meters, struct arena *arena);
/* `to` and `from` (neither is changed; NULL: nothing), in the arena. */
const int64_t *counted_plus(const int64_t *to, const int64_t *from, struct arena *arena);
/* Whether a meter without a column is not 0. */
bool meters_rare(const struct meters *meters);
/* Appends the meters without a column that are not 0, as {"web_searches":2}. */
void meters_json(const struct meters *meters, struct buf *out);
/* The same of what limits count by the piece. */
void counted_json(const int64_t counted[COUNTED_COUNT], struct buf *out);
/* The meters from `first` on that are not 0, as bytes; the rest of `out` stays as it is. A cut that is not so is bad. */
struct cut;
void meters_pack(const struct meters *meters, int first, struct buf *out);
void meters_cut(struct cut *cut, int first, struct meters *out);
/*
 * Are all counts between 0 and COUNT_MAX, and the tokens together at most COUNT_MAX? What is not counted in tokens is at
 * most METER_OTHER_MAX. ERR_INVALID names the field below `field`.
 */
#define METER_OTHER_MAX INT64_C(100000000000)
bool meters_check(const struct meters *meters, const char *field, struct err *err);
/* The same for differences, which may be negative: at most as much in either direction. */
bool meters_check_signed(const struct meters *meters, const char *field, struct err *err);

#define FLAG_UNPRICED \
	1 /* not charged at a price of its own: must be re-rated. The flags from 8 on say why, and accompany it */
#define FLAG_PARENT_RATE 2 /* a class was charged at its parent's rate */
#define FLAG_ABOVE_CONTEXT 4
#define FLAG_OTHER_MODEL \
	8 /* its model has no price: charged at another model's (the checked one's, or the fallback's) */
#define FLAG_STANDARD_RATE 16 /* the price does not have its mode: charged at the standard rate */
#define FLAG_ESTIMATED \
	64 /* the provider did not say what was used: charged as estimated by the check; accompanied by FLAG_UNPRICED */
#define FLAG_INCONSISTENT \
	128 /* the provider's numbers contradict each other: the larger reading was charged; likewise accompanied */
#define FLAG_CAPPED 32 /* cost more than a counter can hold: charged the most that one can */

/* Bits from 256 to 4096 are those of the ledger (pg/ledger/ledger.h). */
#define FLAG_PROVIDER_COST 8192 /* charged what the provider says that it cost, not what the price says */
#define FLAG_ROUNDS 16384 /* several requests to the model, priced one by one, of which only the sum is kept */
#define FLAG_ROUNDS_MIXED 32768 /* of several models */
#define FLAG_ALLOWANCE 65536 /* the price has a free allowance of something that was used */
#define FLAG_ALLOWANCE_ONLY 131072 /* a re-rating that changes only what allowances cover */
#define FLAGS_USAGE (255 | FLAG_PROVIDER_COST | FLAG_ROUNDS | FLAG_ROUNDS_MIXED | FLAG_ALLOWANCE | FLAG_ALLOWANCE_ONLY)

struct entry_account {
	enum account_kind kind;
	const char *id;
};

/* Kept with the reservation. Strings are NUL-terminated; after unpacking they are in the arena. */
struct entry_info {
	const char *tenant, *user, *request_id, *interface, *model; /* model: as checked */
	const char *tier; /* the user's at the check */
	/*
	 * The model that `model` resolves to, on whose limits the request counts (catalog_model): the id as its price
	 * has it. Without a price, the name in lower case and no provider. "" when no model was named.
	 */
	const char *provider, *price_model;
	const char *mode; /* as checked; "" = standard */
	const char *reason; /* resets, adjustments: the admin's reason */
	const char *actor; /* resets, adjustments: who */
	bool groups_unknown; /* the user's team and org were unknown: the ledger looks them up */
	int accounts;
	struct entry_account account[ACCOUNTS_MAX]; /* the user first; the rest of the entry has the same order */
};

/* About one record. */
struct entry_usage {
	const char *model; /* as served */
	const char *provider,
		*price_model; /* whose price was charged; without a price, the served name in lower case and no provider */
	const char *mode; /* "" = standard */
	int64_t price_from_us;
	uint32_t flags;
	struct meters meters;
	bool provider_cost_known; /* the provider said what it cost: */
	int64_t provider_cost_nano;
	int64_t list_cost_nano; /* what the price says; kept if provider_cost_known, and by a re-rating */
};

/*
 * The line of a bill on which what was charged appears: that of the model whose price was used. A model without a price has
 * a line of its own, rather than adding to that of the model it was charged as: it shows that a price is missing. `checked`:
 * the model of the check. `folded` has room for such a model's name.
 */
struct bill_key {
	const char *provider, *model;
};
struct bill_key usage_bill_key(const struct entry_usage *usage, const char *checked, char folded[ID_MAX + 1]);

/* What a re-rating says of the request before it, so that it can be moved to another line. */
struct entry_rerate {
	const char *provider, *model; /* its line */
	bool unpriced; /* it was counted as unpriced */
	bool again; /* it had been re-rated before, which had changed its cost by */
	int64_t corrected;
	struct amounts moved; /* charged by the record and its earlier re-ratings */
	struct meters meters; /* of the record */
	bool compared; /* the provider said what it cost, while the price said */
	int64_t provider_cost_nano, list_cost_nano;
	int64_t allowance_before_nano, allowance_nano; /* what free allowances covered of it, and cover from then on */
};

void entry_info_pack(const struct entry_info *info, struct buf *out);
bool entry_info_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry_info *out);
void entry_usage_pack(const struct entry_usage *usage, struct buf *out);
bool entry_usage_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry_usage *out);

enum entry_kind { ENTRY_RECORD = 0, ENTRY_EXPIRY = 1, ENTRY_RESET = 2, ENTRY_CANCEL = 3, ENTRY_ADJUST = 4 };

/* What an adjustment stores besides its amounts: the request and attempt that it corrects ("": none), the signed tokens, and
 * if it is a re-rating (else NULL) what was before it. The usage of a re-rating is what counts from then on. */
void entry_adjustment_pack(const char *request_id, int attempt, const struct entry_rerate *rerate,
	const struct entry_usage *usage, struct buf *out);
/* rerate.c: the part of an adjustment that only re-ratings have. */
void entry_rerate_pack(const struct entry_rerate *rerate, struct buf *out);
bool entry_rerate_unpack(const char *data, size_t len, struct arena *arena, struct entry_rerate *out);

/* The state of one bucket of an account after the entry. */
struct entry_bucket {
	uint32_t limit_id;
	int64_t full_at_us, rem, num, den;
};
struct entry_part {
	bool present; /* its record existed: buckets are known */
	int64_t clock_us;
	int64_t window_start
		[WINDOW_COUNT]; /* of the windows in which the request counts; for a reset, those that it begins. 0: unknown */
	int buckets;
	struct entry_bucket *bucket;
};

/* What a reset removed from one calendar counter. */
struct entry_lost {
	enum dimension dimension;
	enum window_unit unit;
	int64_t window_start, used;
};

struct entry {
	enum entry_kind kind;
	int attempt; /* for an adjustment: the one that it corrects */
	bool final, late, never_checked;
	bool ledger_only; /* an adjustment that changed no counter; it belongs to no window either */
	int64_t at_us, started_at_us;
	struct amounts amounts; /* charged; requests may be 0. What is counted by the piece is that of the usage */
	struct entry_info info;
	struct entry_usage usage; /* zero for expiries and resets; an adjustment's tokens are signed */
	const char *adjusts; /* adjustments: the corrected request; "" = none */
	const struct entry_rerate *rerate; /* adjustments: it is a re-rating; NULL: it is not */
	int losts; /* resets */
	struct entry_lost *lost;
	struct entry_part part[ACCOUNTS_MAX]; /* as many as info.accounts */
};

/* The model under which limits and windows count the request: the one whose price the check used, else the checked one. */
const char *entry_counted_model(const struct entry_info *info);

/* False when the bytes are not an entry: the writer then puts them into ledger_rejects unchanged. */
bool entry_unpack(const uint8_t *data, size_t len, struct arena *arena, struct entry *out);
/* For tests and fuzzing: in production only Lua writes entries. */
void entry_pack(const struct entry *entry, struct buf *out);

/* The API's `reservation` handle: who, when, on which accounts, for which model and mode, as base64url text. */
struct handle {
	const char *tenant, *user, *request_id;
	int64_t started_at_us;
	const char *model; /* as checked; "" = none. NULL is packed as "" */
	const char *mode; /* likewise; "" = standard */
	int accounts;
	struct entry_account account[ACCOUNTS_MAX];
};
/* Returns text in the arena. */
const char *handle_format(const struct handle *handle, struct arena *arena);
/* ERR_INVALID on `field` when the text is not a handle. Checks the ids inside. */
bool handle_parse(
	const char *text, size_t len, const char *field, struct arena *arena, struct handle *out, struct err *err);

#endif
