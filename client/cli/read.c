/* What several commands read from the command line alike. */
#include "cli/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/file.h"
#include "cli/json.h"
#include "cli/limit_spec.h"
#include "cli/view.h"

void read_account_ref(struct cli *cli, Bursar__V1__AccountRef *ref)
{
	bursar__v1__account_ref__init(ref);
	ref->id = (char *)cli_arg(cli, 0);
	ref->tenant = (char *)option_text(cli, "tenant");
	ref->kind = (Bursar__V1__AccountKind)cli_enum(
		&bursar__v1__account_kind__descriptor, "ACCOUNT_KIND_", option_text(cli, "kind"));
	if (ref->kind == BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_UNSPECIFIED)
		ref->kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER;
}

bool account_is_known(struct cli *cli, Bursar__V1__AccountRef *ref)
{
	Bursar__V1__GetAccountRequest request = BURSAR__V1__GET_ACCOUNT_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Account *account;
	bool known;

	request.ref = ref;
	account = bursar_call(cli_bursar(cli), BURSAR_GET_ACCOUNT, &request, &error);
	known = !account || account->known;
	bursar_free(account);
	return known;
}

void tell_if_unknown(struct cli *cli, Bursar__V1__AccountRef *ref)
{
	if (account_is_known(cli, ref))
		return;
	cli_flush(cli);
	fprintf(stderr,
		"bursar: %s %s is new here: nobody has put it, and nothing was charged to it; mind the id and "
		"--tenant\n",
		kind_name(ref->kind), ref->id);
}

bool read_limits(struct cli *cli, int n, Bursar__V1__Limit ***limits, size_t *count)
{
	*count = 0;
	*limits = calloc((size_t)cli->args_count + 1, sizeof(void *));
	if (!*limits)
		abort();
	for (; n < cli->args_count; n++) {
		Bursar__V1__Limit *limit = limit_spec_parse(cli->args[n], &cli->err);

		if (!limit)
			return err_prefix(&cli->err, "limit '%s': ", cli->args[n]);
		(*limits)[(*count)++] = limit;
	}
	return true;
}

void limits_free(Bursar__V1__Limit **limits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bursar_free(limits[i]);
	free(limits);
}

void *read_json_file(struct cli *cli, const ProtobufCMessageDescriptor *descriptor)
{
	const char *path = option_text(cli, "file");
	struct buf text = {0};
	void *message = NULL;

	if (file_read(path, &text, &cli->err)) {
		message = json_read_message(buf_str(&text), text.len, descriptor, &cli->err);
		if (!message && cli->err.field[0]) {
			struct err inner = cli->err;

			err_set(&cli->err, ERR_INVALID, "%s: %s: %s", path, inner.field, inner.text);
		} else if (!message) {
			err_prefix(&cli->err, "%s: ", path);
		}
	}
	buf_release(&text);
	return message;
}
