/* The game of test_denials.c: a store with users in teams, of an org and a tenant, and what a worker believes of them. */
#ifndef TESTS_PROPERTY_DENIALS_GAME_H
#define TESTS_PROPERTY_DENIALS_GAME_H

#include "contract/chance.h"
#include "reference/reference.h"
#include "store/changes.h"

#define SECOND INT64_C(1000000)
#define MEMORY_US (2 * SECOND)
#define MIDNIGHT_US (INT64_C(1795046400) * SECOND) /* every episode passes it: a day ends */
enum { USERS = 3, TEAMS = 2, ORG = USERS + TEAMS, TENANT, ACCOUNTS };
enum { POLICIES = 4, OPEN_MAX = 6, IDS_USED = 8, PAST_MAX = 256, ON_MAX = 4 };

/* One reservation of a user. */
struct held {
	bool open;
	int id;
	struct reservation reservation;
	int count, on[ON_MAX]; /* its accounts, in the order in which it holds */
};

/* The store at one moment. */
struct world {
	struct account_state state[ACCOUNTS];
	int team[USERS];
	bool in_org[TEAMS];
	int epoch[ACCOUNTS]; /* of the policy */
	struct held held[USERS][OPEN_MAX];
	bool reserved[USERS][IDS_USED]; /* the id has a marker */
};

/* What the worker believes of an account. */
struct belief {
	struct account_profile profile;
	int team; /* of a user */
	bool in_org; /* a team */
	const struct policy *policy;
	int epoch;
};

struct game {
	struct chance chance;
	struct policy policies[POLICIES];
	struct zone utc;
	struct world now, past[PAST_MAX]; /* past: since the worker last knew everything */
	int pasts;
	struct belief beliefs[ACCOUNTS];
	int64_t now_us;
	bool followed[ACCOUNTS], announced[ACCOUNTS];
	bool wanted[ACCOUNTS]; /* follows that the store has not executed */
	uint64_t tickets, executed, session;
};
extern struct game game;
extern const char *const denials_names[ACCOUNTS];

enum account_kind game_kind(int account);
/* Something is about to change, of which the worker may not hear for a while. */
void game_keep_past(void);
/* The worker gets the messages so far, perhaps only some; with a sign of life the certainty that there are no others. */
void game_hear(bool all);
uint64_t game_follow(struct changes_store *store, const struct changes_account *account, int count);
void game_follow_execute(void);
void game_view(struct changes_store *store, struct changes_view *out);
int game_accounts_listed(int user, int team, bool in_org, int on[ON_MAX]);
/* The accounts of a user in that world; returns how many. */
int game_accounts_of(const struct world *world, int user, int on[ON_MAX]);
void game_roll(struct world *world);
/* Expires what a check of the user would expire; true if there was anything. */
bool game_expire(struct world *world, int user, int64_t before_us);
bool game_passes(struct world *world, int user, const struct request *request, struct verdict verdicts[]);
/* Would the store, as it was then, deny the request now? A reservation that is just overdue may still hold. */
bool game_would_deny(const struct world *then, int user, int id, const struct request *request);
/* The store and the worker come to agree about the accounts of a user, as by service/repair. */
void game_agree(int user);
/* Settles any reservation. `here`: through this process. */
void game_settle(bool here);
/* An admin changes the account. */
void game_administer(int account, bool here);
/* PostgreSQL has a new profile or policy, and this bursard too; Redis not yet. */
void game_believe(int account);
void game_lose_connection(void);
void game_policies_make(void);
void game_begin(void);
void game_take(int user, int id, const struct request *request);

#endif
