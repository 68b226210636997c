/* What the shells complete, from the commands' rows. */
#include "cli/help.h"

#include <string.h>

/* Calls `each` for every command that is shown. */
static void for_each(struct buf *out, void (*each)(struct buf *out, const struct command *command))
{
	for (const struct command_group *const *group = command_groups; *group; group++)
		for (size_t i = 0; i < (*group)->count; i++)
			if (!(*group)->commands[i].hidden)
				each(out, &(*group)->commands[i]);
}

static size_t first_word(const struct command *command)
{
	return strcspn(command->name, " ");
}

/* Is it the first of the commands that share its first word? */
static bool opens_word(const struct command *command)
{
	size_t len = first_word(command);

	for (const struct command_group *const *group = command_groups; *group; group++)
		for (size_t i = 0; i < (*group)->count; i++)
			if (!(*group)->commands[i].hidden && first_word(&(*group)->commands[i]) == len &&
				strncmp((*group)->commands[i].name, command->name, len) == 0)
				return &(*group)->commands[i] == command;
	return false;
}

static void put_first(struct buf *out, const struct command *command)
{
	if (opens_word(command))
		buf_putf(out, " %.*s", (int)first_word(command), command->name);
}

/* account) words="get list ..." for the first command of each word that has a second. */
static void put_second(struct buf *out, const struct command *command)
{
	size_t len = first_word(command);
	const char *separator = "";

	if (!command->name[len] || !opens_word(command))
		return;
	buf_putf(out, "\t%.*s) words=\"", (int)len, command->name);
	for (const struct command_group *const *group = command_groups; *group; group++) {
		for (size_t i = 0; i < (*group)->count; i++) {
			const char *name = (*group)->commands[i].name;

			if (strncmp(name, command->name, len + 1) != 0)
				continue;
			buf_putf(out, "%s%s", separator, name + len + 1);
			separator = " ";
		}
	}
	buf_put_str(out, "\" ;;\n");
}

static void put_option_names(struct buf *out, const struct option *options)
{
	for (; options->name; options++)
		buf_putf(out, " --%s", options->name);
}

static void put_bash_options(struct buf *out, const struct command *command)
{
	buf_putf(out, "\t\"%s\") options=\"", command->name);
	put_option_names(out, command->options);
	buf_put_str(out, "\" ;;\n");
}

static void put_bash_values(struct buf *out, const struct command *command)
{
	for (const struct option *option = command->options; option->name; option++) {
		if (option->choices) {
			buf_putf(out, "\t\"%s --%s\") words=\"", command->name, option->name);
			for (const char *p = option->choices; *p; p++)
				buf_put(out, *p == '|' ? " " : p, 1);
			buf_put_str(out, "\" ;;\n");
		} else if (option->type == OPTION_FILE) {
			buf_putf(out, "\t\"%s --%s\") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n",
				command->name, option->name);
		}
	}
}

/* The values of the options of every command. */
static void put_bash_globals(struct buf *out)
{
	for (const struct option *option = global_options; option->name; option++) {
		if (option->type == OPTION_FILE)
			buf_putf(out, "\t--%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", option->name);
		else if (option->type == OPTION_PROFILE)
			buf_putf(out, "\t--%s) words=$(bursar profile list --names 2>/dev/null) ;;\n", option->name);
	}
}

void completion_put_bash(struct buf *out)
{
	buf_put_str(out, "# Completion of bursar for bash, made by `bursar completion bash`.\n"
			 "# shellcheck shell=bash disable=SC2207\n"
			 "_bursar()\n{\n"
			 "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
			 "\tlocal command=${COMP_WORDS[1]} options='' words='' at=2\n\n"
			 "\tCOMPREPLY=()\n"
			 "\tif ((COMP_CWORD == 1)); then\n"
			 "\t\tCOMPREPLY=($(compgen -W \"");
	for_each(out, put_first);
	buf_put_str(out, "\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $command in\n");
	for_each(out, put_second);
	buf_put_str(out, "\tesac\n"
			 "\tif [[ -n $words ]]; then\n"
			 "\t\tif ((COMP_CWORD == 2)); then\n"
			 "\t\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			 "\t\t\treturn\n"
			 "\t\tfi\n"
			 "\t\tcommand=\"$command ${COMP_WORDS[2]}\"\n"
			 "\t\twords='' at=3\n"
			 "\tfi\n"
			 "\tcase $command in\n");
	for_each(out, put_bash_options);
	buf_put_str(out, "\tesac\n\tcase \"$command $prev\" in\n");
	for_each(out, put_bash_values);
	buf_put_str(out, "\tesac\n\tcase $prev in\n");
	put_bash_globals(out);
	buf_put_str(out, "\tesac\n"
			 "\tif [[ $command == 'profile '[supd]* ]] && ((COMP_CWORD == at)); then\n"
			 "\t\twords=$(bursar profile list --names 2>/dev/null)\n"
			 "\tfi\n"
			 "\tif [[ -n $words ]]; then\n"
			 "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			 "\telif [[ $cur == -* ]]; then\n"
			 "\t\tCOMPREPLY=($(compgen -W \"$options");
	put_option_names(out, global_options);
	buf_put_str(out, "\" -- \"$cur\"))\n"
			 "\telif [[ $command == replay ]] && ((COMP_CWORD == at)); then\n"
			 "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
			 "\telif [[ $command == completion ]]; then\n"
			 "\t\tCOMPREPLY=($(compgen -W \"bash zsh\" -- \"$cur\"))\n"
			 "\tfi\n}\ncomplete -o filenames -F _bursar bursar\n");
}

