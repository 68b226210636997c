/* account override (account.h): an account's own limits, and when they end. */
#include "cli/account/account.h"

#include <stdio.h>
#include <string.h>

#include "cli/account/known.h"
#include "cli/account/tighter.h"
#include "cli/common/confirm.h"
#include "cli/common/read.h"
#include "cli/common/view.h"

static bool override_is_clear(struct cli *cli, size_t removed)
{
	bool limits = cli->args_count > 1, file = option_given(cli, "file"), clear = option_given(cli, "clear");

	if (clear && (limits || file || removed > 0))
		return err_set(
			&cli->err, ERR_INVALID, "--clear removes all overrides: leave out LIMIT, --file and --remove");
	if (limits && file)
		return err_set(&cli->err, ERR_INVALID, "--file replaces LIMIT arguments: give one or the other");
	if (!limits && !file && !clear && removed == 0)
		return err_set(&cli->err, ERR_INVALID,
			"LIMIT is missing: give one, such as requests=60/min, or --remove NAME, --clear or -f FILE");
	if (option_given(cli, "for") && option_given(cli, "until"))
		return err_set(&cli->err, ERR_INVALID, "--for and --until exclude each other: give one of them");
	if (!limits && !file && (option_given(cli, "for") || option_given(cli, "until")))
		return err_set(&cli->err, ERR_INVALID, "--for and --until set the end of a LIMIT: give one");
	return true;
}

/* Whether every override to remove exists. False with cli->err, or with the exit code of a failed call. */
static bool removed_are_there(struct cli *cli, Bursar__V1__AccountRef *ref, char **names, size_t count, int *code)
{
	Bursar__V1__GetAccountRequest request = BURSAR__V1__GET_ACCOUNT_REQUEST__INIT;
	Bursar__V1__Account *account;
	struct buf own = {0};

	request.ref = ref;
	account = cli_call(cli, BURSAR_GET_ACCOUNT, &request, code);
	if (!account)
		return false;
	for (size_t i = 0; i < account->n_overrides; i++)
		buf_putf(&own, "%s%s", i ? ", " : "", account->overrides[i]->name);
	*code = EXIT_USAGE;
	for (size_t n = 0; n < count && !cli->err.text[0]; n++) {
		bool found = false;

		for (size_t i = 0; i < account->n_overrides && !found; i++)
			found = strcmp(account->overrides[i]->name, names[n]) == 0;
		if (!found)
			err_set(&cli->err, ERR_INVALID, "--remove: %s has no override '%s'; it has %s", ref->id,
				names[n], own.len ? buf_str(&own) : "none");
	}
	buf_release(&own);
	bursar_free(account);
	return !cli->err.text[0];
}

/* Whether a limit of the request replaces an existing one: by name, or, without a name, by what it counts and when. */
static bool stays(const Bursar__V1__Limit *old, const Bursar__V1__OverrideLimitsRequest *request)
{
	for (size_t i = 0; i < request->n_limits; i++)
		if (limit_takes_place(request->limits[i], old))
			return true;
	return false;
}

/* Without --merge, overrides that are not given are removed: shows them and asks. */
static bool drop_is_meant(struct cli *cli, const Bursar__V1__OverrideLimitsRequest *request, int *code)
{
	Bursar__V1__GetAccountRequest get = BURSAR__V1__GET_ACCOUNT_REQUEST__INIT;
	Bursar__V1__Account *account;
	struct buf lost = {0};
	bool meant = true;

	if (request->merge || option_given(cli, "clear") || option_given(cli, "yes"))
		return true;
	get.ref = request->ref;
	account = cli_call(cli, BURSAR_GET_ACCOUNT, &get, code);
	if (!account)
		return false;
	for (size_t i = 0; i < account->n_overrides; i++) {
		if (stays(account->overrides[i], request))
			continue;
		buf_putf(&lost, "  %s: ", account->overrides[i]->name);
		view_limit(&lost, account->overrides[i]);
		buf_put_str(&lost, "\n");
	}
	if (lost.len) {
		fprintf(stderr, "bursar: %s %s would lose these overrides:\n%s", kind_name(request->ref->kind),
			request->ref->id, buf_str(&lost));
		meant = cli_ask(cli, "Remove them?", "keep them with --merge, or remove them with --yes", code);
	}
	buf_release(&lost);
	bursar_free(account);
	return meant;
}

int account_override(struct cli *cli)
{
	Bursar__V1__OverrideLimitsRequest request = BURSAR__V1__OVERRIDE_LIMITS_REQUEST__INIT, *read = NULL;
	Bursar__V1__AccountRef ref;
	Bursar__V1__Limit **limits = NULL;
	size_t count = 0, removed;
	int code = EXIT_USAGE;

	request.remove = (char **)option_list(cli, "remove", &removed);
	request.n_remove = removed;
	if (!override_is_clear(cli, removed) || !limits_read(cli, 1, &limits, &count))
		goto done;
	if (option_given(cli, "file")) {
		read = read_json_file(cli, &bursar__v1__override_limits_request__descriptor);
		if (!read)
			goto done;
	}
	read_account_ref(cli, &ref);
	request.ref = &ref;
	request.limits = read ? read->limits : limits;
	request.n_limits = read ? read->n_limits : count;
	limits_end(cli, request.limits, request.n_limits);
	request.merge = option_given(cli, "merge") || removed > 0 || (read && read->merge);
	request.reason = (char *)option_text(cli, "reason");
	if ((removed && !removed_are_there(cli, &ref, request.remove, removed, &code)) ||
		!account_expected(cli, &ref, &code) || !drop_is_meant(cli, &request, &code))
		goto done;
	code = account_call(cli, BURSAR_OVERRIDE_LIMITS, &request);
	if (code == EXIT_DONE) {
		tell_of_limits(cli, request.limits, request.n_limits);
		tell_tighter_of(cli, &ref, request.limits, request.n_limits, 0);
	}
done:
	if (cli->err.text[0])
		code = cli_usage(cli);
	limits_free(limits, count);
	bursar_free(read);
	return code;
}
