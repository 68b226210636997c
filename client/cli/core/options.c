/* Parses the command line with popt into values of the options' types (command.h). */
#include "cli/core/command.h"

#include <assert.h>
#include <limits.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "cli/text/meant.h"
#include "cli/text/parse.h"

struct option_value {
	const struct option *option;
	bool given;
	int64_t number;
	char **texts; /* one, or several for a list */
	size_t count;
};

enum { VALUES_MAX = 2 * OPTIONS_MAX };

struct option_values {
	size_t count;
	struct option_value each[VALUES_MAX];
};

const struct option global_options[] = {
	{'a', "addr", OPTION_TEXT, "HOST:PORT",
		"the server; without :PORT, the default port (default: $BURSAR_ADDR, else " BURSAR_DEFAULT_ADDRESS ")",
		NULL},
	{'\0', "key-file", OPTION_FILE, "FILE",
		"a file with the API key (default: the key in $BURSAR_KEY, or the file $BURSAR_KEY_FILE)", NULL},
	{'\0', "tls-ca", OPTION_FILE, "FILE",
		"use TLS, and trust the CAs in this PEM file; 'system': the machine's roots (default: $BURSAR_TLS_CA)",
		NULL},
	{'\0', "tls-cert", OPTION_FILE, "FILE", "the client certificate, as PEM (default: $BURSAR_TLS_CERT)", NULL},
	{'\0', "tls-key", OPTION_FILE, "FILE", "the client certificate's key, as PEM (default: $BURSAR_TLS_KEY)", NULL},
	{'j', "json", OPTION_FLAG, NULL, "print JSON: names as in the proto, money in nano-USD, times in microseconds",
		NULL},
	{'\0', "profile", OPTION_PROFILE, "NAME",
		"use the settings of this profile, see 'bursar profile' (default: $BURSAR_PROFILE, else the default "
		"profile)",
		NULL},
	{'\0', "timeout", OPTION_PATIENCE, "DURATION",
		"how long to wait for the server (default: 5s; a bare number is in seconds)", NULL},
	{'\0', "no-color", OPTION_FLAG, NULL, "never use colours (like the variable NO_COLOR)", NULL},
	{'h', "help", OPTION_FLAG, NULL, "show what the command does, with examples", NULL},
	{0},
};

void args_bounds(const char *args, int *min, int *max)
{
	*min = *max = 0;
	while (*args) {
		size_t len = strcspn(args, " ");

		if (*args != '[')
			++*min;
		++*max;
		if (memmem(args, len, "...", 3))
			*max = INT_MAX;
		args += len + (args[len] == ' ');
	}
}

/* The nth word of `args` without its brackets, for "USER is missing". */
static void arg_name(const char *args, int n, char *name, size_t size)
{
	size_t len;

	for (; n > 0 && *args; n--)
		args += strcspn(args, " ") + 1;
	args += *args == '[';
	len = strcspn(args, " ].");
	if (len >= size)
		len = size - 1;
	memcpy(name, args, len);
	name[len] = '\0';
}

static bool is_choice(const char *choices, const char *text)
{
	while (*choices) {
		size_t len = strcspn(choices, "|");

		if (strlen(text) == len && strncmp(choices, text, len) == 0)
			return true;
		choices += len + (choices[len] == '|');
	}
	return false;
}

bool cli_none_of(struct err *err, const char *text, const char *choices)
{
	struct meant meant = {.typed = text};
	struct buf said = {0};

	buf_putf(&said, "'%s' is not one of ", text);
	for (const char *p = choices; *p; p++)
		buf_put(&said, *p == '|' ? ", " : p, *p == '|' ? 2 : 1);
	meant_try_choices(&meant, choices);
	meant_put(&said, &meant);
	err_set(err, ERR_INVALID, "%s", buf_str(&said));
	buf_release(&said);
	return false;
}

static bool value_check(struct option_value *value, const char *text, struct err *err)
{
	switch (value->option->type) {
	case OPTION_CHOICE:
		if (!is_choice(value->option->choices, text))
			return cli_none_of(err, text, value->option->choices);
		return true;
	case OPTION_COUNT:
		return parse_count(text, strlen(text), &value->number, err);
	case OPTION_SOME:
		return parse_count(text, strlen(text), &value->number, err) &&
		       (value->number > 0 || err_set(err, ERR_INVALID, "must be at least 1"));
	case OPTION_CHANGE:
		return parse_change(text, strlen(text), &value->number, err);
	case OPTION_USD_CHANGE:
		return parse_usd_change(text, strlen(text), &value->number, err);
	case OPTION_DURATION:
		return parse_duration(text, strlen(text), &value->number, err);
	case OPTION_PATIENCE:
		return parse_patience(text, strlen(text), &value->number, err);
	case OPTION_TIME:
		return parse_time(text, clock_wall_us(), &value->number, err);
	case OPTION_DAY:
		return parse_day(text, clock_wall_us(), &value->number, err);
	default:
		return true;
	}
}

static bool value_put(struct option_value *value, char *text, struct err *err)
{
	if (value->given && value->option->type != OPTION_LIST && value->option->type != OPTION_FLAG) {
		free(text);
		return err_set(err, ERR_INVALID, "--%s: is given twice", value->option->name);
	}
	value->given = true;
	if (value->option->type == OPTION_FLAG)
		return true;
	if (!text)
		abort(); /* popt ran out of memory */
	value->texts = mem_realloc(value->texts, (value->count + 1) * sizeof(*value->texts));
	value->texts[value->count++] = text;
	return value_check(value, text, err) || err_prefix(err, "--%s: ", value->option->name);
}

