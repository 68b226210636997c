/* What every command needs: the connection, errors that say what to do next, output. */
#include "cli/command.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/json.h"

int64_t cli_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const char *cli_arg(const struct cli *cli, int n)
{
	return n < cli->args_count ? cli->args[n] : "";
}

static const struct hint {
	int code;
	const char *text;
} hints[] = {
	{BURSAR_ALREADY_EXISTS,
		"The same id with other contents was used before: choose another, or repeat the first call as it was."},
	{BURSAR_UNAUTHENTICATED, "Put the key into a file and name it by --key-file FILE or BURSAR_KEY_FILE; an admin "
				 "makes one with 'bursar "
				 "key create'."},
	{BURSAR_PERMISSION_DENIED, "The key has no right to this; an admin's has."},
	{BURSAR_RESOURCE_EXHAUSTED, "The server is full: try again later."},
	{BURSAR_UNIMPLEMENTED,
		"The server is older than this command; compare 'bursar version' with 'bursard --version'."},
	{BURSAR_UNAVAILABLE, "The server is up but a store behind it is not: see /readyz on its HTTP port, or "
			     "'deploy/local status'."},
	{BURSAR_DEADLINE_EXCEEDED,
		"The server did not finish in time: see 'deploy/local logs', or allow more with --timeout."},
	{BURSAR_INTERNAL, "The server's log says more: 'deploy/local logs'."},
};

/* What gRPC says of a connection, without what it repeats. */
static const char *plain_cause(const char *message)
{
	static const char last[] = "last error: ", remote[] = "Failed to connect to remote host: ";
	const char *cause = strstr(message, last), *end;

	if (!cause)
		return message;
	cause += strlen(last);
	end = strstr(cause, remote);
	if (end)
		return end + strlen(remote);
	return strncmp(cause, "UNKNOWN: ", 9) == 0 ? cause + 9 : cause;
}

static int unreachable(const struct cli *cli, const struct bursar_error *error)
{
	const char *ca = cli_setting(cli, SETTING_TLS_CA);

	fprintf(stderr, "bursar: cannot reach %s: %s\n", cli->address, plain_cause(error->message));
	fprintf(stderr,
		"  Is bursard running there%s? Start one with 'deploy/local up', or name another by --addr HOST:PORT "
		"or BURSAR_ADDR.\n",
		ca && *ca ? ", does it speak TLS, and is its certificate of whom --tls-ca names"
			  : " (and without TLS? Else name its CA by --tls-ca)");
	return EXIT_UNREACHABLE;
}

/* Where what was not found can be looked up, by the command's first word. */
static const char *where_to_look(const struct cli *cli)
{
	static const char *const lists[] = {"tier", "pool", "price", "tenant", "key", NULL};
	static char text[64];
	size_t word = strcspn(cli->command->name, " ");

	for (const char *const *list = lists; *list; list++) {
		if (strlen(*list) == word && strncmp(cli->command->name, *list, word) == 0) {
			snprintf(text, sizeof(text), "'bursar %s list' shows what there is. Mind --tenant.", *list);
			return text;
		}
	}
	return "Mind --tenant. An ended reservation is known for 15 minutes more.";
}

int cli_failed(struct cli *cli, const struct bursar_error *error)
{
	struct buf wait = {0};

	if (!error->from_server)
		return unreachable(cli, error);
	fprintf(stderr, "bursar: refused (%s): %s%s%s\n", bursar_code_name(error->code), error->field,
		error->field[0] ? ": " : "", error->message);
	if (error->retry_after_us > 0) {
		put_duration(&wait, error->retry_after_us);
		fprintf(stderr, "  Try again in %s.\n", buf_str(&wait));
		buf_release(&wait);
	}
	if (error->code == BURSAR_NOT_FOUND)
		fprintf(stderr, "  %s\n", where_to_look(cli));
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (hints[i].code == error->code)
			fprintf(stderr, "  %s\n", hints[i].text);
	return EXIT_REFUSED;
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

/* The one list of a List answer: its rows move from `page` to the end of `all`. */
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
		void **longer = realloc(*rows, (*total + *more) * sizeof(void *));

		if (!longer)
			abort();
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
	fwrite(buf_str(&cli->out), 1, cli->out.len, stdout);
	fflush(stdout);
	buf_reset(&cli->out);
}

void cli_put_coloured(struct cli *cli, const char *sgr, const char *text)
{
	if (cli->colour)
		buf_putf(&cli->out, "\033[%sm%s\033[0m", sgr, text);
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