/* Inside single quotes, and inside the brackets and colons that zsh's _arguments reads. */
static void put_zsh_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_put_str(out, "'\\''");
		else if (strchr("[]:\\", *text))
			buf_putf(out, "\\%c", *text);
		else
			buf_put(out, text, 1);
	}
}

static void put_zsh_options(struct buf *out, const struct option *options)
{
	for (; options->name; options++) {
		buf_putf(out, " \\\n\t\t\t'%s--%s%s[", options->type == OPTION_LIST ? "*" : "", options->name,
			options->value ? "=" : "");
		put_zsh_text(out, options->help);
		buf_put_str(out, "]");
		if (options->value) {
			buf_put_str(out, ":");
			put_zsh_text(out, options->value);
			buf_put_str(out, ":");
		}
		if (options->type == OPTION_FILE)
			buf_put_str(out, "_files");
		if (options->type == OPTION_PROFILE)
			buf_put_str(out, "{compadd -- $(bursar profile list --names 2>/dev/null)}");
		if (options->choices) {
			buf_put_str(out, "(");
			for (const char *p = options->choices; *p; p++)
				buf_put(out, *p == '|' ? " " : p, 1);
			buf_put_str(out, ")");
		}
		buf_put_str(out, "'");
	}
}

/* An argument that no row is for would end the completion of options behind it. */
static void put_zsh_rest(struct buf *out, const struct command *command)
{
	if (!*command->args)
		return;
	buf_put_str(out, " \\\n\t\t\t'*:");
	put_zsh_text(out, command->args);
	buf_put_str(out, ": '");
}

static void put_zsh_command(struct buf *out, const struct command *command)
{
	buf_putf(out, "\t'%s')\n\t\t_arguments", command->name);
	put_zsh_options(out, command->options);
	put_zsh_options(out, global_options);
	if (strcmp(command->name, "completion") == 0)
		buf_put_str(out, " \\\n\t\t\t'1:shell:(bash zsh)'");
	else if (strcmp(command->name, "replay") == 0)
		buf_put_str(out, " \\\n\t\t\t'1:FILE.csv:_files'");
	else if (strncmp(command->name, "profile ", 8) == 0 && *command->args)
		buf_put_str(out, " \\\n\t\t\t'1:NAME:{compadd -- $(bursar profile list --names 2>/dev/null)}'");
	put_zsh_rest(out, command);
	buf_put_str(out, " ;;\n");
}

void completion_put_zsh(struct buf *out)
{
	struct buf second = {0};

	buf_put_str(out,
		"#compdef bursar\n# Completion of bursar for zsh, made by `bursar completion zsh`.\n_bursar()\n{\n"
		"\tlocal command=$words[2] words_of=''\n\n"
		"\tif (( CURRENT == 2 )); then\n\t\tcompadd --");
	for_each(out, put_first);
	buf_put_str(out, "\n\t\treturn\n\tfi\n\tcase $command in\n");
	for_each(&second, put_second);
	/* The same rows as for bash, but `words` is zsh's own. */
	for (const char *p = buf_str(&second); *p; p++) {
		if (strncmp(p, ") words=", 8) == 0) {
			buf_put_str(out, ") words_of=");
			p += 7;
			continue;
		}
		buf_put(out, p, 1);
	}
	buf_release(&second);
	buf_put_str(out, "\tesac\n"
			 "\tif [[ -n $words_of ]]; then\n"
			 "\t\tif (( CURRENT == 3 )); then\n"
			 "\t\t\tcompadd -- ${=words_of}\n"
			 "\t\t\treturn\n"
			 "\t\tfi\n"
			 "\t\tcommand=\"$command $words[3]\"\n"
			 "\t\tshift words\n"
			 "\t\t(( CURRENT-- ))\n"
			 "\tfi\n"
			 "\tshift words\n"
			 "\t(( CURRENT-- ))\n"
			 "\tcase $command in\n");
	for_each(out, put_zsh_command);
	buf_put_str(out, "\tesac\n}\n_bursar \"$@\"\n");
}
