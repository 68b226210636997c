/* A call that changes or shows an account. */
#include "cli/account/account.h"

#include "cli/common/view.h"

/* A typing error in an id makes an account: whoever made one is told. */
int account_call(struct cli *cli, enum bursar_method method, const void *request)
{
	int code;
	Bursar__V1__Account *account = cli_call(cli, method, request, &code);

	if (!account)
		return code;
	if (!cli_json(cli, account))
		view_account(cli, account,
			method != BURSAR_GET_ACCOUNT && account->version == 1 ? "new: nobody had put it before" : NULL);
	bursar_free(account);
	return EXIT_DONE;
}
