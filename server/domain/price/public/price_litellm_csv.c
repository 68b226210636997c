/*
 * A table of models with litellm's fields as columns: model,litellm_provider,input_cost_per_token,... The name of a model is in
 * the column model or model_name, or in one without a name, as pandas writes it. What litellm has as an object is JSON in its
 * cell. The rows become the tree that litellm's JSON would be, so both are read by the same rules.
 */
#include <string.h>

#include "base/text/csv.h"
#include "domain/price/public/price_draft.h"

struct sheet {
	struct arena *arena;
	struct csv csv;
	int columns, model; /* the column of the names; -1: none */
	const char *column[CSV_FIELDS_MAX];
	struct csv_row row;
};

bool litellm_csv_is(const char *text, size_t len)
{
	struct csv csv = {.at = text, .left = len};
	struct csv_row header;
	struct err ignored;

	if (!csv_next(&csv, &header, &ignored))
		return false;
	for (int i = 0; i < header.count; i++)
		if (strcmp(header.field[i], "litellm_provider") == 0)
			return true;
	return false;
}

static bool names_model(const char *column)
{
	return !*column || strcmp(column, "model") == 0 || strcmp(column, "model_name") == 0;
}

static bool header_read(struct sheet *sheet, struct err *err)
{
	if (!csv_next(&sheet->csv, &sheet->row, err))
		return false;
	sheet->columns = sheet->row.count;
	sheet->model = -1;
	for (int i = 0; i < sheet->columns; i++) {
		const char *column = sheet->row.field[i];

		for (int k = 0; k < i; k++)
			if (*column && strcmp(sheet->column[k], column) == 0)
				return err_set(err, ERR_INVALID, "line 1: the column %.60s is listed twice", column);
		sheet->column[i] = arena_strndup(sheet->arena, column, strlen(column));
		if (sheet->model < 0 && names_model(column))
			sheet->model = i;
	}
	return sheet->model >= 0 || err_set(err, ERR_INVALID, "line 1: the column model is missing");
}

static bool is_number(const char *text)
{
	int64_t ignored;

	return decimal_scale(text, 0, &ignored) != DECIMAL_BAD;
}

/* The member that a cell is. An object, or a list of them, must be JSON: other lists do not say what anything costs. */
static bool cell_read(struct sheet *sheet, const char *column, const char *text, struct tree *out, struct err *err)
{
	const struct tree *value;
	struct err why;

	if (*text == '{' || strncmp(text, "[{", 2) == 0) {
		if (!tree_parse(text, strlen(text), sheet->arena, &value, &why))
			return err_set(err, ERR_INVALID, "line %d: %.60s: is not JSON", sheet->csv.line, column);
		*out = *value;
	} else {
		*out = (struct tree){.kind = is_number(text) ? TREE_NUMBER : TREE_TEXT,
			.text = arena_strndup(sheet->arena, text, strlen(text))};
	}
	out->name = column;
	out->line = sheet->csv.line;
	return true;
}

static bool row_read(struct sheet *sheet, struct tree *out, struct err *err)
{
	const char *model = sheet->row.field[sheet->model];
	const struct tree **end = &out->first;

	*out = (struct tree){.kind = TREE_OBJECT, .line = sheet->csv.line, .text = ""};
	if (sheet->row.count != sheet->columns)
		return err_set(err, ERR_INVALID, "line %d: has %d fields, but the header has %d", sheet->csv.line,
			sheet->row.count, sheet->columns);
	if (!*model)
		return err_set(err, ERR_INVALID, "line %d: the model has no name", sheet->csv.line);
	out->name = arena_strndup(sheet->arena, model, strlen(model));
	for (int i = 0; i < sheet->columns; i++) {
		struct tree *cell;

		if (i == sheet->model || !*sheet->row.field[i])
			continue;
		cell = arena_zalloc(sheet->arena, 1, sizeof(*cell));
		if (!cell_read(sheet, sheet->column[i], sheet->row.field[i], cell, err))
			return false;
		cell->next = NULL;
		*end = cell;
		end = &cell->next;
	}
	return true;
}

bool litellm_csv_tree(const char *text, size_t len, struct arena *arena, const struct tree **out, struct err *err)
{
	struct sheet *sheet = arena_zalloc(arena, 1, sizeof(*sheet));
	struct tree *root = arena_zalloc(arena, 1, sizeof(*root));
	const struct tree **end = &root->first;

	*root = (struct tree){.kind = TREE_OBJECT, .line = 1, .name = "", .text = ""};
	sheet->arena = arena;
	sheet->csv = (struct csv){.at = text, .left = len};
	if (!header_read(sheet, err))
		return false;
	for (int rows = 0;; rows++) {
		struct tree *row;

		if (!csv_next(&sheet->csv, &sheet->row, err))
			return false;
		if (sheet->row.count == 0)
			break;
		if (rows == PRICE_CSV_ROWS_MAX)
			return err_set(err, ERR_INVALID, "line %d: at most %d rows are allowed", sheet->csv.line,
				PRICE_CSV_ROWS_MAX);
		row = arena_zalloc(arena, 1, sizeof(*row));
		if (!row_read(sheet, row, err))
			return false;
		*end = row;
		end = &row->next;
	}
	*out = root;
	return true;
}