static void add_options(struct option_values *values, struct poptOption *table, const struct option *options)
{
	for (; options->name; options++) {
		size_t n = values->count++;

		assert(values->count < VALUES_MAX);
		values->each[n].option = options;
		table[n].longName = options->name;
		table[n].shortName = options->letter;
		table[n].argInfo = options->type == OPTION_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING;
		table[n].val = (int)n + 1;
	}
}

static bool no_such_option(struct cli *cli, const char *typed)
{
	const char *name = typed + strspn(typed, "-");
	char word[64] = "";
	struct meant meant = {.typed = word};

	memcpy(word, name, strnlen(name, strcspn(name, "=") < sizeof(word) ? strcspn(name, "=") : sizeof(word) - 1));
	for (size_t i = 0; i < cli->values->count; i++)
		meant_try(&meant, cli->values->each[i].option->name);
	return err_set(&cli->err, ERR_INVALID, "%s: there is no such option%s%s%s", typed,
		meant.name[0] ? "; did you mean '--" : "", meant.name, meant.name[0] ? "'?" : "");
}

static bool read_options(struct cli *cli, poptContext popt)
{
	int val;

	while ((val = poptGetNextOpt(popt)) > 0)
		if (!value_put(&cli->values->each[val - 1], poptGetOptArg(popt), &cli->err))
			return false;
	if (val == -1)
		return true;
	if (val == POPT_ERROR_NOARG)
		return err_set(&cli->err, ERR_INVALID, "%s: the value is missing", poptBadOption(popt, 0));
	if (val == POPT_ERROR_BADOPT)
		return no_such_option(cli, poptBadOption(popt, 0));
	return err_set(&cli->err, ERR_INVALID, "%s: %s", poptBadOption(popt, 0), poptStrerror(val));
}

static bool has_option(const struct cli *cli, const char *name)
{
	for (const struct option *option = cli->command->options; option->name; option++)
		if (strcmp(option->name, name) == 0)
			return true;
	return false;
}

static bool read_args(struct cli *cli, const char **args)
{
	int min = 0, max = 0, count = 0;
	char name[40];

	while (args[count])
		count++;
	cli->args = mem_zalloc((size_t)count + 1, sizeof(*cli->args));
	for (; cli->args_count < count; cli->args_count++)
		cli->args[cli->args_count] = strdup(args[cli->args_count]);
	args_bounds(cli->command->args, &min, &max);
	if (option_given(cli, "help"))
		return true;
	if (count < min) {
		arg_name(cli->command->args, count, name, sizeof(name));
		return err_set(&cli->err, ERR_INVALID, "%s is missing", name);
	}
	if (count > max)
		return err_set(&cli->err, ERR_INVALID, "'%s' is one argument too many%s", cli->args[max],
			has_option(cli, "file") ? "; pass a file with -f FILE" : "");
	for (int i = 0; i < count && (max < INT_MAX || i < min); i++) {
		if (!*args[i]) {
			arg_name(cli->command->args, i, name, sizeof(name));
			return err_set(&cli->err, ERR_INVALID, "%s is empty", name);
		}
	}
	return true;
}

bool options_parse(struct cli *cli, int argc, const char **argv)
{
	struct poptOption table[VALUES_MAX] = {{0}};
	const char *none[] = {NULL};
	poptContext popt;
	bool right;

	cli->values = mem_zalloc(1, sizeof(*cli->values));
	add_options(cli->values, table, cli->command->options);
	add_options(cli->values, table, global_options);
	/* No name: otherwise popt reads configuration files that could change what an option means. */
	popt = poptGetContext(NULL, argc, argv, table, 0);
	right = read_options(cli, popt) && read_args(cli, poptPeekArg(popt) ? poptGetArgs(popt) : none);
	poptFreeContext(popt);
	return right;
}

void options_release(struct cli *cli)
{
	if (!cli->values)
		return;
	for (size_t i = 0; i < cli->values->count; i++) {
		for (size_t k = 0; k < cli->values->each[i].count; k++)
			free(cli->values->each[i].texts[k]);
		free(cli->values->each[i].texts);
	}
	free(cli->values);
	for (int i = 0; i < cli->args_count; i++)
		free(cli->args[i]);
	free(cli->args);
	cli->values = NULL;
	cli->args = NULL;
	cli->args_count = 0;
}

static const struct option_value *find(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->values->count; i++)
		if (strcmp(cli->values->each[i].option->name, name) == 0)
			return &cli->values->each[i];
	assert(false && "an option of the command's row");
	return NULL;
}

bool option_given(const struct cli *cli, const char *name)
{
	return find(cli, name)->given;
}

const char *option_text(const struct cli *cli, const char *name)
{
	const struct option_value *value = find(cli, name);

	if (value->count > 0)
		return value->texts[0];
	return value->option->type == OPTION_FLEET && cli->profile_tenant ? cli->profile_tenant : "";
}

int64_t option_number(const struct cli *cli, const char *name, int64_t otherwise)
{
	const struct option_value *value = find(cli, name);

	return value->given ? value->number : otherwise;
}

const char *const *option_list(const struct cli *cli, const char *name, size_t *count)
{
	const struct option_value *value = find(cli, name);

	*count = value->count;
	return (const char *const *)value->texts;
}
