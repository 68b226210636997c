/* Learns what PostgreSQL says about accounts, for the calls that follow (service/repair/private.h). */
#include "service/worker/local.h"
#include "service/repair/private.h"
#include "service/worker/seed.h"

void repair_learn_looked(struct repair *repair)
{
	struct accounts *accounts = repair->accounts;

	for (int i = 0; i < repair->lookup.count; i++) {
		const struct account_found *account = &repair->lookup.account[i];

		seed_resolve_models(accounts->catalog, accounts->tenant,
			account->kind == ACCOUNT_USER ? account->id : "", account->window, account->windows);
		account_cache_forget(accounts->worker->cache, account->kind, accounts->tenant, account->id);
		accounts_learn(accounts, account->kind, account->id, profile_copy(accounts->arena, &account->profile));
	}
}

/* In case the store is away, so that these accounts do not start unused. */
void repair_learn_local(const struct repair *repair)
{
	struct worker *worker = repair->accounts->worker;

	for (int i = 0; i < repair->lookup.count; i++) {
		const struct account_found *found = &repair->lookup.account[i];
		struct entry_account account = {.kind = found->kind, .id = found->id};
		struct accounts one = *repair->accounts;
		struct err ignored;

		if (accounts_of_reservation(&one, &account, 1, &ignored))
			local_begin(worker->local, &one, found, worker_now_us(worker));
	}
}
