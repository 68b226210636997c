/* The store, and what happens to it. */
#include "denials_game.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct game game = {.session = 1};
const char *const denials_names[ACCOUNTS] = {"ann", "bob", "eve", "red", "blue", "acme", "default"};

enum account_kind game_kind(int account)
{
	return account < USERS	  ? ACCOUNT_USER
	       : account < ORG	  ? ACCOUNT_TEAM
	       : account < TENANT ? ACCOUNT_ORG
				  : ACCOUNT_TENANT;
}

static void note(int account)
{
	change_note(game_kind(account), "default", denials_names[account]);
}

/* Something is about to change, of which the worker may not hear for a while. */
void game_keep_past(void)
{
	if (game.pasts < PAST_MAX)
		game.past[game.pasts++] = game.now;
}

static void written(int account, bool here)
{
	if (here)
		note(account);
	game.announced[account] |= game.followed[account];
	game.followed[account] = false;
}

/* The worker gets the messages so far, and with a sign of life the certainty that there are no others. */
void game_hear(bool all)
{
	for (int i = 0; i < ACCOUNTS; i++)
		if (game.announced[i] && (all || chance_percent(&game.chance, 50))) {
			note(i);
			game.announced[i] = false;
		}
	if (all)
		game.pasts = 0;
}

uint64_t game_follow(struct changes_store *store, const struct changes_account *account, int count)
{
	(void)store;
	for (int n = 0; n < count; n++)
		for (int i = 0; i < ACCOUNTS; i++)
			game.wanted[i] |= strcmp(denials_names[i], account[n].id) == 0;
	return ++game.tickets;
}

void game_follow_execute(void)
{
	for (int i = 0; i < ACCOUNTS; i++) {
		game.followed[i] |= game.wanted[i];
		game.wanted[i] = false;
	}
	game.executed = game.tickets;
}

void game_view(struct changes_store *store, struct changes_view *out)
{
	int64_t mono_us = clock_mono_us();

	(void)store;
	*out = (struct changes_view){.session = game.session,
		.in_effect = game.executed,
		.heard_us = mono_us,
		.time_us = game.now_us,
		.ahead_us = clock_ahead_us()};
}

int game_accounts_listed(int user, int team, bool in_org, int on[ON_MAX])
{
	int count = 0;

	on[count++] = user;
	on[count++] = USERS + team;
	if (in_org)
		on[count++] = ORG;
	on[count++] = TENANT;
	return count;
}

int game_accounts_of(const struct world *world, int user, int on[ON_MAX])
{
	return game_accounts_listed(user, world->team[user], world->in_org[world->team[user]], on);
}

void game_roll(struct world *world)
{
	struct windows windows;

	windows_or_utc(&game.utc, game.now_us, &windows);
	for (int i = 0; i < ACCOUNTS; i++)
		state_roll(&world->state[i], &windows, game.now_us);
}

static void settle(struct world *world, struct held *held, const struct settlement *how)
{
	struct account_state *states[ACCOUNTS_MAX];
	struct verdict verdicts[ACCOUNTS_MAX] = {0};
	struct settled settled;

	for (int i = 0; i < held->count; i++)
		states[i] = &world->state[held->on[i]];
	decision_settle(states, &held->reservation, how, game.now_us, &settled, verdicts);
	held->open = false;
}

/* Has the reservation ended since? That is a change of which the worker may not have heard. */
static bool ended_since(const struct held *held, int user, int index)
{
	const struct held *today = &game.now.held[user][index];

	return !today->open || today->reservation.started_at_us != held->reservation.started_at_us;
}

/* Expires what a check of the user would expire; true if there was anything. */
bool game_expire(struct world *world, int user, int64_t before_us)
{
	const struct settlement how = {.final = true, .becomes = RESERVATION_EXPIRED};
	bool any = false;

	for (int i = 0; i < OPEN_MAX; i++) {
		struct held *held = &world->held[user][i];

		if (!held->open || held->reservation.expires_at_us > before_us || ended_since(held, user, i))
			continue;
		settle(world, held, &how);
		for (int a = 0; world == &game.now && a < held->count; a++)
			written(held->on[a], false);
		any = true;
	}
	return any;
}

