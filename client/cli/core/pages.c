/* docs/cli.md and the man page, from the commands' rows (help.h). */
#include "cli/core/help.h"

#include <string.h>

#include "cli/text/limit_spec.h"

static const char markdown_head[] =
	"<!-- Made by `bursar docs markdown`: change the rows in client/cli/cmd/*.c instead. -->\n"
	"# The command line\n"
	"\n"
	"`bursar` talks to a server at `--addr HOST:PORT`, else at `$BURSAR_ADDR`, else at `127.0.0.1:7420`; "
	"`unix:/path` is an\n"
	"address too. Tables and colours are for people: colours appear on a terminal only, and never with `NO_COLOR` "
	"or\n"
	"`--no-color`. Programs use `--json`: field names as in `proto/bursar/v1`, money in nano-USD, times and "
	"durations in\n"
	"microseconds, enums by name. Money is typed and shown in USD, times are local with their zone.\n"
	"\n"
	"| exit code | meaning |\n"
	"|---|---|\n"
	"| 0 | allowed, or done |\n"
	"| 1 | denied; the books do not agree (`proof`, `replay`) |\n"
	"| 2 | wrong usage, or nobody said --yes: nothing was changed |\n"
	"| 3 | the server was not reached, or did not answer in time |\n"
	"| 4 | the server refused |\n"
	"\n"
	"`bursar completion bash` and `bursar completion zsh` print a script for the shell.\n"
	"\n"
	"## Profiles\n"
	"\n"
	"Who talks to several servers, or as several callers, keeps each under a name in `~/.config/bursar/config` "
	"(or\n"
	"`$XDG_CONFIG_HOME/bursar/config`), by hand or with `bursar profile`:\n"
	"\n"
	"```ini\n"
	"default = work\n"
	"\n"
	"[work]\n"
	"addr = bursar.example:7420\n"
	"key-file = ~/.config/bursar/work.key\n"
	"tenant = acme\n"
	"tls-ca = system\n"
	"```\n"
	"\n"
	"A profile is chosen by `--profile NAME`, else by `$BURSAR_PROFILE`, else by the file's `default`. Each "
	"setting is taken\n"
	"from its option, else from its variable, else from the profile, else it is as built in. The settings are "
	"`addr`,\n"
	"`key-file`, `tenant`, `tls-ca`, `tls-cert`, `tls-key`, `timeout`, `json` (yes or no) and `color` (no: never). "
	"A file's\n"
	"name may begin with `~/`, or is seen from the folder of the profiles. Keys themselves are never in it.\n"
	"\n"
	"## Values\n"
	"\n"
	"| value | written as |\n"
	"|---|---|\n"
	"| count | `1500`, `1_500`, `200k`, `1.5M`: up to 2^53-1 |\n"
	"| USD | `5`, `0.25`, `$5`, `5USD`: at most nine decimals |\n"
	"| duration | `500ms`, `30s`, `15min`, `2h`, `7d`, `1h30min` |\n"
	"| time | `2026-11-23`, `2026-11-23T14:30`, `2026-11-23T14:30:00+01:00`, `now`, `+2h`, `-7d` |\n"
	"| day | `2026-11-23`, `-7d`: a day of UTC |\n"
	"\n"
	"## Limits\n"
	"\n"
	"`tier put` and `account override` take limits as arguments.\n"
	"\n"
	"```\n";

static void put_markdown_options(struct buf *out, const struct option *options)
{
	if (!options->name)
		return;
	buf_put_str(out, "\n| option | |\n|---|---|\n");
	for (; options->name; options++) {
		buf_put_str(out, "| `");
		help_put_option(out, options);
		buf_putf(out, "` | %s", options->help);
		for (const char *p = options->choices; p && *p; p += strcspn(p, "|") + (p[strcspn(p, "|")] == '|'))
			buf_putf(out, "%s `%.*s`", p == options->choices ? ":" : ",", (int)strcspn(p, "|"), p);
		buf_put_str(out, " |\n");
	}
}

static void put_markdown_command(struct buf *out, const struct command *command)
{
	buf_putf(out, "\n### bursar %s\n\n", command->name);
	buf_putf(out, "`");
	help_put_usage(out, command);
	buf_putf(out, "`: %s.\n", command->summary);
	if (*command->about) {
		buf_put_str(out, "\n");
		help_put_wrapped(out, command->about, 0, 0, 120);
	}
	put_markdown_options(out, command->options);
	if (!command->examples[0])
		return;
	buf_put_str(out, "\n```sh\n");
	for (size_t i = 0; command->examples[i]; i++)
		buf_putf(out, "bursar %s\n", command->examples[i]);
	buf_put_str(out, "```\n");
}

