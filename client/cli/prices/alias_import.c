/* Imports a list of aliases (alias_import.h). */
#include "cli/prices/alias_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/csv.h"
#include "cli/common/confirm.h"
#include "cli/encoding/json.h"
#include "cli/text/file.h"

enum { IMPORT_US = 60000000, ROWS_MAX = 2000 };

/* The list, and the line of each alias in a CSV. */
struct aliases {
	Bursar__V1__ListAliasesResponse *list;
	int *lines; /* NULL: from JSON */
};

enum { COLUMN_TENANT, COLUMN_ALIAS, COLUMN_PROVIDER, COLUMN_MODEL, COLUMNS };
static const char *const column_names[COLUMNS] = {"tenant", "alias", "provider", "model"};

/* Finds the columns by their names; -1 for those that there are not. */
static bool columns_read(const struct csv_row *row, int columns[COLUMNS], struct err *err)
{
	for (int column = 0; column < COLUMNS; column++)
		columns[column] = -1;
	for (int i = 0; i < row->count; i++) {
		int column = 0;

		while (column < COLUMNS && strcmp(row->field[i], column_names[column]) != 0)
			column++;
		if (column == COLUMNS)
			return err_set(err, ERR_INVALID,
				"line 1: %s is not a column of a list of aliases: alias, model, provider, tenant",
				row->field[i]);
		columns[column] = i;
	}
	return (columns[COLUMN_ALIAS] >= 0 && columns[COLUMN_MODEL] >= 0) ||
	       err_set(err, ERR_INVALID,
		       "line 1: must name the columns alias and model, and may name provider and tenant");
}

static char *field_of(const struct csv_row *row, int column)
{
	return strdup(column >= 0 && column < row->count ? row->field[column] : "");
}

static void add(struct aliases *out, const struct csv_row *row, const int columns[COLUMNS], int line)
{
	Bursar__V1__Alias *alias = malloc(sizeof(*alias));

	bursar__v1__alias__init(alias);
	alias->tenant = field_of(row, columns[COLUMN_TENANT]);
	alias->name = field_of(row, columns[COLUMN_ALIAS]);
	alias->provider = field_of(row, columns[COLUMN_PROVIDER]);
	alias->model = field_of(row, columns[COLUMN_MODEL]);
	out->lines[out->list->n_aliases] = line;
	out->list->aliases[out->list->n_aliases++] = alias;
}

static bool csv_read(const struct buf *text, struct aliases *out, struct err *err)
{
	struct csv csv = {.at = buf_str(text), .left = text->len};
	struct csv_row row;
	int columns[COLUMNS];

	out->list = malloc(sizeof(*out->list));
	bursar__v1__list_aliases_response__init(out->list);
	out->list->aliases = calloc(ROWS_MAX, sizeof(*out->list->aliases));
	out->lines = calloc(ROWS_MAX, sizeof(*out->lines));
	if (!csv_next(&csv, &row, err) || !columns_read(&row, columns, err))
		return false;
	for (;;) {
		if (!csv_next(&csv, &row, err))
			return false;
		if (!row.count)
			return true;
		if (out->list->n_aliases == ROWS_MAX)
			return err_set(err, ERR_INVALID, "has more than %d aliases: import it in parts", ROWS_MAX);
		add(out, &row, columns, csv.line);
	}
}

static bool list_read(struct cli *cli, struct aliases *out)
{
	const char *path = cli_arg(cli, 0), *end = strrchr(path, '.');
	struct buf text = {0};
	bool ok = file_read(path, &text, &cli->err);

	if (ok && end && strcmp(end, ".json") == 0) {
		out->list = (Bursar__V1__ListAliasesResponse *)json_new_message(
			buf_str(&text), text.len, &bursar__v1__list_aliases_response__descriptor, &cli->err);
		ok = out->list != NULL;
	} else if (ok) {
		ok = csv_read(&text, out, &cli->err);
	}
	if (ok && !out->list->n_aliases)
		ok = err_set(&cli->err, ERR_INVALID, "lists no alias");
	buf_release(&text);
	return ok;
}

