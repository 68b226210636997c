/* Finds the name that was probably meant (nearest.h). */
#include "cli/core/nearest.h"

#include <string.h>

enum { PAGE = 1000 };

static void *ask(struct cli *cli, enum bursar_method method, const void *request)
{
	struct bursar_error error;

	return bursar_call(cli_bursar(cli), method, request, &error);
}

/* The next shorter prefix to search: first without the last letter, then half of that, and finally empty. */
static bool shorten(char *prefix)
{
	size_t len = strlen(prefix), left = len > 4 ? len / 2 : 0;

	if (len == 0)
		return false;
	while (left > 0 && ((unsigned char)prefix[left] & 0xc0) == 0x80)
		left--; /* not in the middle of a character */
	prefix[left] = '\0';
	return true;
}

static void prefix_begin(char *prefix, size_t size, const char *typed)
{
	size_t len = strnlen(typed, size);

	len = len > 0 ? len - 1 : 0;
	while (len > 0 && ((unsigned char)typed[len] & 0xc0) == 0x80)
		len--;
	memcpy(prefix, typed, len);
	prefix[len] = '\0';
}

/* Tries ids with the same prefix first: there may be millions, and most typing errors are not in the first letters. */
void nearest_account(struct cli *cli, const Bursar__V1__AccountRef *ref, struct meant *meant)
{
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;
	char prefix[129];

	if (ref->kind == BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_MODEL) {
		nearest_model(cli, ref->tenant, meant);
		return;
	}
	prefix_begin(prefix, sizeof(prefix), meant->typed);
	request.tenant = ref->tenant;
	request.kind = ref->kind;
	request.id_prefix = prefix;
	request.page_size = PAGE;
	do {
		Bursar__V1__ListAccountsResponse *answer = ask(cli, BURSAR_LIST_ACCOUNTS, &request);

		for (size_t i = 0; answer && i < answer->n_accounts; i++)
			if (strcmp(answer->accounts[i]->ref->id, meant->typed) != 0)
				meant_try(meant, answer->accounts[i]->ref->id);
		bursar_free(answer);
	} while (!meant->name[0] && shorten(prefix));
}

void nearest_user(struct cli *cli, const char *tenant, struct meant *meant)
{
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;

	ref.tenant = (char *)tenant;
	ref.kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER;
	nearest_account(cli, &ref, meant);
}

void nearest_tenant(struct cli *cli, struct meant *meant)
{
	Bursar__V1__ListTenantsRequest request = BURSAR__V1__LIST_TENANTS_REQUEST__INIT;
	Bursar__V1__ListTenantsResponse *answer;

	request.page_size = PAGE;
	answer = ask(cli, BURSAR_LIST_TENANTS, &request);
	for (size_t i = 0; answer && i < answer->n_tenants; i++)
		if (answer->tenants[i]->known)
			meant_try(meant, answer->tenants[i]->id);
	bursar_free(answer);
}

void nearest_tier(struct cli *cli, const char *tenant, struct meant *meant)
{
	Bursar__V1__ListTiersRequest request = BURSAR__V1__LIST_TIERS_REQUEST__INIT;
	Bursar__V1__ListTiersResponse *answer;

	request.tenant = (char *)tenant;
	answer = ask(cli, BURSAR_LIST_TIERS, &request);
	for (size_t i = 0; answer && i < answer->n_tiers; i++)
		meant_try(meant, answer->tiers[i]->name);
	bursar_free(answer);
}

void nearest_pool(struct cli *cli, const char *tenant, struct meant *meant)
{
	Bursar__V1__ListPoolsRequest request = BURSAR__V1__LIST_POOLS_REQUEST__INIT;
	Bursar__V1__ListPoolsResponse *answer;

	request.tenant = (char *)tenant;
	answer = ask(cli, BURSAR_LIST_POOLS, &request);
	for (size_t i = 0; answer && i < answer->n_pools; i++)
		if (answer->pools[i]->ref)
			meant_try(meant, answer->pools[i]->ref->name);
	bursar_free(answer);
}

void nearest_model(struct cli *cli, const char *tenant, struct meant *meant)
{
	Bursar__V1__ListPricesRequest request = BURSAR__V1__LIST_PRICES_REQUEST__INIT;
	Bursar__V1__ListPricesResponse *answer;
	const char *slash = strchr(meant->typed, '/');

	if (slash && slash[1])
		meant->typed = slash + 1; /* the provider's part is right, or does not help */
	request.tenant = (char *)tenant;
	request.page_size = PAGE;
	answer = ask(cli, BURSAR_LIST_PRICES, &request);
	for (size_t i = 0; answer && i < answer->n_prices; i++)
		meant_try(meant, answer->prices[i]->model);
	bursar_free(answer);
}
