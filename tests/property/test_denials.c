/*
 * What a worker denies from memory, the store would have denied: now, or at a moment since the worker last knew of every
 * change. Users in a team and a tenant are checked, settled, reset, moved, suspended and expired at random, by this
 * process and by others; messages about changes are late; connections are lost. The store is the C model.
 *
 * property_test_denials [--seed N] [--steps N]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "denials_game.h"
#include "service/worker/denials.h"

#define STEPS_DEFAULT 200000
#define EPISODE 4000

static struct denials *denials;
static struct arena arena;
static uint64_t seed = 1;
static int64_t done, remembered, asked, unjudged;

static void accounts_make(struct accounts *accounts, int user)
{
	int team = game.beliefs[user].team, on[ON_MAX];
	int count = game_accounts_listed(user, team, game.beliefs[USERS + team].in_org, on);

	*accounts = (struct accounts){.arena = &arena, .tenant = "default", .count = count};
	for (int i = 0; i < count; i++) {
		struct request_account *account = &accounts->account[i];

		account->kind = game_kind(on[i]);
		account->id = denials_names[on[i]];
		account->profile = &game.beliefs[on[i]].profile;
		account->policy = game.beliefs[on[i]].policy;
		windows_or_utc(&game.utc, game.now_us, &account->windows);
	}
}

static void change_something(void);

static int64_t first_end(int user)
{
	int64_t first_us = 0;

	for (int i = 0; i < OPEN_MAX; i++)
		if (game.now.held[user][i].open &&
			(!first_us || game.now.held[user][i].reservation.expires_at_us < first_us))
			first_us = game.now.held[user][i].reservation.expires_at_us;
	return chance_percent(&game.chance, 50) ? first_us : 0;
}

/* The store denied: the answer travels, and meanwhile something may change. */
static void learn(int user, const struct denials_ask *ask, const struct verdict verdicts[])
{
	int on[ON_MAX], count = game_accounts_of(&game.now, user, on);
	struct limits_check op = {.op = {.now_us = game.now_us, .standings = count}, .first_end_us = first_end(user)};
	struct accounts accounts;

	accounts_make(&accounts, user);
	for (int i = 0; i < count; i++) {
		op.op.standing[i] = arena_zalloc(&arena, 1, sizeof(*op.op.standing[i]));
		op.op.standing[i]->state = game.now.state[on[i]];
		op.op.standing[i]->verdict = verdicts[i];
	}
	if (chance_percent(&game.chance, 20))
		change_something();
	denials_learn(denials, &accounts, &op, ask);
}

static void store_asked(int user, int id, const struct request *request, const struct denials_ask *ask)
{
	struct verdict verdicts[ACCOUNTS_MAX];
	bool fits;

	asked++;
	if (chance_percent(&game.chance, 20))
		change_something();
	game_agree(user);
	if (id >= 0 && game.now.reserved[user][id])
		return;
	fits = game_passes(&game.now, user, request, verdicts);
	if (!fits) {
		game_keep_past();
		if (game_expire(&game.now, user, game.now_us))
			fits = game_passes(&game.now, user, request, verdicts);
	}
	if (fits)
		game_take(user, id, request);
	else
		learn(user, ask, verdicts);
}

static void wrong(int user, int id, const struct request *request)
{
	printf("--seed %" PRIu64 ", step %" PRId64 ": %s, id %d, %" PRId64
	       " tokens: denied from memory, and the store has allowed it all the while\n",
		seed, done, denials_names[user], id, request->estimate.input);
	exit(1);
}

static void ask_something(void)
{
	static const char *const ids[IDS_USED] = {"0", "1", "2", "3", "4", "5", "6", "7"};
	int user = (int)chance_below(&game.chance, USERS),
	    id = (int)chance_between(&game.chance, -IDS_USED, IDS_USED - 1);
	struct request request = {.estimate = {.requests = 1, .input = chance_between(&game.chance, 1, 60)}};
	struct denials_ask ask = {.request_id = id < 0 ? "made" : ids[id], .id_is_new = id < 0};
	struct denials_answer out;
	struct accounts accounts;
	bool denied;

	accounts_make(&accounts, user);
	if (!denials_answer(denials, &accounts, &request, &ask, &out)) {
		store_asked(user, id, &request, &ask);
		return;
	}
	remembered++;
	denied = game_would_deny(&game.now, user, id, &request);
	for (int i = 0; i < game.pasts && !denied; i++)
		denied = game_would_deny(&game.past[i], user, id, &request);
	unjudged += !denied && game.pasts == PAST_MAX;
	if (!denied && game.pasts < PAST_MAX)
		wrong(user, id, &request);
}

static void change_something(void)
{
	bool here = chance_percent(&game.chance, 30);
	int64_t what = chance_below(&game.chance, 100);

	if (what < 40)
		game_settle(here);
	else if (what < 45)
		game_believe((int)chance_below(&game.chance, ACCOUNTS));
	else if (what < 55)
		game_administer((int)chance_below(&game.chance, ACCOUNTS), here);
	else if (what < 70)
		game_follow_execute();
	else if (what < 80)
		game_hear(false);
	else if (what < 88)
		game.now_us += chance_between(&game.chance, 0, 20 * SECOND);
	else if (what < 90)
		game_lose_connection();
	else
		game_hear(true);
	if (chance_percent(&game.chance, 30)) /* usually a message takes no time */
		game_hear(true);
}

static bool options_read(int argc, char **argv, int64_t *steps)
{
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			seed = strtoull(argv[i + 1], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--steps") == 0)
			*steps = strtoll(argv[i + 1], NULL, 10);
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static const struct changes_store_ops ops = {.follow = game_follow, .view = game_view};
	struct changes_store store = {.ops = &ops};
	int64_t steps = STEPS_DEFAULT;

	if (!options_read(argc, argv, &steps)) {
		fprintf(stderr, "usage: %s [--seed N] [--steps N]\n", argv[0]);
		return 2;
	}
	game.chance.state = seed;
	game_policies_make();
	denials = denials_new(&store, MEMORY_US, 64);
	for (done = 0; done < steps; done++) {
		if (done % EPISODE == 0) {
			game_begin();
			arena_reset(&arena);
		}
		if (chance_percent(&game.chance, 80))
			ask_something();
		else
			change_something();
		if (done % 100 == 0)
			arena_reset(&arena);
	}
	printf("seed %" PRIu64 ": %" PRId64 " denials from memory, %" PRId64 " requests asked the store\n", seed,
		remembered, asked);
	denials_free(denials);
	arena_release(&arena);
	return remembered > steps / 100 && unjudged < remembered / 100 ? 0 : 1;
}
