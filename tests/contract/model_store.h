/* The model's data (accounts and markers in lists) and the steps that its operations share. */
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
	struct policy *policy; /* the state's policy; replaced, never changed */
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
	int64_t ends_us; /* forgotten after this time; INT64_MAX while open */
	struct amounts released; /* by the last call that settled it */
	bool ended_again; /* that was the repetition of an attempt */
	struct {
		bool late;
		struct amounts charged;
		uint8_t usage[256];
		size_t usage_len;
	} attempt[32]; /* one for each bit in reservation.attempts */
	int64_t lost[LIMITS_MAX];
	int asked;
	uint64_t nonce[ASKED_MAX]; /* of the call that made or settled it, then of the checks it answered; 0: gave up */
};

struct model {
	struct backend backend;
	int64_t now_us, window_us;
	uint64_t nonce; /* the last one made for a call without a nonce */
	bool expiry_charges;
	struct list accounts, markers, told;
};

/* Copies of the accounts of one call, written back if the call changes something. */
struct loaded {
	int count;
	struct account *account[ACCOUNTS_MAX];
	struct account_state state[ACCOUNTS_MAX];
	struct account_state *pointer[ACCOUNTS_MAX];
	struct policy *policy[ACCOUNTS_MAX]; /* not NULL: the state was converted to this policy */
	struct verdict verdict[ACCOUNTS_MAX];
	bool turned_back[ACCOUNTS_MAX]; /* its clock was far ahead: its new state is kept whatever the call's outcome */
};

struct model *model_of(struct backend *backend);
/* "kind/tenant/id". */
void account_key(const struct expected *expected, char out[2 * ID_MAX + 8]);
/* NULL if it is absent. */
struct account *account_of(struct model *model, const struct expected *expected);
struct policy *policy_copy(const struct policy *policy);
/* NULL if there is none or it has expired. */
struct marker *marker_find(struct model *model, const char *tenant, const char *user, const char *request_id);
struct marker *marker_new(struct model *model, const char *tenant, const char *user, const char *request_id);
void marker_accounts(struct marker *marker, const struct expected expected[], int count);
/* True if the reservation is on these accounts. */
bool marker_on(const struct marker *marker, const struct expected expected[], int count);
/* Reads all accounts into `loaded`, rolled and converted. LIMITS_OK, or the reason why it cannot. */
enum limits_status load_all(struct model *model, struct limits_op *op, const struct expected expected[], int count,
	bool lenient, struct loaded *loaded);
void loaded_free(struct loaded *loaded);
void save_all(struct loaded *loaded);
/* Saves the accounts whose clocks were far ahead. */
void save_turned_back(struct loaded *loaded);
void standings_answer(struct limits_op *op, const struct expected expected[], const struct loaded *loaded);
void marker_close(struct model *model, struct marker *marker);
void marker_forget(struct marker *marker);
/* A call's nonce; a new one if it has none. */
uint64_t nonce_of(struct model *model, uint64_t nonce);
/* Its index among the marker's nonces; -1 if it is not there. */
int nonce_find(const struct marker *marker, uint64_t nonce);
void nonce_add(struct marker *marker, uint64_t nonce);
void nonce_first(struct marker *marker, uint64_t nonce);
/* Expires one reservation on loaded states. */
void marker_expire(struct model *model, struct marker *marker, struct account_state *const states[]);
/* The next due reservation after (`expires_us`, `key`); NULL if there is none. */
struct marker *marker_due(struct model *model, int64_t expires_us, const char *key);

/* A denial that its caller would tell: in model_tell.c. */
void model_tell(struct model *model, struct limits_check *op, const struct loaded *loaded);
void model_forget_told(struct model *model);

/* The operations that settle: in model_settle.c. */
void model_record(struct backend *backend, struct limits_settle *op);
void model_cancel(struct backend *backend, struct limits_settle *op);
void model_give_up(struct backend *backend, struct limits_settle *op);
void model_renew(struct backend *backend, struct limits_renew *op);
void model_adjust(struct backend *backend, struct limits_adjust *op);

#endif