/* Says which alias of the file is wrong. */
static int import_failed(struct cli *cli, const struct aliases *aliases, const struct bursar_error *error)
{
	unsigned at;

	if (!error->from_server || sscanf(error->field, "aliases[%u]", &at) != 1 || at >= aliases->list->n_aliases)
		return cli_failed(cli, error);
	fprintf(stderr, "bursar: %s:", cli_arg(cli, 0));
	if (aliases->lines)
		fprintf(stderr, "%d:", aliases->lines[at]);
	fprintf(stderr, " %s: %s\n  Nothing was changed.\n", aliases->list->aliases[at]->name, error->message);
	return EXIT_REFUSED;
}

static Bursar__V1__ImportAliasesResponse *import_call(
	struct cli *cli, const struct aliases *aliases, const Bursar__V1__ImportAliasesRequest *request, int *code)
{
	struct bursar *bursar =
		cli_open(cli, (struct bursar_options){.timeout_us = option_number(cli, "timeout", IMPORT_US),
				      .attempt_us = option_number(cli, "timeout", IMPORT_US),
				      .attempts = 1});
	struct bursar_error error;
	Bursar__V1__ImportAliasesResponse *answer = bursar_import_aliases(bursar, request, &error);

	if (!answer)
		*code = import_failed(cli, aliases, &error);
	return answer;
}

/* Shows what changes; returns how much. */
static size_t changes_show(struct cli *cli, const Bursar__V1__ImportAliasesResponse *answer)
{
	size_t new = 0, moved = 0;

	for (size_t i = 0; i < answer->n_changes; i++) {
		const Bursar__V1__AliasChange *change = answer->changes[i];
		const Bursar__V1__Alias *after = change->after;

		if (change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_SAME)
			continue;
		new += !change->before;
		moved += change->before != NULL;
		if (cli->json)
			continue;
		buf_putf(&cli->out, "%s %s%s%s: ", change->before ? "changed" : "new    ", after->name,
			after->tenant[0] ? " of tenant " : "", after->tenant);
		if (change->before)
			buf_putf(&cli->out, "%s/%s -> ", change->before->provider, change->before->model);
		buf_putf(&cli->out, "%s/%s\n", after->provider, after->model);
	}
	if (!cli->json)
		buf_putf(
			&cli->out, "%zu new, %zu changed, %zu the same\n", new, moved, answer->n_changes - new - moved);
	return new + moved;
}

static int import_list(struct cli *cli, const struct aliases *aliases)
{
	Bursar__V1__ImportAliasesRequest request = BURSAR__V1__IMPORT_ALIASES_REQUEST__INIT;
	Bursar__V1__ImportAliasesResponse *answer;
	char question[64];
	int code = EXIT_DONE;
	size_t changes;

	request.tenant = (char *)option_text(cli, "tenant");
	request.aliases = aliases->list->aliases;
	request.n_aliases = aliases->list->n_aliases;
	request.reason = (char *)option_text(cli, "reason");
	request.dry_run = true;
	answer = import_call(cli, aliases, &request, &code);
	if (!answer)
		return code;
	changes = changes_show(cli, answer);
	snprintf(question, sizeof(question), "Import %zu aliases?", changes);
	if (option_given(cli, "dry-run") || changes == 0) {
		cli_json(cli, answer);
	} else if (cli_confirm(cli, question, &code)) {
		bursar_free(answer);
		request.dry_run = false;
		answer = import_call(cli, aliases, &request, &code);
		if (answer && !cli_json(cli, answer))
			buf_putf(&cli->out, "imported: %zu aliases\n", changes);
	}
	bursar_free(answer);
	return code;
}

int alias_import(struct cli *cli)
{
	struct aliases aliases = {0};
	int code = EXIT_USAGE;

	if (list_read(cli, &aliases)) {
		code = import_list(cli, &aliases);
	} else {
		fprintf(stderr, "bursar: %s: %s\n  Nothing was changed.\n", cli_arg(cli, 0), cli->err.text);
		code = EXIT_REFUSED;
	}
	bursar_free(aliases.list);
	free(aliases.lines);
	return code;
}
