/* The script for fish (completion.h). */
#include "cli/complete/completion.h"

#include <string.h>

static void put_second(const struct completion *script, const struct command *command)
{
	struct buf words = {0};

	if (completion_put_second(&words, script->groups, command))
		buf_putf(script->out, "complete -c bursar -n '__bursar_ends %.*s' -a '%s'\n",
			(int)completion_first_word(command), command->name, buf_str(&words));
	buf_release(&words);
}

/* Inside single quotes. */
static void put_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_put_str(out, "\\");
		buf_put(out, text, 1);
	}
}

static void put_offer(struct buf *out, const struct buf *offer)
{
	if (strcmp(buf_str(offer), "files") == 0)
		buf_put_str(out, " -F");
	else if (offer->len)
		buf_putf(out, " -f -a '(__bursar_%s)'", buf_str(offer));
	else
		buf_put_str(out, " -f");
}

static void put_options(struct buf *out, const char *condition, const struct option *options)
{
	for (; options->name; options++) {
		struct buf offer = {0};

		buf_putf(out, "complete -c bursar -n '%s' -l %s", condition, options->name);
		if (options->letter)
			buf_putf(out, " -s %c", options->letter);
		if (options->value) {
			completion_put_value(&offer, options);
			buf_put_str(out, " -r");
			put_offer(out, &offer);
		}
		buf_put_str(out, " -d '");
		put_text(out, options->help);
		buf_put_str(out, "'\n");
		buf_release(&offer);
	}
}

static void put_command(const struct completion *script, const struct command *command)
{
	struct buf condition = {0}, offer = {0};

	buf_putf(&condition, "__bursar_is %s", command->name);
	put_options(script->out, buf_str(&condition), command->options);
	for (int n = 0; n < completion_args(command); n++) {
		bool repeats;

		buf_reset(&offer);
		if (!completion_put_arg(&offer, command, n, &repeats))
			continue;
		buf_putf(script->out, "complete -c bursar -n '__bursar_at %d%s %s'", n, repeats ? "+" : "",
			command->name);
		put_offer(script->out, &offer);
		buf_put_str(script->out, "\n");
	}
	buf_release(&condition);
	buf_release(&offer);
}

static void put_takes(struct buf *out, const struct option *options)
{
	for (; options->name; options++) {
		if (!options->value)
			continue;
		buf_putf(out, " --%s", options->name);
		if (options->letter)
			buf_putf(out, " -%c", options->letter);
	}
}

static void put_command_takes(const struct completion *script, const struct command *command)
{
	buf_putf(script->out, "\t\tcase '%s'\n\t\t\tstring join \\n --", command->name);
	put_takes(script->out, command->options);
	buf_put_str(script->out, "\n");
}

static const char helpers[] = //
	"complete -c bursar -f\n"
	"function __bursar_words\n\tstring join \\n -- $argv\nend\n"
	"function __bursar_commands\n\t__fish_complete_command\nend\n"
	"function __bursar_profiles\n"
	"\tset -l typed (commandline -opc)\n"
	"\t$typed[1] profile list --names 2>/dev/null\nend\n"
	"# What the server knows; of an option with its value in one word, the value alone is asked for.\n"
	"function __bursar_values\n"
	"\tset -l typed (commandline -opc)\n"
	"\t$typed[1] complete $argv[1] (string replace -r -- '^--[a-z-]+=' '' (commandline -ct)) -- $typed "
	"2>/dev/null\nend\n"
	"# Is that the command? Are these all words, so that the next is a command's second?\n"
	"function __bursar_is\n"
	"\tset -l typed (commandline -opc)\n"
	"\tset -l last (math 1 + (count $argv))\n"
	"\ttest (count $typed) -ge $last; and test \"$typed[2..$last]\" = \"$argv\"\nend\n"
	"function __bursar_ends\n"
	"\t__bursar_is $argv; and test (count (commandline -opc)) = (math 1 + (count $argv))\nend\n"
	"# POSITION COMMAND: is this argument typed now? With a + behind it: or a later one.\n"
	"function __bursar_at\n"
	"\t__bursar_is $argv[2..]; or return 1\n"
	"\tset -l typed (commandline -opc)\n"
	"\tset -l takes (__bursar_takes \"$argv[2..]\")\n"
	"\tset -l position 0\n"
	"\tset -l skip 0\n"
	"\tset -l at (math 1 + (count $argv))\n"
	"\twhile test $at -le (count $typed)\n"
	"\t\tset -l word $typed[$at]\n"
	"\t\tset at (math $at + 1)\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\telse if contains -- $word $takes\n"
	"\t\t\tset skip 1\n"
	"\t\telse if not string match -q -- '-*' $word\n"
	"\t\t\tset position (math $position + 1)\n"
	"\t\tend\n"
	"\tend\n"
	"\ttest $skip = 0; or return 1\n"
	"\tif string match -q -- '*+' $argv[1]\n"
	"\t\ttest $position -ge (string trim -r -c + $argv[1])\n"
	"\telse\n"
	"\t\ttest $position = $argv[1]\n"
	"\tend\nend\n";

void completion_put_fish(struct buf *out, const struct command_group *const *groups)
{
	const struct completion script = {out, groups};

	buf_put_str(out, "# Completion of bursar for fish, made by `bursar completion fish`.\n");
	buf_put_str(out, helpers);
	buf_put_str(out, "# The options that a value follows.\nfunction __bursar_takes\n\tstring join \\n --");
	put_takes(out, global_options);
	buf_put_str(out, "\n\tswitch $argv[1]\n");
	completion_each(&script, put_command_takes);
	buf_put_str(out, "\tend\nend\ncomplete -c bursar -n 'test (count (commandline -opc)) = 1' -a '");
	completion_each(&script, completion_put_first);
	buf_put_str(out, "'\n");
	completion_each(&script, put_second);
	completion_each(&script, put_command);
	put_options(out, "test (count (commandline -opc)) -gt 1", global_options);
}
