/* Is what was typed known? Where the key may not look, everything is. */
#ifndef BURSAR_CLI_KNOWN_H
#define BURSAR_CLI_KNOWN_H

#include "cli/core/command.h"

/* Has anybody put it, or used it? A model with a price is known, too, and a tenant that was put. */
bool account_is_known(struct cli *cli, Bursar__V1__AccountRef *ref);

/* The same, or --create, or yes on a terminal: else says which id may have been meant; false with the exit code. */
bool account_expected(struct cli *cli, Bursar__V1__AccountRef *ref, int *code);

/* Does the user's own account show any use? */
bool status_shows_use(const Bursar__V1__GetStatusResponse *status);

/* A typing error in a name is answered like a stranger: these say on standard error that it is one. */
void tell_if_unknown(struct cli *cli, Bursar__V1__AccountRef *ref);
void tell_if_tenant_unknown(struct cli *cli);
void tell_if_interface_unseen(struct cli *cli, const char *name);
void tell_of_limits(struct cli *cli, Bursar__V1__Limit *const *limits, size_t count);

#define OPTION_CREATE \
	{ \
		'\0', "create", OPTION_FLAG, NULL, "make the account when nobody has put or used it", NULL \
	}

#endif
