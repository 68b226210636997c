/* Command-line arguments that several commands share. */
#include "cli/common/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "cli/encoding/json.h"
#include "cli/text/file.h"
#include "cli/text/limit_spec.h"

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

bool limits_read(struct cli *cli, int n, Bursar__V1__Limit ***limits, size_t *count)
{
	*count = 0;
	*limits = mem_zalloc((size_t)cli->args_count + 1, sizeof(void *));
	for (; n < cli->args_count; n++) {
		Bursar__V1__Limit *limit = limit_spec_parse(cli->args[n], &cli->err);

		if (!limit)
			return err_prefix(&cli->err, "limit '%s': ", cli->args[n]);
		(*limits)[(*count)++] = limit;
	}
	return true;
}

bool limit_takes_place(const Bursar__V1__Limit *new, const Bursar__V1__Limit *old)
{
	if (new->name[0])
		return strcmp(new->name, old->name) == 0;
	return new->dimension == old->dimension &&new->kind == old->kind &&new->window ==
		       old->window &&new->period_us == old->period_us &&strcmp(new->interface, old->interface) == 0 &&
	       strcmp(new->model, old->model) == 0;
}

void limits_free(Bursar__V1__Limit **limits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bursar_free(limits[i]);
	free(limits);
}

void limits_end(struct cli *cli, Bursar__V1__Limit **limits, size_t count)
{
	int64_t until_us = option_number(cli, "until", 0);

	if (option_given(cli, "for"))
		until_us = clock_wall_us() + option_number(cli, "for", 0);
	for (size_t i = 0; i < count; i++)
		if (!limits[i]->until_us)
			limits[i]->until_us = until_us;
}

void *read_json_file(struct cli *cli, const ProtobufCMessageDescriptor *descriptor)
{
	const char *path = option_text(cli, "file");
	struct buf text = {0};
	void *message = NULL;

	if (file_read(path, &text, &cli->err)) {
		message = json_new_message(buf_str(&text), text.len, descriptor, &cli->err);
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
