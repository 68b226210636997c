/*
 * The table of commands: its rows are valid, the command line is parsed by them, and the pages are generated from them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmd/commands.h"
#include "cli/core/help.h"
#include "cli/text/file.h"
#include "lib/source.h"
#include "lib/test.h"

static const struct command *command(const char *first, const char *second)
{
	const char *words[] = {first, second};
	int used;

	return command_find(command_groups, second ? 2 : 1, words, &used);
}

static bool parse(struct cli *cli, const struct command *row, int argc, const char **argv)
{
	*cli = (struct cli){.command = row};
	return options_parse(cli, argc, argv);
}

static void a_page_is(const char *path, void (*put)(struct buf *out, const struct command_group *const *groups),
	const char *command_line)
{
	struct buf made = {0}, committed = {0};

	put(&made, command_groups);
	source_read(path, &committed);
	if (strcmp(buf_str(&made), buf_str(&committed)) != 0)
		fail_msg("%s is out of date: write it with '%s > %s'", path, command_line, path);
	buf_release(&made);
	buf_release(&committed);
}

TEST(the_reference_page_is_what_the_rows_make)
{
	a_page_is("docs/cli.md", help_put_markdown, "bursar docs markdown");
}

static void row_is_sound(const struct command *row)
{
	const size_t globals = 5;

	assert_non_null(row->run);
	assert_true(row->summary[0] && row->summary[strlen(row->summary) - 1] != '.');
	assert_true(row->hidden || row->examples[0]);
	for (const struct option *option = row->options; option->name; option++) {
		assert_int_equal(option->type == OPTION_FLAG, option->value == NULL);
		assert_int_equal(option->type == OPTION_CHOICE, option->choices != NULL);
		for (const struct option *other = row->options; other->name; other++)
			if (other != option && (strcmp(other->name, option->name) == 0 ||
						       (option->letter && other->letter == option->letter)))
				fail_msg("%s: --%s twice", row->name, option->name);
		for (size_t i = 0; i < globals; i++)
			if (strcmp(global_options[i].name, option->name) == 0 ||
				(option->letter && option->letter == global_options[i].letter))
				fail_msg("%s: --%s is an option of every command", row->name, option->name);
	}
	for (size_t i = 0; row->examples[i]; i++)
		if (strncmp(row->examples[i], row->name, strlen(row->name)) != 0)
			fail_msg("%s: an example of another command", row->name);
}

TEST(every_row_is_sound)
{
	for (const struct command_group *const *group = command_groups; *group; group++)
		for (size_t i = 0; i < (*group)->count; i++)
			row_is_sound(&(*group)->commands[i]);
}

TEST(a_command_of_two_words_is_found)
{
	assert_string_equal(command("account", "get")->name, "account get");
	assert_string_equal(command("check", "alice")->name, "check");
	assert_null(command("account", NULL));
	assert_null(command("account", "check"));
	assert_null(command("chec", NULL));
}

TEST(options_may_follow_arguments)
{
	const char *argv[] = {
		"bursar", "alice", "--tenant=acme", "-m", "gpt-5.4", "--input-tokens", "1_200", "-j", NULL};
	struct cli cli;

	assert_true(parse(&cli, command("check", NULL), 8, argv));
	assert_string_equal(cli_arg(&cli, 0), "alice");
	assert_string_equal(option_text(&cli, "tenant"), "acme");
	assert_string_equal(option_text(&cli, "model"), "gpt-5.4");
	assert_int_equal(option_number(&cli, "input-tokens", 0), 1200);
	assert_int_equal(option_number(&cli, "max-output-tokens", 7), 7);
	assert_true(option_given(&cli, "json"));
	assert_false(option_given(&cli, "verbose"));
	options_release(&cli);
}

TEST(an_option_may_be_a_list)
{
	const char *argv[] = {"bursar", "alice", "--remove", "a", "--remove", "b", NULL};
	const char *const *names;
	struct cli cli;
	size_t count;

	assert_true(parse(&cli, command("account", "override"), 6, argv));
	names = option_list(&cli, "remove", &count);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "a");
	assert_string_equal(names[1], "b");
	options_release(&cli);
}

TEST(a_wrong_line_says_what_is_wrong)
{
	static const struct {
		const char *argv[5], *says;
	} rows[] = {
		{{"bursar"}, "USER is missing"},
		{{"bursar", ""}, "USER is empty"},
		{{"bursar", "alice", "bob"}, "'bob' is one argument too many"},
		{{"bursar", "alice", "--colour"}, "--colour: there is no such option"},
		{{"bursar", "alice", "--tenant"}, "--tenant: the value is missing"},
		{{"bursar", "alice", "--tenant=a", "--tenant=b"}, "--tenant: is given twice"},
		{{"bursar", "alice", "--input-tokens", "many"}, "--input-tokens: 'many' is not a count"},
		{{"bursar", "alice", "--ttl", "5"}, "--ttl: '5' has no unit"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *argv[6] = {0};
		struct cli cli;
		int argc = 0;

		for (; argc < 5 && rows[i].argv[argc]; argc++)
			argv[argc] = rows[i].argv[argc];
		assert_false(parse(&cli, command("check", NULL), argc, argv));
		if (!strstr(cli.err.text, rows[i].says))
			fail_msg("says '%s', not '%s'", cli.err.text, rows[i].says);
		options_release(&cli);
	}
}

TEST(a_choice_is_one_of_its_words)
{
	const char *wrong[] = {"bursar", "alice", "--kind", "use", NULL},
		   *right[] = {"bursar", "alice", "--kind", "team", NULL};
	struct cli cli;

	assert_false(parse(&cli, command("account", "get"), 4, wrong));
	assert_non_null(strstr(
		cli.err.text, "--kind: 'use' is not one of user, team, org, model, tenant; did you mean 'user'?"));
	options_release(&cli);
	assert_true(parse(&cli, command("account", "get"), 4, right));
	assert_int_equal(
		cli_enum(&bursar__v1__account_kind__descriptor, "ACCOUNT_KIND_", option_text(&cli, "kind")), 2);
	options_release(&cli);
}

/* Puts a folder for the file of profiles into the environment. */
static void put_profiles(char folder[], const char *text)
{
	char path[64];
	FILE *file;

	assert_non_null(mkdtemp(folder));
	setenv("XDG_CONFIG_HOME", folder, 1);
	unsetenv("BURSAR_PROFILE");
	snprintf(path, sizeof(path), "%s/bursar", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/bursar/config", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, 0600);
}

static void drop_profiles(const char *folder)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/bursar/config", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/bursar", folder);
	rmdir(path);
	rmdir(folder);
}

TEST(the_fleet_is_the_profiles_where_none_is_given)
{
	const char *none[] = {"bursar", "alice", NULL}, *given[] = {"bursar", "alice", "--tenant=globex", NULL};
	char folder[] = "/tmp/bursar-profiles-XXXXXX";
	struct cli cli;

	put_profiles(folder, "default = work\n[work]\ntenant = acme\n");
	assert_true(parse(&cli, command("check", NULL), 2, none));
	assert_string_equal(option_text(&cli, "tenant"), "");
	assert_true(cli_settings_load(&cli));
	assert_string_equal(option_text(&cli, "tenant"), "acme");
	assert_false(option_given(&cli, "tenant"));
	cli_settings_release(&cli);
	options_release(&cli);
	assert_true(parse(&cli, command("check", NULL), 3, given));
	assert_true(cli_settings_load(&cli));
	assert_string_equal(option_text(&cli, "tenant"), "globex");
	cli_settings_release(&cli);
	options_release(&cli);
	drop_profiles(folder);
}
