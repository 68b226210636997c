/* Settling on accounts that this worker does not know: their records have sent their profiles, so that the answer shows what is theirs. */
#include <string.h>

#include "domain/limit/profile.h"
#include "service/request/settle_private.h"

/* A record of a version that this worker did not know has sent its profile. */
static bool stranger_learn(struct settle *settle, int i)
{
	const struct standing *standing = settle->op.op.standing[i];
	const struct party *party = &settle->parties.party[i];
	struct account_profile *profile = arena_alloc(settle->arena, sizeof(*profile));

	if (!standing->profile_len || !profile_unpack(standing->profile, standing->profile_len, settle->arena, profile))
		return false;
	profile->version = standing->state.version;
	parties_learn(&settle->parties, party->kind, party->id, profile);
	return true;
}

/* As the account's own policy and windows have it. */
static void stranger_show(struct standing *standing, const struct party *party, int64_t now_us)
{
	if (!standing->profile_len)
		return;
	if (memcmp(standing->state.policy->pid, party->policy->pid, sizeof(party->policy->pid)) == 0)
		standing->state.policy = party->policy; /* which knows the limits' names */
	state_roll(&standing->state, &party->windows, now_us);
}

/* The answer shows the accounts' own windows. What it settled is in the books, whether they can be made or not. */
void settle_learn_strangers(struct settle *settle)
{
	const struct limits_op *op = &settle->op.op;
	struct entry_account accounts[ACCOUNTS_MAX];
	struct parties before = settle->parties;
	bool learned = false;
	struct err err;

	for (int i = 0; i < op->standings; i++) {
		accounts[i] = (struct entry_account){.kind = before.party[i].kind, .id = before.party[i].id};
		learned |= stranger_learn(settle, i);
	}
	if (!learned)
		return;
	if (!parties_of_accounts(&settle->parties, accounts, op->standings, &err)) {
		settle->parties = before;
		return;
	}
	for (int i = 0; i < op->standings; i++)
		stranger_show(op->standing[i], &settle->parties.party[i], op->now_us);
}
