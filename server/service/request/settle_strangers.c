/*
 * Settling on accounts that this worker does not know: the store sends their profiles, so that the answer can show
 * their own policies and windows (service/request/settle_private.h).
 */
#include <string.h>

#include "domain/limit/profile.h"
#include "service/request/settle_private.h"

/* Learns the profile that the store sends for a version this worker does not know. */
static bool stranger_learn(struct settle *settle, int i)
{
	const struct standing *standing = settle->op.op.standing[i];
	const struct request_account *account = &settle->accounts.account[i];
	struct account_profile *profile = arena_alloc(settle->arena, sizeof(*profile));

	if (!standing->profile_len || !profile_unpack(standing->profile, standing->profile_len, settle->arena, profile))
		return false;
	profile->version = standing->state.version;
	accounts_learn(&settle->accounts, account->kind, account->id, profile);
	return true;
}

/* Shows the standing by the account's own policy and windows. */
static void stranger_show(struct standing *standing, const struct request_account *account, int64_t now_us)
{
	if (!standing->profile_len)
		return;
	if (memcmp(standing->state.policy->pid, account->policy->pid, sizeof(account->policy->pid)) == 0)
		standing->state.policy = account->policy; /* has the limits' names */
	state_roll(&standing->state, &account->windows, now_us);
}

/* Only affects how the answer looks: the settlement is done even if the accounts cannot be resolved. */
void settle_learn_strangers(struct settle *settle)
{
	const struct limits_op *op = &settle->op.op;
	struct entry_account accounts[ACCOUNTS_MAX];
	struct accounts before = settle->accounts;
	bool learned = false;
	struct err err;

	for (int i = 0; i < op->standings; i++) {
		accounts[i] = (struct entry_account){.kind = before.account[i].kind, .id = before.account[i].id};
		learned |= stranger_learn(settle, i);
	}
	if (!learned)
		return;
	if (!accounts_of_reservation(&settle->accounts, accounts, op->standings, &err)) {
		settle->accounts = before;
		return;
	}
	for (int i = 0; i < op->standings; i++)
		stranger_show(op->standing[i], &settle->accounts.account[i], op->now_us);
}
