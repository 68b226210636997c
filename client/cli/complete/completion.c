/* Helpers of the completion scripts, based on the commands' rows (completion.h). */
#include "cli/complete/completion.h"

#include <stdio.h>
#include <string.h>

#include "cli/complete/complete.h"

void completion_each(
	const struct completion *script, void (*each)(const struct completion *script, const struct command *command))
{
	for (const struct command_group *const *group = script->groups; *group; group++)
		for (size_t i = 0; i < (*group)->count; i++)
			if (!(*group)->commands[i].hidden)
				each(script, &(*group)->commands[i]);
}

size_t completion_first_word(const struct command *command)
{
	return strcspn(command->name, " ");
}

bool completion_opens_word(const struct command_group *const *groups, const struct command *command)
{
	size_t len = completion_first_word(command);

	for (const struct command_group *const *group = groups; *group; group++)
		for (size_t i = 0; i < (*group)->count; i++)
			if (!(*group)->commands[i].hidden && completion_first_word(&(*group)->commands[i]) == len &&
				strncmp((*group)->commands[i].name, command->name, len) == 0)
				return &(*group)->commands[i] == command;
	return false;
}

void completion_put_first(const struct completion *script, const struct command *command)
{
	if (completion_opens_word(script->groups, command))
		buf_putf(script->out, " %.*s", (int)completion_first_word(command), command->name);
}

bool completion_put_second(struct buf *out, const struct command_group *const *groups, const struct command *command)
{
	size_t len = completion_first_word(command);
	const char *separator = "";

	if (!completion_opens_word(groups, command))
		return false;
	for (const struct command_group *const *group = groups; *group; group++) {
		for (size_t i = 0; i < (*group)->count; i++) {
			const char *name = (*group)->commands[i].name;

			if (strncmp(name, command->name, len) != 0 || name[len] != ' ')
				continue;
			buf_putf(out, "%s%s", separator, name + len + 1);
			separator = " ";
		}
	}
	return *separator;
}

static bool put_row(struct buf *out, const struct completion_row *row)
{
	if (!row)
		return false;
	if (row->what)
		buf_putf(out, "values %s", row->what);
	else if (row->choices)
		buf_putf(out, "words %s", row->choices);
	else
		buf_put_str(out, "files");
	return true;
}

bool completion_put_value(struct buf *out, const struct option *option)
{
	if (option->choices) {
		buf_put_str(out, "words ");
		for (const char *p = option->choices; *p; p++)
			buf_put(out, *p == '|' ? " " : p, 1);
		return true;
	}
	if (option->type == OPTION_PROFILE || option->type == OPTION_FILE) {
		buf_put_str(out, option->type == OPTION_FILE ? "files" : "profiles");
		return true;
	}
	/* The ID of an option is that of a request or an entry. */
	return option->value && strcmp(option->value, "ID") != 0 && put_row(out, completion_row(option->value));
}

int completion_args(const struct command *command)
{
	int count = *command->args != '\0';

	for (const char *p = command->args; *p; p++)
		count += *p == ' ';
	return count;
}

bool completion_put_arg(struct buf *out, const struct command *command, int n, bool *repeats)
{
	const char *arg = command->args;
	char word[64];

	for (; n > 0; n--)
		arg += strcspn(arg, " ") + 1;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(arg, " "), arg);
	*repeats = strstr(word, "...") != NULL;
	if (strncmp(command->name, "profile ", 8) == 0 && strstr(word, "NAME")) {
		buf_put_str(out, "profiles");
		return true;
	}
	if (strcmp(command->name, "run") == 0) {
		buf_put_str(out, *repeats ? "files" : "commands");
		return true;
	}
	return put_row(out, completion_row(word));
}

void completion_put_takes(struct buf *out, const struct option *options)
{
	for (; options->name; options++) {
		if (!options->value)
			continue;
		buf_putf(out, " --%s", options->name);
		if (options->letter)
			buf_putf(out, " -%c", options->letter);
	}
}
