/* --help, generated from the commands' rows. */
#include "cli/core/help.h"

#include <string.h>
#include <unistd.h>

#include "cli/text/limit_spec.h"
#include "cli/text/screen.h"

enum { WIDTH_MIN = 60, WIDTH_MAX = 100, OPTION_COLUMN = 34, NAME_COLUMN = 20, TITLE_COLUMN = 26 };

/* The width of the terminal, within what reads well. */
static size_t width_of_help(void)
{
	size_t width = isatty(STDOUT_FILENO) ? screen_size().ws_col : WIDTH_MAX;

	return width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
}

void help_put_wrapped(struct buf *out, const char *text, size_t column, size_t indent, size_t width)
{
	size_t at = column;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (at > indent && at + 1 + len > width) {
			buf_putf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > column || (at > indent && at != column)) {
			buf_put_str(out, " ");
			at++;
		}
		buf_put(out, text, len);
		at += len;
		for (text += len; *text == ' ' || *text == '\n'; text++) {
			if (*text == '\n') {
				buf_put_str(out, "\n");
				at = 0;
			}
		}
	}
	buf_put_str(out, "\n");
}

void help_put_option(struct buf *out, const struct option *option)
{
	if (option->letter)
		buf_putf(out, "-%c, ", option->letter);
	buf_putf(out, "--%s", option->name);
	if (option->value)
		buf_putf(out, " %s", option->value);
}

void help_put_usage(struct buf *out, const struct command *command)
{
	buf_putf(out, "bursar %s%s%s [OPTION...]", command->name, *command->args ? " " : "", command->args);
}

static void put_options(struct buf *out, const struct option *options)
{
	struct buf line = {0};

	for (; options->name; options++) {
		buf_put_str(&line, options->letter ? "  " : "      ");
		help_put_option(&line, options);
		if (line.len + 2 > OPTION_COLUMN)
			buf_putf(out, "%s\n%*s", buf_str(&line), OPTION_COLUMN, "");
		else
			buf_putf(out, "%-*s", OPTION_COLUMN, buf_str(&line));
		buf_reset(&line);
		buf_put_str(&line, options->help);
		if (options->choices)
			buf_putf(&line, ": %s", options->choices);
		help_put_wrapped(out, buf_str(&line), OPTION_COLUMN, OPTION_COLUMN, width_of_help());
		buf_reset(&line);
	}
	buf_release(&line);
}

static void put_summary(struct buf *out, const struct command *command)
{
	char first = command->summary[0];

	if (first >= 'a' && first <= 'z')
		first = (char)(first - 'a' + 'A');
	buf_put(out, &first, 1);
	buf_putf(out, "%s.\n", command->summary + 1);
}

void help_put_command(struct buf *out, const struct command *command)
{
	buf_put_str(out, "usage: ");
	help_put_usage(out, command);
	buf_put_str(out, "\n\n");
	put_summary(out, command);
	if (command->about)
		help_put_wrapped(out, command->about, 0, 0, width_of_help());
	if (strstr(command->args, "LIMIT"))
		buf_putf(out, "\n%s", limit_spec_help);
	if (command->options[0].name) {
		buf_put_str(out, "\noptions:\n");
		put_options(out, command->options);
	}
	buf_put_str(out, "\nglobal options:\n");
	put_options(out, global_options);
	if (command->examples[0])
		buf_put_str(out, "\nexamples:\n");
	for (size_t i = 0; command->examples[i]; i++)
		buf_putf(out, "  bursar %s\n", command->examples[i]);
}

static void put_row(struct buf *out, const struct command *command)
{
	buf_putf(out, "  %-*s ", NAME_COLUMN, command->name);
	help_put_wrapped(out, command->summary, NAME_COLUMN + 3, NAME_COLUMN + 3, width_of_help());
}

/* The number of bytes before the second word of a name; 0 when it has only one word. */
static size_t first_word(const struct command *command)
{
	const char *space = strchr(command->name, ' ');

	return space ? (size_t)(space - command->name) + 1 : 0;
}

static bool begins_like(const struct command *command, const struct command *other)
{
	size_t len = first_word(command);

	return len > 0 && !other->hidden && strncmp(command->name, other->name, len) == 0;
}

/* "check, record", or "tier (list, show, put)" for commands of two words, indented by `indent` columns. */
static void put_names(struct buf *out, const struct command_group *group, size_t indent)
{
	struct buf names = {0};

	for (size_t i = 0; i < group->count; i++) {
		const struct command *command = &group->commands[i];
		bool again = i > 0 && begins_like(command, command - 1);
		bool more = i + 1 < group->count && begins_like(command, command + 1);

		if (command->hidden)
			continue;
		buf_put_str(&names, names.len ? ", " : "");
		if (!again && more)
			buf_putf(&names, "%.*s(", (int)first_word(command), command->name);
		buf_put_str(&names, command->name + (again || more ? first_word(command) : 0));
		if (again && !more)
			buf_put_str(&names, ")");
	}
	help_put_wrapped(out, buf_str(&names), indent, indent, width_of_help());
	buf_release(&names);
}

void help_put_overview(struct buf *out, const struct command_group *const *groups)
{
	buf_put_str(out, "usage: bursar COMMAND [ARGUMENT...] [OPTION...]\n\n");
	help_put_wrapped(out,
		"Asks a Bursar server whether requests may run, records what they used, and administers who may use "
		"how much.",
		0, 0, width_of_help());
	buf_put_str(out, "\n");
	for (const struct command_group *const *group = groups; *group; group++) {
		buf_putf(out, "  %-*s", TITLE_COLUMN - 2, (*group)->title);
		put_names(out, *group, TITLE_COLUMN);
	}
	buf_put_str(out, "\nGlobal options:\n");
	put_options(out, global_options);
	buf_put_str(out, "\n");
	help_put_wrapped(out,
		"Exit codes: 0 allowed or done, 1 denied, 2 usage error, 3 server not reached, 4 refused by the "
		"server.",
		0, 0, width_of_help());
	help_put_wrapped(out,
		"'bursar account --help' lists the commands of a group; 'bursar COMMAND --help' has options and "
		"examples.",
		0, 0, width_of_help());
}

bool help_put_group(struct buf *out, const struct command_group *const *groups, const char *word)
{
	size_t len = strlen(word);
	bool found = false;

	for (const struct command_group *const *group = groups; *group; group++) {
		for (size_t i = 0; i < (*group)->count; i++) {
			const struct command *command = &(*group)->commands[i];

			if (command->hidden || strncmp(command->name, word, len) != 0 || command->name[len] != ' ')
				continue;
			if (!found)
				buf_putf(out, "usage: bursar %s COMMAND [ARGUMENT...] [OPTION...]\n\n", word);
			found = true;
			put_row(out, command);
		}
	}
	if (found)
		buf_putf(out, "\n'bursar %s COMMAND --help' has options and examples.\n", word);
	return found;
}
