/* bursar: finds the command, runs it and writes its output. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto/libcrypto.h"
#include "cli/cmd/commands.h"
#include "cli/core/help.h"
#include "cli/text/meant.h"

enum { WORDS_MAX = 2 };

/* Whether the next argument is the value of this option. Only global options can come before the command. */
static bool takes_next(const char *arg)
{
	if (strchr(arg, '='))
		return false;
	for (const struct option *option = global_options; option->name; option++) {
		const char letter[] = {'-', option->letter, '\0'};

		if (option->value && ((strncmp(arg, "--", 2) == 0 && strcmp(arg + 2, option->name) == 0) ||
					     (option->letter && strcmp(arg, letter) == 0)))
			return true;
	}
	return false;
}

/* The index of the command's name, after any options. */
static int name_index(int argc, const char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && argv[i][1])
		i += takes_next(argv[i]) ? 2 : 1;
	return i < argc ? i : argc;
}

/* `first` is the word before it, the name of a group; "" for none. */
static void no_command(const char *first, const char *word)
{
	struct meant meant = {.typed = word};
	struct buf said = {0};

	command_nearest(command_groups, first, &meant);
	buf_putf(&said, "there is no command '%s%s%s'", first, *first ? " " : "", word);
	meant_put(&said, &meant);
	fprintf(stderr, "bursar: %s\n", buf_str(&said));
	if (!*first)
		fprintf(stderr, "  'bursar --help' lists them.\n");
	buf_release(&said);
}

static int without_command(int argc, const char **argv, int at)
{
	struct buf out = {0};
	bool asked = at == argc;
	int code = EXIT_USAGE;

	if (asked && argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("bursar " BURSAR_VERSION);
		return EXIT_DONE;
	}
	if (asked || strcmp(argv[at], "help") == 0) {
		help_put_overview(&out, command_groups);
		code = argc > 1 ? EXIT_DONE : EXIT_USAGE;
	} else if (help_put_group(&out, command_groups, argv[at])) {
		if (at + 1 < argc && argv[at + 1][0] != '-')
			no_command(argv[at], argv[at + 1]);
		else if (at + 1 < argc || strcmp(argv[at - 1], "--help") == 0)
			code = EXIT_DONE;
	} else {
		no_command("", argv[at]);
	}
	fputs(buf_str(&out), code == EXIT_DONE ? stdout : stderr);
	buf_release(&out);
	return code;
}

static bool profile_says(const struct cli *cli, enum profile_setting setting, const char *word)
{
	const char *value = cli_profile_setting(cli, setting);

	return value && strcmp(value, word) == 0;
}

static bool wants_colour(const struct cli *cli)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !option_given(cli, "no-color") && !profile_says(cli, SETTING_COLOR, "no") && !(no_color && *no_color) &&
	       isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* With its port, as messages show it. What is not an address is refused when the connection is made. */
static const char *server_address(struct cli *cli)
{
	const char *address = cli_setting(cli, SETTING_ADDR);

	if (!address)
		return BURSAR_DEFAULT_ADDRESS;
	cli->whole_address = bursar_addresses(address, NULL);
	return cli->whole_address ? cli->whole_address : address;
}

static int run(struct cli *cli, int argc, const char **argv)
{
	if (!options_parse(cli, argc, argv))
		return cli_usage(cli);
	if (option_given(cli, "help")) {
		help_put_command(&cli->out, cli->command);
		return EXIT_DONE;
	}
	if (!cli->command->alone && !cli_settings_load(cli)) {
		fprintf(stderr, "bursar: %s\n", cli->err.text);
		return EXIT_USAGE;
	}
	cli->json = option_given(cli, "json") || profile_says(cli, SETTING_JSON, "yes");
	cli->colour = wants_colour(cli);
	cli->address = server_address(cli);
	return cli->command->run(cli);
}

int main(int argc, char **argv)
{
	const char **words = (const char **)argv;
	struct cli cli = {.groups = command_groups};
	int at = name_index(argc, words), used, code;

	/* All text is UTF-8, whatever the environment says: ids in tables, widths of characters. */
	setlocale(LC_CTYPE, "C.UTF-8");
	libcrypto_outlive_threads();
	/* gRPC's log lines are for its developers; we say what went wrong ourselves. */
	setenv("GRPC_VERBOSITY", "NONE", 0);
	if (at + 1 < argc && strcmp(words[at], "help") == 0)
		words[at++] = "--help"; /* 'bursar help check' is 'bursar check --help' */
	cli.command = command_find(cli.groups, argc - at, words + at, &used);
	if (!cli.command)
		return without_command(argc, words, at);
	memmove(&words[at], &words[at + used], (size_t)(argc - at - used + 1) * sizeof(*words));
	code = run(&cli, argc - used, words);
	cli_flush(&cli);
	bursar_close(cli.bursar);
	cli_settings_release(&cli);
	options_release(&cli);
	buf_release(&cli.out);
	buf_release(&cli.key);
	free(cli.whole_address);
	return code;
}
