/* version, completion, docs (commands.h): information about this program. */
#include "cli/cmd/commands.h"

#include <string.h>

#include "cli/complete/complete.h"
#include "cli/complete/completion.h"
#include "cli/core/help.h"

static int run_version(struct cli *cli)
{
	if (cli->json)
		buf_put_str(&cli->out, "{\n  \"version\": \"" BURSAR_VERSION "\"\n}\n");
	else
		buf_put_str(&cli->out, "bursar " BURSAR_VERSION "\n");
	return EXIT_DONE;
}

struct page {
	const char *name;
	void (*put)(struct buf *out, const struct command_group *const *groups);
};

/* Prints the page that the first argument names. The last row is all zeros. */
static int put_page(struct cli *cli, const struct page *pages)
{
	const char *name = cli_arg(cli, 0), *separator = "";
	struct buf choices = {0};

	for (; pages->name; pages++) {
		if (strcmp(name, pages->name) == 0) {
			pages->put(&cli->out, cli->groups);
			buf_release(&choices);
			return EXIT_DONE;
		}
		buf_putf(&choices, "%s%s", separator, pages->name);
		separator = "|";
	}
	cli_none_of(&cli->err, name, buf_str(&choices));
	buf_release(&choices);
	return cli_usage(cli);
}

static int run_completion(struct cli *cli)
{
	static const struct page pages[] = {
		{"bash", completion_put_bash}, {"zsh", completion_put_zsh}, {"fish", completion_put_fish}, {0}};

	return put_page(cli, pages);
}

static int run_docs(struct cli *cli)
{
	static const struct page pages[] = {{"markdown", help_put_markdown}, {"man", help_put_man}, {0}};

	return put_page(cli, pages);
}

static const struct command commands[] = {
	{
		COMMAND("version", "", "print the version of this command", run_version),
		.examples = {"version"},
		.alone = true,
	},
	{
		COMMAND("completion", "SHELL", "print a script that completes commands in bash, zsh or fish",
			run_completion),
		.about = "The script completes commands, options and file names. It asks the server for tiers, models, "
			 "pools, users, teams, orgs and tenants, using the options typed so far (--addr, --profile, "
			 "--tenant). If the server does not answer within a second, it offers none of these.",
		.examples = {"completion bash > ~/.local/share/bash-completion/completions/bursar",
			"completion zsh > ~/.zfunc/_bursar  # ~/.zfunc is in fpath",
			"completion fish > ~/.config/fish/completions/bursar.fish"},
		.alone = true,
	},
	{
		COMMAND("complete", "WHAT [PREFIX...]",
			"print names that the server knows and that begin with PREFIX, for completion", complete_run),
		.alone = true,
		.hidden = true,
	},
	{
		COMMAND("docs", "PAGE", "print docs/cli.md (markdown) or the man page (man)", run_docs),
		.alone = true,
		.hidden = true,
	},
};

const struct command_group meta_commands = {"This program", commands, sizeof(commands) / sizeof(*commands)};