bool game_passes(struct world *world, int user, const struct request *request, struct verdict verdicts[])
{
	const struct account_state *states[ACCOUNTS_MAX];
	int on[ON_MAX], count = game_accounts_of(world, user, on);

	memset(verdicts, 0, sizeof(verdicts[0]) * ACCOUNTS_MAX);
	for (int i = 0; i < count; i++)
		states[i] = &world->state[on[i]];
	return decision_test(states, count, request, game.now_us, verdicts);
}

/* A caller who knows a newer profile or policy writes it. */
static bool write_through(struct world *world, int account)
{
	const struct belief *belief = &game.beliefs[account];
	struct account_state *state = &world->state[account];
	bool wrote = false;

	if (belief->profile.version > state->version) {
		state->version = belief->profile.version;
		state->suspended = belief->profile.suspended;
		state->bypass = belief->profile.bypass;
		if (account < USERS)
			world->team[account] = belief->team;
		else if (account < ORG)
			world->in_org[account - USERS] = belief->in_org;
		wrote = true;
	}
	if (belief->epoch > world->epoch[account]) {
		state_convert(state, belief->policy, game.now_us);
		state->unseeded = 0;
		world->epoch[account] = belief->epoch;
		wrote = true;
	}
	return wrote;
}

/* Would the store, as it was in this world, deny the request now? A reservation that is just overdue may still hold. */
bool game_would_deny(const struct world *then, int user, int id, const struct request *request)
{
	struct world world = *then;
	struct verdict verdicts[ACCOUNTS_MAX];
	int on[ON_MAX];

	if (id >= 0 && world.reserved[user][id])
		return false;
	game_roll(&world);
	for (int i = 0; i < game_accounts_of(&world, user, on); i++)
		write_through(&world, on[i]);
	game_expire(&world, user, game.now_us - MEMORY_US);
	return !game_passes(&world, user, request, verdicts);
}

static void learn_belief(int account)
{
	struct belief *belief = &game.beliefs[account];

	belief->profile.version = game.now.state[account].version;
	belief->profile.suspended = game.now.state[account].suspended;
	belief->profile.bypass = game.now.state[account].bypass;
	belief->policy = game.now.state[account].policy;
	belief->epoch = game.now.epoch[account];
	if (account < USERS)
		belief->team = game.now.team[account];
	else if (account < ORG)
		belief->in_org = game.now.in_org[account - USERS];
}

/* The store and the worker come to agree about the accounts of a user, as by service/repair. */
void game_agree(int user)
{
	int on[ON_MAX];

	game_roll(&game.now);
	game_keep_past();
	for (int i = 0; i < game_accounts_of(&game.now, user, on); i++)
		if (write_through(&game.now, on[i]))
			written(on[i], false);
	for (int i = 0; i < game_accounts_of(&game.now, user, on); i++)
		learn_belief(on[i]);
}

void game_settle(bool here)
{
	int user = (int)chance_below(&game.chance, USERS);
	struct held *held = &game.now.held[user][chance_below(&game.chance, OPEN_MAX)];
	struct settlement how = {.used = {.requests = 1, .input = chance_between(&game.chance, 0, 60)}, .final = true};

	how.becomes = chance_percent(&game.chance, 50) ? RESERVATION_RECORDED : RESERVATION_CANCELLED;
	if (how.becomes == RESERVATION_CANCELLED)
		how.used = (struct amounts){0};
	if (!held->open)
		return;
	game_keep_past();
	for (int i = 0; i < held->count; i++)
		written(held->on[i], here);
	if (how.becomes == RESERVATION_CANCELLED && held->id >= 0)
		game.now.reserved[user][held->id] = false;
	game_roll(&game.now);
	settle(&game.now, held, &how);
}

