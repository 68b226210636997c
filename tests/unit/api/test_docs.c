/* docs/api.md has the same row for each field as the table. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lib/source.h"
#include "lib/test.h"

static const struct row {
	const char *message, *field, *rule;
	int64_t least, most;
} rows[] = {
#define FIELD(message_, field_, rule_, least_, most_) {#message_, #field_, #rule_, least_, most_},
#include "api/message/fields.def"
#undef FIELD
};

static void message_name(const char *name, struct buf *out)
{
	bool upper = true;

	for (; *name; name++) {
		char c = *name;

		if (c == '_') {
			upper = true;
			continue;
		}
		if (upper && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		upper = false;
		buf_put(out, &c, 1);
	}
}

static void rule_text(const struct row *row, struct buf *out)
{
	static const char *const words[][2] = {{"ID", "id"}, {"ID_OR_NONE", "id or empty"}, {"NAME", "name"},
		{"NAME_OR_NONE", "name or empty"}, {"TRIMMED", "id, trimmed"},
		{"TRIMMED_OR_NONE", "id, trimmed, or empty"}, {"INTERFACE_OR_NONE", "interface or empty"},
		{"NEEDED", "needed"}, {"KNOWN", "one of the list"}};
	const char *prefix = strcmp(row->rule, "TTL") == 0 ? "0 or " : "";
	const char *suffix = strcmp(row->rule, "TEXT") == 0    ? " bytes"
			     : strcmp(row->rule, "ITEMS") == 0 ? " items"
							       : "";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(row->rule, words[i][0]) == 0) {
			buf_put_str(out, words[i][1]);
			return;
		}
	buf_putf(out, "%s%" PRId64 " to %" PRId64 "%s", prefix, row->least, row->most, suffix);
}

TEST(the_page_has_the_row_of_each_field)
{
	struct buf page = {0};

	source_read("docs/api.md", &page);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf line = {0};

		buf_put_str(&line, "| `");
		message_name(rows[i].message, &line);
		buf_putf(&line, ".%s` | ", rows[i].field);
		rule_text(&rows[i], &line);
		buf_put_str(&line, " |\n");
		if (!strstr(buf_str(&page), buf_str(&line)))
			fail_msg("docs/api.md lacks: %s", buf_str(&line));
		buf_release(&line);
	}
	buf_release(&page);
}
