/* profile ... (commands.h): named settings for servers, keys and output. */
#include "cli/cmd/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/view.h"
#include "cli/core/profile_file.h"
#include "cli/text/format.h"

/* Reports an error for which the usage line would not help. */
static int failed(struct cli *cli)
{
	fprintf(stderr, "bursar: %s\n", cli->err.text);
	return EXIT_USAGE;
}

static json_t *profile_json(const struct profile *profile)
{
	json_t *object = json_pack("{s:s}", "name", profile->name);

	for (int i = 0; i < SETTING_COUNT; i++)
		if (profile->value[i])
			json_object_set_new(object, profile_setting_names[i], json_string(profile->value[i]));
	return object;
}

/* Takes ownership of the value. */
static void put_json(struct cli *cli, json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2));

	if (!text)
		abort();
	buf_putf(&cli->out, "%s\n", text);
	free(text);
	json_decref(value);
}

static void list_json(struct cli *cli, const struct profile_file *file)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < file->profiles.count; i++)
		json_array_append_new(rows, profile_json(&file->profiles.each[i]));
	put_json(cli, json_pack("{s:s, s:s, s:o}", "file", buf_str(&file->path), "default", file->profiles.default_name,
			      "profiles", rows));
}

static void list_table(struct cli *cli, const struct profile_file *file)
{
	static const char *const columns[] = {"PROFILE", "~ADDR", "~TENANT", "~KEY FILE", "~TLS CA", "DEFAULT", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < file->profiles.count; i++) {
		const struct profile *profile = &file->profiles.each[i];

		table_line(table);
		table_cell(table, "%s", profile->name);
		table_cell(table, "%s", or_dash(profile->value[SETTING_ADDR]));
		table_cell(table, "%s", or_dash(profile->value[SETTING_TENANT]));
		table_cell(table, "%s", or_dash(profile->value[SETTING_KEY_FILE]));
		table_cell(table, "%s", or_dash(profile->value[SETTING_TLS_CA]));
		table_cell(table, "%s", strcmp(profile->name, file->profiles.default_name) == 0 ? "default" : "");
	}
	table_put(&cli->out, table, "no profiles; 'bursar profile put NAME addr=HOST:PORT' creates one");
	table_free(table);
}

static int run_list(struct cli *cli)
{
	struct profile_file file;
	int code = EXIT_DONE;

	if (!profile_file_read(&file, &cli->err))
		code = failed(cli);
	else if (option_given(cli, "names"))
		for (size_t i = 0; i < file.profiles.count; i++)
			buf_putf(&cli->out, "%s\n", file.profiles.each[i].name);
	else if (option_given(cli, "json"))
		list_json(cli, &file);
	else
		list_table(cli, &file);
	profile_file_release(&file);
	return code;
}

/* NULL with cli->err. */
static const struct profile *find(struct cli *cli, const struct profile_file *file, const char *name)
{
	const struct profile *profile = profile_find(&file->profiles, name);

	if (!profile)
		(void)no_such_profile(file, name, &cli->err);
	return profile;
}

static void show(struct cli *cli, const struct profile_file *file, const struct profile *profile)
{
	bool first = strcmp(profile->name, file->profiles.default_name) == 0;

	if (option_given(cli, "json")) {
		put_json(cli, profile_json(profile));
		return;
	}
	buf_putf(&cli->out, "profile %s%s\n", profile->name, first ? "  (the default)" : "");
	for (int i = 0; i < SETTING_COUNT; i++) {
		const char *variable = profile_setting_variables[i];
		const char *set = variable ? getenv(variable) : NULL;

		if (set && *set)
			view_field(cli, profile_setting_names[i], "%s  (but $%s is set and overrides it: %s)",
				or_dash(profile->value[i]), variable, set);
		else if (profile->value[i])
			view_field(cli, profile_setting_names[i], "%s", profile->value[i]);
	}
	view_field(cli, "file", "%s", buf_str(&file->path));
}

static int run_show(struct cli *cli)
{
	const struct profile *profile = NULL;
	struct profile_file file;
	const char *name = cli_arg(cli, 0);
	int code = EXIT_DONE;

	if (profile_file_read(&file, &cli->err) && !*name && !file.profiles.default_name[0]) {
		err_set(&cli->err, ERR_INVALID,
			"NAME is missing, and no profile is the default; 'bursar profile use NAME' sets one");
		code = cli_usage(cli);
	} else {
		if (!cli->err.code)
			profile = find(cli, &file, *name ? name : file.profiles.default_name);
		if (profile)
			show(cli, &file, profile);
		else
			code = failed(cli);
	}
	profile_file_release(&file);
	return code;
}

