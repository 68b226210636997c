/* Prints the table as help, as a file and as a page of the documentation. */
#include <stdlib.h>
#include <string.h>

#include "base/conf/table.h"

/* Wraps `text` at 100 columns and starts each line with `indent` spaces. */
static void put_wrapped(struct buf *out, const char *text, int indent)
{
	int column = 0;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column == 0 || column + 1 + len > 100) {
			buf_putf(out, "%s%*s", column ? "\n" : "", indent, "");
			column = indent;
		} else {
			buf_put_str(out, " ");
			column++;
		}
		buf_put(out, text, (size_t)len);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	buf_put_str(out, "\n");
}

static void put_flag(struct buf *out, const char *name)
{
	buf_put_str(out, "--");
	for (; *name; name++)
		buf_put_u8(out, (uint8_t)(*name == '_' ? '-' : *name));
}

void conf_print_help(struct buf *out)
{
	buf_put_str(out, "Usage: bursard [OPTIONS]                      serve\n"
			 "       bursard [OPTIONS] migrate up|down|status\n\n"
			 "Bursar decides whether a request of a bot may run, and keeps the books of what it cost.\n\n"
			 "Each option may also be a variable (BURSAR_GRPC_LISTEN) or a line of the configuration file\n"
			 "(grpc_listen = ...). Flags win over variables, variables over the file.\n\n"
			 "  --config FILE\n      Configuration file; also BURSAR_CONFIG.\n"
			 "  --print-config\n      Prints the configuration in force as a file, and ends.\n"
			 "  --print-config-docs\n      Prints all options as a Markdown page, and ends.\n"
			 "  --print-paths\n      Prints the paths of the HTTP interface as a Markdown page, and ends.\n"
			 "  --print-openapi\n      Prints the OpenAPI document of the HTTP interface, and ends.\n"
			 "  --version\n  --help\n");
	for (size_t i = 0; i < conf_row_count; i++) {
		const struct conf_row *row = &conf_rows[i];

		if (row->type == CONF_TYPE_GROUP) {
			buf_putf(out, "\n%s\n", row->name);
			continue;
		}
		buf_put_str(out, "  ");
		put_flag(out, row->name);
		if (row->type != CONF_TYPE_TEXT) {
			buf_put_str(out, " (");
			conf_row_range(row, out);
			buf_put_str(out, ")");
		}
		buf_putf(out, " [%s]\n", row->initial);
		put_wrapped(out, row->doc, 6);
	}
}

/* Appends `len` bytes of `value`, with whatever follows "password=" or lies between "://name:" and '@' shown as ***. */
static void put_masked(struct buf *out, const char *value)
{
	const char *scheme = strstr(value, "://");
	const char *at = scheme ? strrchr(scheme + 3, '@') : NULL;
	const char *colon = at ? memchr(scheme + 3, ':', (size_t)(at - scheme - 3)) : NULL;
	const char *word;

	if (colon) {
		buf_put(out, value, (size_t)(colon + 1 - value));
		buf_put_str(out, "***");
		value = at;
	}
	while ((word = strstr(value, "password=")) != NULL) {
		word += strlen("password=");
		buf_put(out, value, (size_t)(word - value));
		buf_put_str(out, "***");
		if (*word == '\'') {
			for (word++; *word && *word != '\''; word++)
				word += *word == '\\' && word[1];
			word += *word == '\'';
		} else {
			word += strcspn(word, " &");
		}
		value = word;
	}
	buf_put_str(out, value);
}

void conf_print(const struct conf *conf, struct buf *out)
{
	for (size_t i = 0; i < conf_row_count; i++) {
		const struct conf_row *row = &conf_rows[i];
		struct buf value = {0};

		if (row->type == CONF_TYPE_GROUP) {
			buf_putf(out, "%s# %s\n", i ? "\n" : "", row->name);
			continue;
		}
		conf_value(conf, row, &value);
		buf_putf(out, "%s = ", row->name);
		if (row->secret)
			put_masked(out, buf_str(&value));
		else
			buf_put_str(out, buf_str(&value));
		buf_put_str(out, "\n");
		buf_release(&value);
	}
}

void conf_print_docs(struct buf *out)
{
	buf_put_str(out,
		"# Configuration of bursard\n\n"
		"Made by `bursard --print-config-docs` from `server/base/conf/conf.def`; change that table, not this "
		"page.\n\n"
		"An option is given as a flag (`--grpc-listen VALUE` or `--grpc-listen=VALUE`), as a variable\n"
		"(`BURSAR_GRPC_LISTEN=VALUE`) or as a line of a file named by `--config FILE` or `BURSAR_CONFIG`\n"
		"(`grpc_listen = VALUE`; a line that begins with `#` is a comment). Flags win over variables, "
		"variables over\n"
		"the file, the file over the defaults. `bursard --print-config` prints what is in force.\n");
	for (size_t i = 0; i < conf_row_count; i++) {
		const struct conf_row *row = &conf_rows[i];

		if (row->type == CONF_TYPE_GROUP) {
			buf_putf(out, "\n## %s\n\n| Option | Default | Values | What it does |\n|---|---|---|---|\n",
				row->name);
			continue;
		}
		buf_putf(out, "| `%s` | %s%s%s | ", row->name, row->initial[0] ? "`" : "", row->initial,
			row->initial[0] ? "`" : "");
		conf_row_range(row, out);
		buf_putf(out, " | %s |\n", row->doc);
	}
}
