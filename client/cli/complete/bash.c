/*
 * The script for bash (completion.h). It parses the line itself: bash breaks words at colons and equals signs, which
 * ids and options contain.
 */
#include "cli/complete/completion.h"

static void put_second(const struct completion *script, const struct command *command)
{
	struct buf words = {0};

	if (completion_put_second(&words, script->groups, command))
		buf_putf(script->out, "\t%.*s) words=\"%s\" ;;\n", (int)completion_first_word(command), command->name,
			buf_str(&words));
	buf_release(&words);
}

static void put_names(struct buf *out, const struct option *options)
{
	for (; options->name; options++)
		buf_putf(out, " --%s", options->name);
}

/* Options that take a value, by both names. */
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

static void put_options(const struct completion *script, const struct command *command)
{
	buf_putf(script->out, "\t\"%s\")\n\t\toptions=\"", command->name);
	put_names(script->out, command->options);
	buf_put_str(script->out, "\"\n\t\ttakes=\"");
	put_takes(script->out, command->options);
	buf_put_str(script->out, "\"\n\t\t;;\n");
}

/* `name` is the command's name and a space; "" for global options. */
static void put_values(struct buf *out, const char *name, const struct option *options)
{
	for (; options->name; options++) {
		struct buf offer = {0};

		if (completion_put_value(&offer, options)) {
			buf_putf(out, "\t\"%s--%s\"", name, options->name);
			if (options->letter)
				buf_putf(out, " | \"%s-%c\"", name, options->letter);
			buf_putf(out, ") _bursar_%s ;;\n", buf_str(&offer));
		}
		buf_release(&offer);
	}
}

static void put_command_values(const struct completion *script, const struct command *command)
{
	struct buf name = {0};

	buf_putf(&name, "%s ", command->name);
	put_values(script->out, buf_str(&name), command->options);
	buf_release(&name);
}

static void put_args(const struct completion *script, const struct command *command)
{
	for (int n = 0; n < completion_args(command); n++) {
		struct buf offer = {0};
		bool repeats;

		if (completion_put_arg(&offer, command, n, &repeats)) {
			buf_putf(script->out, "\t\"%s %d\"", command->name, n);
			if (repeats)
				buf_putf(script->out, " | \"%s \"*", command->name);
			buf_putf(script->out, ") _bursar_%s ;;\n", buf_str(&offer));
		}
		buf_release(&offer);
	}
}

static const char helpers[] = //
	"_bursar_words() { mapfile -t COMPREPLY < <(compgen -W \"$*\" -- \"$cur\"); }\n"
	"_bursar_commands() { mapfile -t COMPREPLY < <(compgen -c -- \"$cur\"); }\n"
	"_bursar_files()\n{\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n}\n"
	"_bursar_profiles() { _bursar_words \"$(\"$bursar\" profile list --names 2>/dev/null)\"; }\n"
	"_bursar_values()\n{\n"
	"\tlocal value\n"
	"\twhile IFS= read -r value; do\n"
	"\t\tCOMPREPLY+=(\"$(printf '%q' \"$value\")\")\n"
	"\tdone < <(\"$bursar\" complete \"$1\" \"$cur\" -- \"${typed[@]}\" 2>/dev/null)\n}\n";

static const char head[] = //
	"_bursar_offer()\n{\n"
	"\tlocal command=${typed[1]-} prev=${typed[-1]} words='' options='' takes='' position=0 at=2 word\n\n"
	"\tif ((${#typed[@]} == 1)); then\n"
	"\t\t_bursar_words \"";

static const char second[] = //
	"\tesac\n"
	"\tif [[ -n $words ]]; then\n"
	"\t\tif ((${#typed[@]} == 2)); then\n"
	"\t\t\t_bursar_words \"$words\"\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\tcommand=\"$command ${typed[2]}\" at=3\n"
	"\tfi\n"
	"\tcase $command in\n";

static const char where[] = //
	"\tif [[ $cur == --*=* ]]; then\n"
	"\t\tprev=${cur%%=*} cur=${cur#*=}\n"
	"\telif ((${#typed[@]} <= at)) || [[ \"$takes \" != *\" $prev \"* ]]; then\n"
	"\t\tprev=''\n"
	"\tfi\n"
	"\tfor (( ; at < ${#typed[@]}; at++)); do\n"
	"\t\tword=${typed[at]}\n"
	"\t\tif [[ $word != -* || $word == - ]]; then\n"
	"\t\t\t((++position))\n"
	"\t\telif [[ \"$takes \" == *\" $word \"* ]]; then\n"
	"\t\t\t((++at))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ -z $prev ]]; then\n"
	"\t\tif [[ $cur == -* ]]; then\n"
	"\t\t\t_bursar_words \"$options";

static const char tail[] = //
	"\tesac\n}\n_bursar()\n{\n\tlocal cur bursar\n\tlocal -a typed\n\n\tCOMPREPLY=()\n\tif [[ -n ${COMP_LINE-} ]]; "
	"then\n\t\tread -ra typed <<<\"${COMP_LINE:0:COMP_POINT}\"\n\t\t[[ ${COMP_LINE:0:COMP_POINT} != *[[:space:]] "
	"]] || typed+=('')\n\telse\n\t\ttyped=(\"${COMP_WORDS[@]:0:COMP_CWORD + "
	"1}\")\n\tfi\n\tbursar=${typed[0]/#\\~/$HOME} cur=${typed[-1]}\n\tunset 'typed[-1]'\n\t_bursar_offer\n\t# "
	"readline treats the text before a colon as a separate word and leaves it alone.\n\tif [[ $COMP_WORDBREAKS == "
	"*:* && $cur == *:* ]]; then\n\t\tCOMPREPLY=(\"${COMPREPLY[@]#\"${cur%\"${cur##*:}\"}\"}\")\n\tfi\n}\ncomplete "
	"-F _bursar bursar\n";

void completion_put_bash(struct buf *out, const struct command_group *const *groups)
{
	const struct completion script = {out, groups};

	buf_put_str(out,
		"# Completion of bursar for bash, generated by `bursar completion bash`.\n# shellcheck shell=bash\n");
	buf_put_str(out, helpers);
	buf_put_str(out, head);
	completion_each(&script, completion_put_first);
	buf_put_str(out, "\"\n\t\treturn\n\tfi\n\tcase $command in\n");
	completion_each(&script, put_second);
	buf_put_str(out, second);
	completion_each(&script, put_options);
	buf_put_str(out, "\tesac\n\ttakes+=\"");
	put_takes(out, global_options);
	buf_put_str(out, "\"\n");
	buf_put_str(out, where);
	put_names(out, global_options);
	buf_put_str(out, "\"\n\t\t\treturn\n\t\tfi\n\t\tcase \"$command $position\" in\n");
	completion_each(&script, put_args);
	buf_put_str(out, "\t\tesac\n\t\treturn\n\tfi\n\tcase $prev in\n");
	put_values(out, "", global_options);
	buf_put_str(out, "\tesac\n\tcase \"$command $prev\" in\n");
	completion_each(&script, put_command_values);
	buf_put_str(out, tail);
}
