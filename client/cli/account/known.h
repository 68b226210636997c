/* Checks that names are known. When the key may not look, everything counts as known. */
#ifndef BURSAR_CLI_KNOWN_H
#define BURSAR_CLI_KNOWN_H

#include "cli/core/command.h"

/* Whether it was ever put or used. A model with a price and a tenant that was put are known too. */
bool account_is_known(struct cli *cli, Bursar__V1__AccountRef *ref);

/*
 * True if known, with --create, or confirmed at a terminal. Otherwise suggests a similar id; false with the exit
 * code.
 */
bool account_expected(struct cli *cli, Bursar__V1__AccountRef *ref, int *code);

/* Whether the user's own account shows any use. */
bool status_shows_use(const Bursar__V1__GetStatusResponse *status);

/* The server treats a mistyped name as a new one. These say so on standard error. */
void tell_if_unknown(struct cli *cli, Bursar__V1__AccountRef *ref);
void tell_if_tenant_unknown(struct cli *cli);
void tell_if_interface_unseen(struct cli *cli, const char *name);
void tell_of_limits(struct cli *cli, Bursar__V1__Limit *const *limits, size_t count);

#define OPTION_CREATE \
	{ \
		'\0', "create", OPTION_FLAG, NULL, "create the account if it was never put or used", NULL \
	}

#endif
