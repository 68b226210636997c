/* What the model keeps: accounts and markers in lists, and the steps that its operations share. */
#ifndef TESTS_CONTRACT_MODEL_STORE_H
#define TESTS_CONTRACT_MODEL_STORE_H

#include "backend.h"

#include "base/arena.h"
#include "base/list.h"
#include "reference/reference.h"

struct account {
	struct list link;
	char key[2 * ID_MAX + 8];
	struct account_state state;
	struct policy *policy; /* the state's; replaced, never changed */
};

enum { ASKED_MAX = 8 };
#define NONCE_SOMEBODY UINT64_MAX

struct marker {
	struct list link;
	char key[3 * ID_MAX + 16];
	bool is_reset, unsure;
	uint8_t digest[8];
	struct reservation reservation;
	char account[ACCOUNTS_MAX][2 * ID_MAX + 8];
	int64_t ends_us; /* forgotten from then on; INT64_MAX while open */
	struct amounts released; /* by the last call that settled it */
	struct {
		bool late;
		struct amounts charged;
		uint8_t usage[256];
		size_t usage_len;
	} attempt[32]; /* those in reservation.attempts */
	int64_t lost[LIMITS_MAX];
	int asked;
	uint64_t nonce
		[ASKED_MAX]; /* of what made or settled it, then of the checks that were answered by it; 0: gave up */
};

struct model {
	struct backend backend;
	int64_t now_us, window_us;
	uint64_t nonce; /* the last one made for a call that brought none */
	bool expiry_charges;
	struct list accounts, markers;
};

/* The accounts of one call, copied: written back when the call changes something. */
struct loaded {
	int count;
	struct account *account[ACCOUNTS_MAX];
	struct account_state state[ACCOUNTS_MAX];
	struct account_state *pointer[ACCOUNTS_MAX];
	struct policy *policy[ACCOUNTS_MAX]; /* not NULL: converted to this one */
	struct verdict verdict[ACCOUNTS_MAX];
	bool turned_back[ACCOUNTS_MAX]; /* its clock was far ahead: its state is kept, whatever becomes of the call */
};

struct model *model_of(struct backend *backend);
/* "kind/tenant/id". */
void account_key(const struct expected *expected, char out[2 * ID_MAX + 8]);
/* NULL when it is absent. */
struct account *account_of(struct model *model, const struct expected *expected);
struct policy *policy_copy(const struct policy *policy);
/* NULL when there is none, or its time is over. */
struct marker *marker_find(struct model *model, const char *tenant, const char *user, const char *request_id);
struct marker *marker_new(struct model *model, const char *tenant, const char *user, const char *request_id);
void marker_accounts(struct marker *marker, const struct expected expected[], int count);
/* Does the reservation stand on these accounts? */
bool marker_on(const struct marker *marker, const struct expected expected[], int count);
/* Reads all accounts into `loaded`, rolled and converted. LIMITS_OK, or why it cannot be. */
enum limits_status load_all(struct model *model, struct limits_op *op, const struct expected expected[], int count,
	bool lenient, struct loaded *loaded);
void loaded_free(struct loaded *loaded);
void save_all(struct loaded *loaded);
/* Accounts whose clocks were far ahead. */
void save_turned_back(struct loaded *loaded);
void standings_answer(struct limits_op *op, const struct expected expected[], const struct loaded *loaded);
void marker_close(struct model *model, struct marker *marker);
void marker_forget(struct marker *marker);
/* A call's nonce; one of its own where it brings none. */
uint64_t nonce_of(struct model *model, uint64_t nonce);
/* Where it stands among the marker's; -1: nowhere. */
int nonce_find(const struct marker *marker, uint64_t nonce);
void nonce_add(struct marker *marker, uint64_t nonce);
void nonce_first(struct marker *marker, uint64_t nonce);
/* Expires one reservation on states that have been loaded. */
void marker_expire(struct model *model, struct marker *marker, struct account_state *const states[]);
/* The next reservation that is due after (`expires_us`, `key`); NULL when there is none. */
struct marker *marker_due(struct model *model, int64_t expires_us, const char *key);

/* The operations that settle: in model_settle.c. */
void model_record(struct backend *backend, struct limits_settle *op);
void model_cancel(struct backend *backend, struct limits_settle *op);
void model_give_up(struct backend *backend, struct limits_settle *op);
void model_renew(struct backend *backend, struct limits_renew *op);
void model_adjust(struct backend *backend, struct limits_adjust *op);

#endif
