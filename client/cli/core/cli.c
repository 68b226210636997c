/* What every command needs (command.h): calls, pages, output. */
#include "cli/core/command.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/encoding/json.h"
#include "cli/text/format.h"
#include "cli/text/plain.h"

const char *cli_arg(const struct cli *cli, int n)
{
	return n < cli->args_count ? cli->args[n] : "";
}

void *cli_call(struct cli *cli, enum bursar_method method, const void *request, int *code)
{
	struct bursar_error error;
	void *answer = bursar_call(cli_bursar(cli), method, request, &error);

	if (!answer)
		*code = cli_failed(cli, &error);
	return answer;
}

static void *field_of(void *message, const char *name)
{
	const ProtobufCMessage *base = message;
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(base->descriptor, name);

	assert(field);
	return (char *)message + field->offset;
}

/* Moves the rows of a List answer from `page` to the end of `all`. */
static size_t move_rows(void *all, void *page)
{
	const ProtobufCMessage *base = page;
	const ProtobufCFieldDescriptor *field = &base->descriptor->fields[0];
	size_t *total = (size_t *)((char *)all + field->quantifier_offset);
	size_t *more = (size_t *)((char *)page + field->quantifier_offset);
	void ***rows = (void ***)((char *)all + field->offset);
	void ***from = (void ***)((char *)page + field->offset);

	assert(field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_MESSAGE);
	if (all != page && *more > 0) {
		void **longer = mem_realloc(*rows, (*total + *more) * sizeof(void *));

		*rows = longer;
		memcpy(*rows + *total, *from, *more * sizeof(void *));
		*total += *more;
		*more = 0;
	}
	return *total;
}

void *cli_call_pages(struct cli *cli, enum bursar_method method, void *request, int64_t limit, int *code)
{
	int32_t *page_size = field_of(request, "page_size");
	char **page_token = field_of(request, "page_token");
	void *all = NULL;
	size_t count = 0;

	for (;;) {
		char **all_token, **token;
		void *page;

		*page_size = (int32_t)(limit - (int64_t)count < 1000 ? limit - (int64_t)count : 1000);
		page = cli_call(cli, method, request, code);
		if (!page) {
			bursar_free(all);
			return NULL;
		}
		if (!all)
			all = page;
		count = move_rows(all, page);
		all_token = field_of(all, "next_page_token");
		token = field_of(page, "next_page_token");
		if (all != page) {
			char *swap = *all_token;

			*all_token = *token;
			*token = swap;
			bursar_free(page);
		}
		*page_token = *all_token;
		if (!**all_token || (int64_t)count >= limit)
			return all;
	}
}

int cli_usage(struct cli *cli)
{
	const char *name = cli->command->name;

	fprintf(stderr, "bursar %s: %s\n", name, cli->err.text);
	fprintf(stderr, "  usage: bursar %s%s%s [OPTION...]; 'bursar %s --help' has examples.\n", name,
		*cli->command->args ? " " : "", cli->command->args, name);
	return EXIT_USAGE;
}

bool cli_json(struct cli *cli, const void *answer)
{
	if (cli->json)
		json_put_message(&cli->out, answer);
	return cli->json;
}

void cli_flush(struct cli *cli)
{
	struct buf plain = {0};

	put_plain_lines(&plain, buf_str(&cli->out), cli->out.len, isatty(STDOUT_FILENO) != 0);
	fwrite(buf_str(&plain), 1, plain.len, stdout);
	fflush(stdout);
	buf_release(&plain);
	buf_reset(&cli->out);
}

void cli_put_coloured(struct cli *cli, const char *sgr, const char *text)
{
	if (cli->colour)
		buf_putf(&cli->out, OWN_ESCAPE "[%sm%s" OWN_ESCAPE "[0m", sgr, text);
	else
		buf_put_str(&cli->out, text);
}

int cli_enum(const ProtobufCEnumDescriptor *descriptor, const char *prefix, const char *text)
{
	char name[64];
	const ProtobufCEnumValue *row;

	if (!*text)
		return 0;
	snprintf(name, sizeof(name), "%s%s", prefix, text);
	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	row = protobuf_c_enum_descriptor_get_value_by_name(descriptor, name);
	return row ? row->value : 0;
}
