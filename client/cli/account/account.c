/* Calls that change or show an account (account.h). */
#include "cli/account/account.h"

#include "cli/common/view.h"

/* A typing error in an id creates an account, so say when one was created. */
int account_call(struct cli *cli, enum bursar_method method, const void *request)
{
	int code;
	Bursar__V1__Account *account = cli_call(cli, method, request, &code);

	if (!account)
		return code;
	if (!cli_json(cli, account))
		view_account(cli, account,
			method != BURSAR_GET_ACCOUNT && account->version == 1 ? "new: created by this command" : NULL);
	bursar_free(account);
	return EXIT_DONE;
}
