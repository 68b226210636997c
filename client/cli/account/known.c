/*
 * Checks that names are known (known.h): a typing error would create an account or a tenant, or a limit that counts
 * nothing.
 */
#include "cli/account/known.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "cli/common/confirm.h"
#include "cli/common/view.h"
#include "cli/core/nearest.h"
#include "cli/text/meant.h"

static void *ask(struct cli *cli, enum bursar_method method, const void *request, struct bursar_error *error)
{
	return bursar_call(cli_bursar(cli), method, request, error);
}

bool status_shows_use(const Bursar__V1__GetStatusResponse *status)
{
	const Bursar__V1__AccountStatus *user = status->n_accounts ? status->accounts[0] : NULL;

	for (size_t i = 0; user && i < user->n_limits; i++)
		if (user->limits[i]->used > 0)
			return true;
	return user && user->open_reservations > 0;
}

/* Use of a moment ago is still on its way to the ledger, but already in the store. */
static bool user_is_used(struct cli *cli, const Bursar__V1__AccountRef *ref)
{
	Bursar__V1__GetStatusRequest request = BURSAR__V1__GET_STATUS_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__GetStatusResponse *status;
	bool used;

	request.user = ref->id;
	request.tenant = ref->tenant;
	status = ask(cli, BURSAR_GET_STATUS, &request, &error);
	used = !status || status_shows_use(status);
	bursar_free(status);
	return used;
}

/* People set a limit for a model before its account exists. */
static bool model_has_price(struct cli *cli, const Bursar__V1__AccountRef *ref)
{
	Bursar__V1__GetPriceRequest request = BURSAR__V1__GET_PRICE_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Price *price;

	request.model = ref->id;
	request.tenant = ref->tenant;
	price = ask(cli, BURSAR_GET_PRICE, &request, &error);
	if (!price)
		return error.code != BURSAR_NOT_FOUND && error.code != BURSAR_INVALID_ARGUMENT;
	bursar_free(price);
	return true;
}

static bool tenant_is_known(struct cli *cli, const char *id)
{
	Bursar__V1__GetTenantRequest request = BURSAR__V1__GET_TENANT_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Tenant *tenant;
	bool known;

	request.id = (char *)id;
	tenant = ask(cli, BURSAR_GET_TENANT, &request, &error);
	known = tenant ? tenant->known : error.code != BURSAR_NOT_FOUND;
	bursar_free(tenant);
	return known;
}

bool account_is_known(struct cli *cli, Bursar__V1__AccountRef *ref)
{
	Bursar__V1__GetAccountRequest request = BURSAR__V1__GET_ACCOUNT_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Account *account;
	bool known;

	request.ref = ref;
	account = ask(cli, BURSAR_GET_ACCOUNT, &request, &error);
	known = !account || account->known;
	bursar_free(account);
	if (known)
		return true;
	switch ((int)ref->kind) {
	case BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER:
		return user_is_used(cli, ref);
	case BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_MODEL:
		return model_has_price(cli, ref);
	case BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT:
		return tenant_is_known(cli, ref->id);
	default:
		return false;
	}
}

bool account_expected(struct cli *cli, Bursar__V1__AccountRef *ref, int *code)
{
	struct meant meant = {.typed = ref->id};
	struct buf said = {0};

	if (option_given(cli, "create") || account_is_known(cli, ref))
		return true;
	nearest_account(cli, ref, &meant);
	buf_putf(&said, "unknown %s %s: it was never put or used", kind_name(ref->kind), ref->id);
	meant_put(&said, &meant);
	cli_flush(cli);
	fprintf(stderr, "bursar: %s\n", buf_str(&said));
	buf_release(&said);
	return cli_ask(cli, "Create it?", "repeat the command with --create to create the account", code);
}

void tell_if_unknown(struct cli *cli, Bursar__V1__AccountRef *ref)
{
	struct meant meant = {.typed = ref->id};
	struct buf near = {0};

	if (account_is_known(cli, ref))
		return;
	nearest_account(cli, ref, &meant);
	meant_put(&near, &meant);
	cli_flush(cli);
	fprintf(stderr, "bursar: %s %s is new: it was never put or used; check the id and --tenant%s\n",
		kind_name(ref->kind), ref->id, buf_str(&near));
	buf_release(&near);
}

void tell_if_tenant_unknown(struct cli *cli)
{
	const char *tenant = option_text(cli, "tenant");
	struct meant meant = {.typed = tenant};
	struct buf near = {0};

	if (!*tenant || tenant_is_known(cli, tenant))
		return;
	nearest_tenant(cli, &meant);
	meant_put(&near, &meant);
	cli_flush(cli);
	fprintf(stderr, "bursar: tenant %s was never put: it has the settings of 'default'%s\n", tenant,
		buf_str(&near));
	buf_release(&near);
}

/* Also true when the key may not see it. */
static bool interface_is_seen(struct cli *cli, const char *tenant, const char *name, struct meant *meant)
{
	Bursar__V1__GetStatsRequest request = BURSAR__V1__GET_STATS_REQUEST__INIT;
	Bursar__V1__GetStatsResponse *stats;
	struct bursar_error error;
	bool seen;

	request.tenant = (char *)tenant;
	request.from_us = clock_wall_us() - 90 * DAY_US;
	request.to_us = clock_wall_us();
	request.top = 1;
	stats = ask(cli, BURSAR_GET_STATS, &request, &error);
	seen = !stats;
	for (size_t i = 0; stats && i < stats->n_by_interface; i++) {
		seen |= strcmp(stats->by_interface[i]->name, name) == 0;
		meant_try(meant, stats->by_interface[i]->name);
	}
	bursar_free(stats);
	return seen;
}

void tell_if_interface_unseen(struct cli *cli, const char *name)
{
	static const char usual[] = "telegram|discord|web|api";
	char folded[129] = "";
	struct meant meant = {.typed = folded};
	struct buf near = {0};

	for (size_t i = 0; name[i] && i + 1 < sizeof(folded); i++)
		folded[i] = (char)tolower((unsigned char)name[i]);
	meant_try_choices(&meant, usual);
	if (!*name || (meant.name[0] && meant.distance == 0) ||
		interface_is_seen(cli, option_text(cli, "tenant"), folded, &meant))
		return;
	meant_put(&near, &meant);
	cli_flush(cli);
	fprintf(stderr, "bursar: no request has come from interface %s yet%s\n", name, buf_str(&near));
	buf_release(&near);
}

void tell_of_limits(struct cli *cli, Bursar__V1__Limit *const *limits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tell_if_interface_unseen(cli, limits[i]->interface);
}
