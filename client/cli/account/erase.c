/* account erase (account.h): for users who ask to be forgotten. */
#include "cli/account/account.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/text/format.h"

enum { SHOWN_MAX = 5 };

/* Shows the user's open requests on standard error; again whenever their number changes. */
static void tell_waiting(struct cli *cli, const Bursar__V1__AccountRef *ref, const char *message, size_t *told)
{
	Bursar__V1__ListReservationsRequest request = BURSAR__V1__LIST_RESERVATIONS_REQUEST__INIT;
	Bursar__V1__ListReservationsResponse *open;
	struct bursar_error error;
	struct buf text = {0};

	request.tenant = ref->tenant;
	request.user = ref->id;
	open = bursar_call(cli_bursar(cli), BURSAR_LIST_RESERVATIONS, &request, &error);
	if (*told != (open ? open->n_reservations : 0))
		fprintf(stderr, "bursar: waiting: %s\n", message);
	if (!open || *told == open->n_reservations) {
		bursar_free(open);
		return;
	}
	*told = open->n_reservations;
	for (size_t i = 0; i < open->n_reservations && i < SHOWN_MAX; i++) {
		const Bursar__V1__Reservation *row = open->reservations[i];

		put_duration(&text, open->now_us - row->started_at_us);
		buf_put_str(&text, ", expires in ");
		put_duration(&text, row->expires_at_us > open->now_us ? row->expires_at_us - open->now_us : 0);
		fprintf(stderr, "  request %s: open for %s\n", row->request_id, buf_str(&text));
		buf_reset(&text);
	}
	if (open->n_reservations)
		fprintf(stderr, "  'bursar reservation cancel' releases one at once\n");
	buf_release(&text);
	bursar_free(open);
}

/* Erases; with --wait, tries again while the user is in use. The answer, or NULL with the exit code. */
static Bursar__V1__EraseAccountResponse *erase(
	struct cli *cli, const Bursar__V1__EraseAccountRequest *request, int *code)
{
	struct bursar_error error;
	size_t told = SIZE_MAX;

	for (;;) {
		Bursar__V1__EraseAccountResponse *answer =
			bursar_call(cli_bursar(cli), BURSAR_ERASE_ACCOUNT, request, &error);

		if (answer)
			return answer;
		if (!option_given(cli, "wait") || strcmp(error.reason, "IN_USE") != 0) {
			*code = cli_failed(cli, &error);
			return NULL;
		}
		tell_waiting(cli, request->ref, error.message, &told);
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
		err_set(&cli->err, ERR_INVALID, "erasing cannot be undone: confirm with --yes");
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
		buf_putf(&cli->out, "erased: the ledger and the bills now show %s\n", answer->pseudonym);
	bursar_free(answer);
	return EXIT_DONE;
}