void game_administer(int account, bool here)
{
	struct account_state *state = &game.now.state[account];
	int64_t lost[LIMITS_MAX];

	game_keep_past();
	written(account, here);
	switch (chance_below(&game.chance, 5)) {
	case 0:
		game_roll(&game.now);
		decision_reset(state, game.now_us, lost);
		return;
	case 1:
		state_convert(state, &game.policies[chance_below(&game.chance, POLICIES)], game.now_us);
		state->unseeded = 0;
		game.now.epoch[account]++;
		break;
	case 2:
		state->suspended = !state->suspended && chance_percent(&game.chance, 30);
		break;
	case 3:
		state->bypass = !state->bypass && chance_percent(&game.chance, 30);
		break;
	default:
		if (account < USERS)
			game.now.team[account] = !game.now.team[account];
		else if (account < ORG)
			game.now.in_org[account - USERS] = !game.now.in_org[account - USERS];
	}
	state->version++;
}

/* PostgreSQL has it, and this bursard too; Redis not yet. */
void game_believe(int account)
{
	struct belief *belief = &game.beliefs[account];

	if (chance_percent(&game.chance, 50)) {
		belief->policy = &game.policies[chance_below(&game.chance, POLICIES)];
		belief->epoch = (belief->epoch > game.now.epoch[account] ? belief->epoch : game.now.epoch[account]) + 1;
		return;
	}
	if (belief->profile.version < game.now.state[account].version)
		return;
	belief->profile.version++;
	belief->profile.suspended = chance_percent(&game.chance, 10);
	belief->profile.bypass = chance_percent(&game.chance, 10);
	belief->team = chance_percent(&game.chance, 50);
	belief->in_org = chance_percent(&game.chance, 50);
}

void game_lose_connection(void)
{
	game.session++;
	memset(game.followed, 0, sizeof(game.followed));
	memset(game.announced, 0, sizeof(game.announced));
	memset(game.wanted, 0, sizeof(game.wanted));
	game.executed = game.tickets;
}

void game_policies_make(void)
{
	for (int i = 0; i < POLICIES; i++) {
		struct policy *policy = &game.policies[i];

		policy->count = 3;
		policy->limits[0] = (struct limit){
			.dimension = DIM_TOKENS, .kind = KIND_BUCKET, .amount = 60 + 40 * i, .period_us = 60 * SECOND};
		policy->limits[1] = (struct limit){
			.dimension = DIM_TOKENS, .kind = KIND_CALENDAR, .unit = WINDOW_DAY, .amount = 200 + 150 * i};
		policy->limits[2] = (struct limit){.dimension = DIM_CONCURRENT, .kind = KIND_LEVEL, .amount = 2 + i};
		if (!policy_prepare(policy, NULL))
			abort();
	}
}

void game_begin(void)
{
	struct windows windows;

	game.now = (struct world){0};
	game.now_us = MIDNIGHT_US - chance_below(&game.chance, 1200) * SECOND;
	windows_or_utc(&game.utc, game.now_us, &windows);
	for (int i = 0; i < ACCOUNTS; i++) {
		int policy = i == ORG ? 0 : i < USERS ? (int)chance_below(&game.chance, POLICIES) : POLICIES - 1;

		game.now.state[i] = (struct account_state){.version = 1, .policy = &game.policies[policy]};
		state_roll(&game.now.state[i], &windows, game.now_us);
		game.beliefs[i] = (struct belief){.profile = {.version = 1}, .policy = game.now.state[i].policy};
	}
	game_lose_connection();
	game.pasts = 0;
}

void game_take(int user, int id, const struct request *request)
{
	struct account_state *states[ACCOUNTS_MAX];
	struct verdict verdicts[ACCOUNTS_MAX] = {0};
	int on[ON_MAX], count = game_accounts_of(&game.now, user, on), free = 0;

	while (free < OPEN_MAX && game.now.held[user][free].open)
		free++;
	if (free == OPEN_MAX)
		return;
	game_keep_past();
	for (int i = 0; i < count; i++) {
		written(on[i], i == 0);
		states[i] = &game.now.state[on[i]];
	}
	game.now.held[user][free] = (struct held){.open = true, .id = id, .count = count};
	memcpy(game.now.held[user][free].on, on, sizeof(on));
	decision_take(states, count, request, game.now_us, chance_between(&game.chance, 1, 90) * SECOND,
		&game.now.held[user][free].reservation, verdicts);
	if (id >= 0)
		game.now.reserved[user][id] = true;
}
