/* The script for zsh (completion.h). */
#include "cli/complete/completion.h"

#include <string.h>

static void put_second(const struct completion *script, const struct command *command)
{
	struct buf words = {0};

	if (completion_put_second(&words, script->groups, command))
		buf_putf(script->out, "\t%.*s) words_of=\"%s\" ;;\n", (int)completion_first_word(command),
			command->name, buf_str(&words));
	buf_release(&words);
}

/* Inside single quotes, and inside the brackets and colons that zsh's _arguments reads. */
static void put_text(struct buf *out, const char *text)
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

/* "words a b" as what _arguments evaluates. */
static void put_offer(struct buf *out, struct buf *offer)
{
	if (offer->len)
		buf_putf(out, "{_bursar_%s}", buf_str(offer));
	buf_reset(offer);
}

static void put_option(struct buf *out, const struct option *option, const char *name)
{
	struct buf offer = {0};

	buf_putf(out, " \\\n\t\t\t'%s%s%s[", option->type == OPTION_LIST ? "*" : "", name,
		!option->value	 ? ""
		: name[1] == '-' ? "="
				 : "+");
	put_text(out, option->help);
	buf_put_str(out, "]");
	if (option->value) {
		buf_put_str(out, ":");
		put_text(out, option->value);
		buf_put_str(out, ":");
		completion_put_value(&offer, option);
		put_offer(out, &offer);
	}
	buf_put_str(out, "'");
	buf_release(&offer);
}

static void put_options(struct buf *out, const struct option *options)
{
	for (; options->name; options++) {
		struct buf name = {0};

		buf_putf(&name, "--%s", options->name);
		put_option(out, options, buf_str(&name));
		buf_reset(&name);
		if (options->letter) {
			buf_putf(&name, "-%c", options->letter);
			put_option(out, options, buf_str(&name));
		}
		buf_release(&name);
	}
}

/* An argument that no row is for would end the completion of options behind it. */
static void put_args(struct buf *out, const struct command *command)
{
	for (int n = 0; n < completion_args(command); n++) {
		struct buf offer = {0};
		bool repeats;

		if (completion_put_arg(&offer, command, n, &repeats) && !repeats) {
			buf_putf(out, " \\\n\t\t\t'%d:value:", n + 1);
			put_offer(out, &offer);
			buf_put_str(out, "'");
		}
		buf_release(&offer);
	}
	if (!*command->args)
		return;
	buf_put_str(out, " \\\n\t\t\t'*:");
	put_text(out, command->args);
	buf_put_str(out, strcmp(command->name, "run") == 0 ? ":_files'" : ": '");
}

static void put_command(const struct completion *script, const struct command *command)
{
	buf_putf(script->out, "\t'%s')\n\t\t_arguments", command->name);
	put_options(script->out, command->options);
	put_options(script->out, global_options);
	put_args(script->out, command);
	buf_put_str(script->out, " ;;\n");
}

static const char helpers[] = //
	"_bursar_words() { compadd -- \"$@\" }\n"
	"_bursar_commands() { _command_names -e }\n"
	"_bursar_files() { _files }\n"
	"_bursar_profiles() { compadd -- ${(f)\"$($typed[1] profile list --names 2>/dev/null)\"} }\n"
	"_bursar_values() { compadd -- ${(f)\"$($typed[1] complete $1 \"$PREFIX\" -- \"${typed[@]}\" 2>/dev/null)\"} "
	"}\n";

static const char head[] = //
	"_bursar()\n{\n"
	"\tlocal command=$words[2] words_of=''\n"
	"\tlocal -a typed=(\"${(@Q)words[1,CURRENT-1]}\")\n\n"
	"\ttyped[1]=${typed[1]/#\\~/$HOME}\n"
	"\tif (( CURRENT == 2 )); then\n\t\tcompadd --";

static const char second[] = //
	"\tesac\n"
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
	"\tcase $command in\n";

void completion_put_zsh(struct buf *out, const struct command_group *const *groups)
{
	const struct completion script = {out, groups};

	buf_put_str(out, "#compdef bursar\n# Completion of bursar for zsh, made by `bursar completion zsh`.\n");
	buf_put_str(out, helpers);
	buf_put_str(out, head);
	completion_each(&script, completion_put_first);
	buf_put_str(out, "\n\t\treturn\n\tfi\n\tcase $command in\n");
	completion_each(&script, put_second);
	buf_put_str(out, second);
	completion_each(&script, put_command);
	buf_put_str(out, "\tesac\n}\n_bursar \"$@\"\n");
}