/* Replaces the file with `text`, if it is valid, and shows the profile. */
static int replace(struct cli *cli, const struct profile_file *file, struct buf *text, const char *name)
{
	struct profile_file now = {0};
	int code = EXIT_DONE;

	buf_put_str(&now.path, buf_str(&file->path));
	if (!profiles_parse(buf_str(text), text->len, &now.profiles, &cli->err) ||
		!profile_file_write(file, text, &cli->err))
		code = failed(cli);
	else if (profile_find(&now.profiles, name))
		show(cli, &now, profile_find(&now.profiles, name));
	else
		buf_putf(&cli->out, "profile %s deleted\n", name);
	profile_file_release(&now);
	return code;
}

/* Applies "addr=HOST:PORT" to the text; an empty value removes the setting. */
static bool set_one(struct cli *cli, struct buf *text, const char *name, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	enum profile_setting which;
	struct buf changed = {0};
	char setting[PROFILE_NAME_MAX + 1] = "";
	size_t len = equals ? (size_t)(equals - assignment) : 0;

	if (!len || len > PROFILE_NAME_MAX)
		return err_set(&cli->err, ERR_INVALID, "'%.64s' must look like addr=HOST:PORT", assignment);
	memcpy(setting, assignment, len);
	if (equals[1] ? !profile_value_check(setting, equals + 1, &which, &cli->err)
		      : !profile_setting_find(setting, &which, &cli->err))
		return false;
	profile_text_set(&changed, buf_str(text), name, setting, equals[1] ? equals + 1 : NULL);
	buf_release(text);
	*text = changed;
	return true;
}

static int run_put(struct cli *cli)
{
	const char *name = cli_arg(cli, 0);
	struct profile_file file;
	struct buf text = {0};
	int code;

	if (!profile_name_check(name, &cli->err))
		return cli_usage(cli);
	if (!profile_file_read(&file, &cli->err)) {
		code = failed(cli);
		goto done;
	}
	buf_put_str(&text, buf_str(&file.text));
	for (int i = 1; i < cli->args_count; i++) {
		if (!set_one(cli, &text, name, cli_arg(cli, i))) {
			code = cli_usage(cli);
			goto done;
		}
	}
	code = replace(cli, &file, &text, name);
done:
	buf_release(&text);
	profile_file_release(&file);
	return code;
}

/* Replaces the file after `edit` has changed its text, for the profile that the first argument names. */
static int change(
	struct cli *cli, void (*edit)(struct buf *text, const struct profile_file *file, const struct profile *profile))
{
	const struct profile *profile = NULL;
	struct profile_file file;
	struct buf text = {0};
	int code;

	if (profile_file_read(&file, &cli->err))
		profile = find(cli, &file, cli_arg(cli, 0));
	if (profile)
		edit(&text, &file, profile);
	code = profile ? replace(cli, &file, &text, profile->name) : failed(cli);
	buf_release(&text);
	profile_file_release(&file);
	return code;
}

static void make_default(struct buf *text, const struct profile_file *file, const struct profile *profile)
{
	profile_text_set(text, buf_str(&file->text), "", "default", profile->name);
}

static int run_use(struct cli *cli)
{
	return change(cli, make_default);
}

/* A deleted profile is no longer the default. */
static void drop(struct buf *text, const struct profile_file *file, const struct profile *profile)
{
	const char *first = file->profiles.default_name;
	struct buf rest = {0};

	profile_text_drop(&rest, buf_str(&file->text), profile->name);
	profile_text_set(
		text, buf_str(&rest), "", "default", strcmp(profile->name, first) == 0 || !*first ? NULL : first);
	buf_release(&rest);
}

static int run_delete(struct cli *cli)
{
	return change(cli, drop);
}

static const struct command commands[] = {
	{
		COMMAND("profile list", "", "list your profiles", run_list),
		.options = {{'\0', "names", OPTION_FLAG, NULL, "print only the names, one per line", NULL}},
		.examples = {"profile list"},
		.alone = true,
	},
	{
		COMMAND("profile show", "[NAME]", "show a profile, and which variables override it", run_show),
		.about = "Without NAME, shows the default profile.",
		.examples = {"profile show", "profile show work --json"},
		.alone = true,
	},
	{
		COMMAND("profile put", "NAME [SETTING=VALUE...]", "create a profile, or change its settings", run_put),
		.about = "SETTING is addr, key-file, tenant, tls-ca, tls-cert, tls-key, timeout, json (yes or no) or "
			 "color (no: never). An empty value after the = removes the setting; settings that are not "
			 "given stay as they are. A profile never contains a key, only the path of the key's file.",
		.examples =
			{"profile put work addr=bursar.example:7420 key-file=~/.config/bursar/work.key tls-ca=system",
				"profile put work tenant=acme timeout=20s", "profile put work tenant="},
		.alone = true,
	},
	{
		COMMAND("profile use", "NAME", "make a profile the default", run_use),
		.examples = {"profile use work"},
		.alone = true,
	},
	{
		COMMAND("profile delete", "NAME", "delete a profile", run_delete),
		.examples = {"profile delete work"},
		.alone = true,
	},
};

const struct command_group profile_commands = {"Profiles", commands, sizeof(commands) / sizeof(*commands)};