void help_put_markdown(struct buf *out, const struct command_group *const *groups)
{
	buf_putf(out, "%s%s```\n\n## Options of every command\n", markdown_head, limit_spec_help);
	put_markdown_options(out, global_options);
	for (const struct command_group *const *group = groups; *group; group++) {
		buf_putf(out, "\n## %s\n", (*group)->title);
		for (size_t i = 0; i < (*group)->count; i++)
			if (!(*group)->commands[i].hidden)
				put_markdown_command(out, &(*group)->commands[i]);
	}
}

/* Text of a man page: what roff would take for its own is escaped. */
static void put_roff(struct buf *out, const char *text)
{
	bool line_start = true;

	for (; *text; text++) {
		if (line_start && (*text == '.' || *text == '\''))
			buf_put_str(out, "\\&");
		line_start = *text == '\n';
		if (*text == '\\')
			buf_put_str(out, "\\e");
		else if (*text == '-')
			buf_put_str(out, "\\-");
		else
			buf_put(out, text, 1);
	}
}

static void put_man_options(struct buf *out, const struct option *options)
{
	struct buf name = {0};

	for (; options->name; options++) {
		buf_put_str(out, ".TP\n\\fB");
		help_put_option(&name, options);
		put_roff(out, buf_str(&name));
		buf_put_str(out, "\\fR\n");
		put_roff(out, options->help);
		if (options->choices) {
			buf_put_str(out, ": ");
			put_roff(out, options->choices);
		}
		buf_put_str(out, "\n");
		buf_reset(&name);
	}
	buf_release(&name);
}

static void put_man_command(struct buf *out, const struct command *command)
{
	struct buf usage = {0};

	help_put_usage(&usage, command);
	buf_put_str(out, ".SS ");
	put_roff(out, buf_str(&usage));
	buf_put_str(out, "\n");
	put_roff(out, command->summary);
	buf_put_str(out, ".\n");
	if (*command->about) {
		buf_put_str(out, ".PP\n");
		put_roff(out, command->about);
		buf_put_str(out, "\n");
	}
	put_man_options(out, command->options);
	if (command->examples[0])
		buf_put_str(out, ".PP\nExamples:\n.PP\n.nf\n");
	for (size_t i = 0; command->examples[i]; i++) {
		buf_put_str(out, "    bursar ");
		put_roff(out, command->examples[i]);
		buf_put_str(out, "\n");
	}
	if (command->examples[0])
		buf_put_str(out, ".fi\n");
	buf_release(&usage);
}

void help_put_man(struct buf *out, const struct command_group *const *groups)
{
	buf_put_str(out,
		".\\\" Made by `bursar docs man`.\n.TH BURSAR 1 \"\" \"bursar " BURSAR_VERSION "\" \"User Commands\"\n"
		".SH NAME\nbursar \\- ask and administer a Bursar server\n.SH SYNOPSIS\n.B bursar\n"
		".I COMMAND\n[\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n.SH DESCRIPTION\n"
		"Asks a Bursar server whether requests may run, records what they used, and administers who may use "
		"how much.\n.SH OPTIONS OF EVERY COMMAND\n");
	put_man_options(out, global_options);
	buf_put_str(out, ".SH COMMANDS\n");
	for (const struct command_group *const *group = groups; *group; group++)
		for (size_t i = 0; i < (*group)->count; i++)
			if (!(*group)->commands[i].hidden)
				put_man_command(out, &(*group)->commands[i]);
	buf_put_str(out, ".SH LIMITS\n.nf\n");
	put_roff(out, limit_spec_help);
	buf_put_str(out,
		".fi\n.SH FILES\n.TP\n~/.config/bursar/config\nprofiles, one [section] each, with lines such as\n"
		".I addr = bursar.example:7420\nand the settings key\\-file, tenant, tls\\-ca, tls\\-cert, tls\\-key, "
		"timeout, json "
		"and color;\n.I default = NAME\nabove them. $XDG_CONFIG_HOME takes the place of ~/.config.\n"
		".SH ENVIRONMENT\nOptions go before variables, variables before the profile.\n"
		".TP\nBURSAR_ADDR\nthe server's address\n.TP\nBURSAR_KEY\nthe API key\n.TP\nBURSAR_KEY_FILE\na file "
		"that "
		"holds it\n.TP\nBURSAR_PROFILE\nthe profile\n.TP\nBURSAR_TLS_CA, BURSAR_TLS_CERT, BURSAR_TLS_KEY\nas "
		"the options "
		"of these names\n.TP\nNO_COLOR\nnever colour\n"
		".SH EXIT STATUS\n.TP\n0\nallowed, or done\n.TP\n1\ndenied; the books do not agree\n.TP\n2\nwrong "
		"usage, or nobody said \\-\\-yes\n.TP\n3\nthe server was not reached\n.TP\n4\nrefused by the "
		"server\n.SH SEE ALSO\n.BR bursard "
		"(8)\n");
}
