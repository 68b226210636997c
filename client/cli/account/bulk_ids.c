/* The ids of a bulk change (bulk.h): reads them from a file, and reports unknown ones. */
#include "cli/account/bulk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text/csv.h"
#include "cli/common/view.h"
#include "cli/core/nearest.h"
#include "cli/text/file.h"
#include "cli/text/plain.h"

#define IDS_MAX 1000000

static void id_add(struct bulk *bulk, const char *id)
{
	if (bulk->ids % 1024 == 0)
		bulk->id = mem_realloc(bulk->id, (bulk->ids + 1024) * sizeof(*bulk->id));
	bulk->id[bulk->ids] = strdup(id);
	if (!bulk->id[bulk->ids++])
		mem_exhausted(strlen(id) + 1);
}

/* The column of ids that the first row names; -1 if it names none. */
static int heading(const struct csv_row *row)
{
	for (int i = 0; i < row->count; i++)
		if (strcasecmp(row->field[i], "user") == 0 || strcasecmp(row->field[i], "id") == 0)
			return i;
	return -1;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void ids_sort(struct bulk *bulk)
{
	size_t kept = 0;

	if (bulk->ids > 0)
		qsort(bulk->id, bulk->ids, sizeof(*bulk->id), by_text);
	for (size_t i = 0; i < bulk->ids; i++) {
		if (kept > 0 && strcmp(bulk->id[i], bulk->id[kept - 1]) == 0)
			free(bulk->id[i]);
		else
			bulk->id[kept++] = bulk->id[i];
	}
	bulk->ids = kept;
}

/* With several columns, one must be named as the column of ids: the first could hold anything. */
static bool no_heading(const struct csv_row *row, struct err *err)
{
	struct buf names = {0};

	for (int i = 0; i < row->count; i++)
		buf_putf(&names, "%s%.40s", i ? ", " : "", row->field[i]);
	err_set(err, ERR_INVALID, "line 1: no column is called user or id; the columns are %.300s", buf_str(&names));
	buf_release(&names);
	return false;
}

/* Whether the row is a heading; if so, sets `column`. A file with one column needs no heading. */
static bool first_row(struct bulk *bulk, const struct csv_row *row, int *column, bool *is_heading, struct err *err)
{
	*column = heading(row);
	*is_heading = *column >= 0;
	if (*is_heading)
		return true;
	*column = 0;
	if (row->count > 1)
		return no_heading(row, err);
	snprintf(bulk->first, sizeof(bulk->first), "%s", row->field[0]);
	return csv_separator_check(row->field[0], err);
}

static bool row_read(struct bulk *bulk, const struct csv_row *row, int line, int column, struct err *err)
{
	if (column >= row->count)
		return err_set(err, ERR_INVALID, "line %d: has no column of ids", line);
	if (strlen(row->field[column]) > 128)
		return err_set(err, ERR_INVALID, "line %d: the id is longer than 128 bytes", line);
	if (bulk->ids == IDS_MAX)
		return err_set(err, ERR_INVALID, "has more than a million ids");
	if (row->field[column][0])
		id_add(bulk, row->field[column]);
	return true;
}

static bool rows_read(struct bulk *bulk, struct csv csv, struct err *err)
{
	struct csv_row row;
	int column = -1;
	bool is_heading = false;

	while (csv_next(&csv, &row, err)) {
		if (row.count == 0 && bulk->ids == 0)
			return err_set(err, ERR_INVALID, is_heading ? "has a heading and no ids" : "is empty");
		if (row.count == 0)
			return true;
		if (column < 0) {
			if (!first_row(bulk, &row, &column, &is_heading, err))
				return false;
			if (is_heading)
				continue;
		}
		if (!row_read(bulk, &row, csv.line, column, err))
			return false;
	}
	return false;
}

bool bulk_read_ids(struct bulk *bulk, const char *path)
{
	struct err *err = &bulk->cli->err;
	struct buf text = {0};
	bool ok = file_read(path, &text, err);

	if (ok && memchr(buf_str(&text), '\0', text.len))
		ok = err_set(err, ERR_INVALID, "%s: is not text: a CSV file is expected", path);
	else if (ok)
		ok = rows_read(bulk, (struct csv){.at = buf_str(&text), .left = text.len}, err) ||
		     err_prefix(err, "%s: ", path);
	buf_release(&text);
	bulk->by_ids = true;
	ids_sort(bulk);
	return ok;
}

int bulk_tell_unknown(const struct bulk *bulk)
{
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;
	struct buf said = {0};

	ref.tenant = bulk->request.tenant;
	ref.kind = bulk->request.kind;
	buf_putf(&said, "bursar: %" PRId64 " of %zu ids are unknown: they were never put or used", bulk->counts.unknown,
		bulk->ids);
	buf_putf(&said, "%s:\n", bulk->request.dry_run ? "; nothing was changed" : "");
	for (size_t i = 0; i < bulk->strangers; i++) {
		struct meant meant = {.typed = bulk->stranger[i]};

		buf_put_str(&said, "  ");
		put_plain(&said, bulk->stranger[i]);
		nearest_account(bulk->cli, &ref, &meant);
		if (strcmp(bulk->stranger[i], bulk->first) == 0)
			buf_put_str(&said, ": in line 1; is it a heading? The column of ids is called user or id");
		else if (meant.name[0])
			buf_put_str(&said, ": did you mean '");
		if (strcmp(bulk->stranger[i], bulk->first) != 0 && meant.name[0]) {
			put_plain(&said, meant.name);
			buf_put_str(&said, "'?");
		}
		buf_put_str(&said, "\n");
	}
	if (bulk->counts.unknown > (int64_t)bulk->strangers)
		buf_put_str(&said, "  ...\n");
	buf_put_str(&said, "  Correct them, or repeat the command with --create to create the accounts.\n");
	cli_flush(bulk->cli);
	fputs(buf_str(&said), stderr);
	buf_release(&said);
	return EXIT_REFUSED;
}
