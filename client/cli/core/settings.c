/* Settings (command.h), from options, then variables, then the profile; and the connection opened with them. */
#include "cli/core/command.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cli/core/profile_file.h"
#include "cli/text/file.h"
#include "cli/text/parse.h"

struct settings {
	struct profile_file file;
	const struct profile *profile; /* NULL: no profile is used */
	struct buf expanded[SETTING_COUNT]; /* paths of its settings that name files */
};

/* The profile that was requested explicitly; "" when none was. */
static const char *profile_asked(const struct cli *cli)
{
	const char *variable = getenv("BURSAR_PROFILE");

	if (option_given(cli, "profile"))
		return option_text(cli, "profile");
	return variable ? variable : "";
}

static bool is_file(enum profile_setting setting)
{
	return setting == SETTING_KEY_FILE || setting == SETTING_TLS_CA || setting == SETTING_TLS_CERT ||
	       setting == SETTING_TLS_KEY;
}

bool cli_settings_load(struct cli *cli)
{
	struct settings *settings = mem_zalloc(1, sizeof(*settings));
	const char *name;

	cli->settings = settings;
	/* Without a home directory there are no profiles. That is an error only when one was requested. */
	if (!*profile_asked(cli) && !profile_file_exists())
		return true;
	if (!profile_file_read(&settings->file, &cli->err))
		return false;
	name = *profile_asked(cli) ? profile_asked(cli) : settings->file.profiles.default_name;
	settings->profile = profile_find(&settings->file.profiles, name);
	if (*name && !settings->profile)
		return no_such_profile(&settings->file, name, &cli->err);
	for (int i = 0; settings->profile && i < SETTING_COUNT; i++) {
		const char *value = settings->profile->value[i];

		if (value && is_file((enum profile_setting)i) && strcmp(value, "system") != 0)
			profile_file_expand(&settings->file, value, &settings->expanded[i]);
	}
	cli->profile_tenant = cli_profile_setting(cli, SETTING_TENANT);
	return true;
}

void cli_settings_release(struct cli *cli)
{
	if (!cli->settings)
		return;
	for (int i = 0; i < SETTING_COUNT; i++)
		buf_release(&cli->settings->expanded[i]);
	profile_file_release(&cli->settings->file);
	free(cli->settings);
	cli->settings = NULL;
	cli->profile_tenant = NULL;
}

const char *cli_profile_setting(const struct cli *cli, enum profile_setting setting)
{
	const struct settings *settings = cli->settings;

	if (!settings || !settings->profile)
		return NULL;
	return settings->expanded[setting].len ? buf_str(&settings->expanded[setting])
					       : settings->profile->value[setting];
}

const char *cli_profile_name(const struct cli *cli)
{
	return cli->settings && cli->settings->profile ? cli->settings->profile->name : "";
}

const char *cli_setting(const struct cli *cli, enum profile_setting setting)
{
	const char *variable = profile_setting_variables[setting];
	const char *value = variable ? getenv(variable) : NULL;

	if (option_given(cli, profile_setting_names[setting]))
		return option_text(cli, profile_setting_names[setting]);
	return value && *value ? value : cli_profile_setting(cli, setting);
}

int64_t cli_timeout_us(const struct cli *cli)
{
	const char *text = cli_profile_setting(cli, SETTING_TIMEOUT);
	int64_t us = 5000000;
	struct err err;

	if (text && !parse_patience(text, strlen(text), &us, &err))
		assert(false && "it was read before");
	return option_number(cli, "timeout", us);
}

/* Never from the command line, which every user of the machine can read. */
static void read_key(struct cli *cli)
{
	const char *key = getenv("BURSAR_KEY"), *file = cli_setting(cli, SETTING_KEY_FILE);

	if (key && *key && !option_given(cli, "key-file")) {
		buf_put_str(&cli->key, key);
		return;
	}
	if (!file || !*file)
		return;
	if (!file_read(file, &cli->key, &cli->err)) {
		fprintf(stderr, "bursar: the key file %s\n", cli->err.text);
		exit(EXIT_USAGE);
	}
	file_warn_open("the key file", file);
	while (cli->key.len > 0 && isspace((unsigned char)cli->key.data[cli->key.len - 1]))
		cli->key.data[--cli->key.len] = '\0';
	if (!cli->key.len) {
		fprintf(stderr, "bursar: the key file %s: is empty\n", file);
		exit(EXIT_USAGE);
	}
}

/* Names the option, variable or profile setting that the error is about. */
static void put_blame(const struct cli *cli, const struct bursar_error *error)
{
	static const struct {
		const char *field;
		enum profile_setting setting;
	} fields[] = {{"address", SETTING_ADDR}, {"tls_ca", SETTING_TLS_CA}, {"tls_cert", SETTING_TLS_CERT},
		{"tls_key", SETTING_TLS_KEY}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const char *name = profile_setting_names[fields[i].setting];
		const char *variable = profile_setting_variables[fields[i].setting];
		const char *set = variable ? getenv(variable) : NULL;

		if (strcmp(error->field, fields[i].field) != 0)
			continue;
		if (!option_given(cli, name) && set && *set)
			fprintf(stderr, "bursar: %s: ", variable);
		else if (!option_given(cli, name) && cli_profile_setting(cli, fields[i].setting))
			fprintf(stderr, "bursar: %s of profile %s: ", name, cli_profile_name(cli));
		else
			fprintf(stderr, "bursar: --%s: ", name);
		return;
	}
	fputs("bursar: the API key: ", stderr);
}

struct bursar *cli_open(struct cli *cli, struct bursar_options options)
{
	struct bursar_error error;

	if (cli->bursar)
		return cli->bursar;
	if (!cli->key.len)
		read_key(cli);
	options.key = buf_str(&cli->key);
	options.tls_ca = cli_setting(cli, SETTING_TLS_CA);
	options.tls_cert = cli_setting(cli, SETTING_TLS_CERT);
	options.tls_key = cli_setting(cli, SETTING_TLS_KEY);
	cli->bursar = bursar_open(cli->address, &options, &error);
	if (!cli->bursar) {
		put_blame(cli, &error);
		fprintf(stderr, "%s\n", error.message);
		exit(EXIT_USAGE);
	}
	return cli->bursar;
}

struct bursar *cli_bursar(struct cli *cli)
{
	/* Up to three attempts within the requested timeout. */
	int64_t timeout_us = cli_timeout_us(cli);

	return cli_open(
		cli, (struct bursar_options){.timeout_us = timeout_us, .attempt_us = timeout_us, .attempts = 3});
}
