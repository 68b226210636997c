/* account erase: a user who asks to be forgotten. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* One attempt; with --wait what is in use is tried again. The answer, or NULL with the exit code. */
static Bursar__V1__EraseAccountResponse *erase(
	struct cli *cli, const Bursar__V1__EraseAccountRequest *request, int *code)
{
	struct bursar_error error;
	bool told = false;

	for (;;) {
		Bursar__V1__EraseAccountResponse *answer =
			bursar_call(cli_bursar(cli), BURSAR_ERASE_ACCOUNT, request, &error);

		if (answer)
			return answer;
		if (!option_given(cli, "wait") || strcmp(error.reason, "IN_USE") != 0) {
			*code = cli_failed(cli, &error);
			return NULL;
		}
		if (!told)
			fprintf(stderr, "bursar: waiting: %s\n", error.message);
		told = true;
		nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
	}
}

int account_erase(struct cli *cli)
{
	Bursar__V1__EraseAccountRequest request = BURSAR__V1__ERASE_ACCOUNT_REQUEST__INIT;
	Bursar__V1__EraseAccountResponse *answer;
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;
	int code;

	if (!option_given(cli, "yes")) {
		err_set(&cli->err, ERR_INVALID, "nobody can take this back: say --yes");
		return cli_usage(cli);
	}
	ref.id = (char *)cli_arg(cli, 0);
	ref.tenant = (char *)option_text(cli, "tenant");
	request.ref = &ref;
	request.reason = (char *)option_text(cli, "reason");
	answer = erase(cli, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer))
		buf_putf(&cli->out, "erased: the ledger and the bills have %s instead\n", answer->pseudonym);
	bursar_free(answer);
	return EXIT_DONE;
}
