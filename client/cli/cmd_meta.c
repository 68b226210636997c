/* version, completion, docs: the program about itself. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/help.h"

static int run_version(struct cli *cli)
{
	if (cli->json)
		buf_put_str(&cli->out, "{\n  \"version\": \"" BURSAR_VERSION "\"\n}\n");
	else
		buf_put_str(&cli->out, "bursar " BURSAR_VERSION "\n");
	return EXIT_DONE;
}

/* Runs the one whose name was given. */
static int put_page(struct cli *cli, const char *first, void (*put_first)(struct buf *out), const char *second,
	void (*put_second)(struct buf *out))
{
	const char *name = cli_arg(cli, 0);

	if (strcmp(name, first) == 0) {
		put_first(&cli->out);
	} else if (strcmp(name, second) == 0) {
		put_second(&cli->out);
	} else {
		char choices[64];

		snprintf(choices, sizeof(choices), "%s|%s", first, second);
		cli_none_of(&cli->err, name, choices);
		return cli_usage(cli);
	}
	return EXIT_DONE;
}

static int run_completion(struct cli *cli)
{
	return put_page(cli, "bash", completion_put_bash, "zsh", completion_put_zsh);
}

static int run_docs(struct cli *cli)
{
	return put_page(cli, "markdown", help_put_markdown, "man", help_put_man);
}

static const struct command commands[] = {
	{
		.name = "version",
		.args = "",
		.summary = "print the version of this command",
		.about = "",
		.examples = {"version"},
		.run = run_version,
		.alone = true,
	},
	{
		.name = "completion",
		.args = "SHELL",
		.summary = "print a script that completes commands in bash or zsh",
		.about = "",
		.examples = {"completion bash > ~/.local/share/bash-completion/completions/bursar",
			"completion zsh > ~/.zfunc/_bursar  # ~/.zfunc is in fpath"},
		.run = run_completion,
		.alone = true,
	},
	{
		.name = "docs",
		.args = "PAGE",
		.summary = "print docs/cli.md (markdown) or the man page (man)",
		.about = "",
		.run = run_docs,
		.alone = true,
		.hidden = true,
	},
};

const struct command_group meta_commands = {"This program", commands, sizeof(commands) / sizeof(*commands)};
