/* Tables of templates, one a tenant, behind each other in one array. */
#include "pg/lookup/texts.h"

#include <string.h>

#include "base/observe/log.h"
#include "pg/link/link.h"
#include "pg/link/rows.h"

static const char *text_copy(struct arena *arena, const PGresult *texts, int row, int column)
{
	return arena_strndup(arena, pg_text(texts, row, column), (size_t)PQgetlength(texts, row, column));
}

/* An invalid row (written by hand, or by a newer bursard) is ignored: the built-in text applies. */
static bool text_read(struct arena *arena, const PGresult *texts, int row, struct text_template *out)
{
	char tag[TEXT_LANGUAGE_MAX + 1];
	struct err err;

	out->code = text_copy(arena, texts, row, 1);
	out->language = text_copy(arena, texts, row, 2);
	out->text = text_copy(arena, texts, row, 3);
	if (text_template_check(out, tag, &err)) {
		out->language = arena_strndup(arena, tag, strlen(tag)); /* as it is looked up */
		return true;
	}
	log_error("a text in PostgreSQL is not valid and is left out", F("tenant", pg_text(texts, row, 0)),
		F("code", out->code), F("language", out->language), F("why", err.text));
	return false;
}

void catalog_texts_load(struct catalog_parts *parts, const PGresult *texts)
{
	int rows = PQntuples(texts), i = 0;
	struct text_template *at = arena_zalloc(&parts->text_rows, (size_t)rows + 1, sizeof(*at));

	parts->text = mem_zalloc((size_t)rows + 1, sizeof(*parts->text));
	while (i < rows) {
		struct catalog_texts *of = &parts->text[parts->texts++];
		struct text_template *first = at;
		pg_copy(texts, i, 0, of->tenant, sizeof(of->tenant));
		for (; i < rows && strcmp(pg_text(texts, i, 0), of->tenant) == 0; i++)
			if (text_read(&parts->text_rows, texts, i, at))
				at++;
		of->table = (struct text_table){.templates = first, .count = (int)(at - first)};
		text_templates_sort(first, of->table.count);
	}
}
