/* Fills struct conf from the file, the environment and the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/conf/table.h"

enum { FILE_MAX = 1 << 20 };
static const char env_prefix[] = "BURSAR_";

static bool unknown_option(const char *where, const char *name, size_t len, const char *dashes, struct err *err)
{
	const struct conf_row *nearest = conf_nearest(name, len);
	char right[64];

	if (!nearest)
		return err_invalid(err, where, "unknown option; see bursard --help");
	snprintf(right, sizeof(right), "%s%s", dashes, nearest->name);
	for (char *p = right; *dashes && *p; p++)
		if (*p == '_')
			*p = '-';
	return err_invalid(err, where, "unknown option; did you mean %s?", right);
}

bool conf_set(struct conf *conf, const char *name, const char *value, struct err *err)
{
	const struct conf_row *row = conf_find(name, strlen(name));

	if (!row)
		return unknown_option(name, name, strlen(name), "", err);
	return conf_set_row(conf, row, value, name, err);
}

static char *trim(char *s)
{
	char *last;

	s += strspn(s, " \t");
	last = s + strlen(s);
	while (last > s && strchr(" \t\r\n", last[-1]))
		last--;
	*last = '\0';
	return s;
}

static bool set_line(struct conf *conf, char *line, const char *path, int number, struct err *err)
{
	const struct conf_row *row;
	char *name = trim(line);
	char *equals = strchr(name, '=');
	char where[96];

	if (!*name || *name == '#')
		return true;
	if (!equals)
		return err_set(
			err, ERR_INVALID, "%s:%d: \"%.40s\" is not of the form option = value", path, number, name);
	*equals = '\0';
	name = trim(name);
	/* Cut the beginning: the end of a path is more telling. */
	if (strlen(path) > 48)
		path += strlen(path) - 48;
	snprintf(where, sizeof(where), "%s:%d: %.30s", path, number, name);
	row = conf_find(name, strlen(name));
	if (!row)
		return unknown_option(where, name, strlen(name), "", err);
	return conf_set_row(conf, row, trim(equals + 1), where, err);
}

static bool load_file(struct conf *conf, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	size_t total = 0;
	int number = 0;
	ssize_t n;
	bool ok = true;

	if (!file)
		return err_set(err, ERR_INVALID, "configuration file %s: %s", path, strerror(errno));
	while (ok && (n = getline(&line, &cap, file)) >= 0) {
		total += (size_t)n;
		if (strlen(line) != (size_t)n || total > FILE_MAX)
			ok = err_set(err, ERR_INVALID, "configuration file %s: must be text of at most 1 MiB", path);
		else
			ok = set_line(conf, line, path, ++number, err);
	}
	if (ok && ferror(file))
		ok = err_set(err, ERR_INVALID, "configuration file %s: %s", path, strerror(errno));
	free(line);
	fclose(file);
	return ok;
}

/* The value in `variable` ("BURSAR_REDIS=x") when it sets this option, else NULL. */
static const char *env_value(const char *variable, const struct conf_row *row)
{
	size_t at = sizeof(env_prefix) - 1;

	if (strncmp(variable, env_prefix, at) != 0)
		return NULL;
	for (const char *p = row->name; *p; p++, at++) {
		char upper = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);

		if (variable[at] != upper)
			return NULL;
	}
	return variable[at] == '=' ? variable + at + 1 : NULL;
}

static bool set_from_env(
	struct conf *conf, const struct conf_row *row, const char *variable, const char *value, struct err *err)
{
	char where[96];

	snprintf(where, sizeof(where), "%.*s", (int)(value - variable - 1), variable);
	return conf_set_row(conf, row, value, where, err);
}

/* Variable names that users know from elsewhere; the option's own variable wins. */
static bool load_aliases(struct conf *conf, char **env, struct err *err)
{
	static const struct {
		const char *variable, *name;
	} aliases[] = {
		{"MAX_CONCURRENT_AGENTS=", "max_concurrent_agents"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=", "otlp_endpoint"},
		{"OTEL_EXPORTER_OTLP_HEADERS=", "otlp_headers"},
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		size_t len = strlen(aliases[i].variable);

		for (char **variable = env; variable && *variable; variable++)
			if (strncmp(*variable, aliases[i].variable, len) == 0 &&
				!set_from_env(conf, conf_find(aliases[i].name, strlen(aliases[i].name)), *variable,
					*variable + len, err))
				return false;
	}
	return true;
}

/*
 * Ignores variables that match no option: Kubernetes gives every pod BURSAR_SERVICE_HOST and the like when a service of
 * that name exists, and the command line tool has its own variables.
 */
static bool load_env(struct conf *conf, char **env, struct err *err)
{
	if (!load_aliases(conf, env, err))
		return false;
	for (size_t i = 0; i < conf_row_count; i++) {
		const struct conf_row *row = &conf_rows[i];

		if (row->type == CONF_TYPE_GROUP)
			continue;
		for (char **variable = env; variable && *variable; variable++) {
			const char *value = env_value(*variable, row);

			if (value && !set_from_env(conf, row, *variable, value, err))
				return false;
		}
	}
	return true;
}

/* What the command line contains: options in the order given; words are moved to the front of argv. */
struct flags {
	struct {
		const struct conf_row *row;
		const char *value;
	} * given;
	size_t count;
	const char *file;
};

static bool take_action(const char *name, size_t len, enum conf_action *action)
{
	static const struct {
		const char *name;
		enum conf_action action;
	} actions[] = {{"help", CONF_HELP}, {"version", CONF_VERSION}, {"print-config", CONF_PRINT},
		{"print-config-docs", CONF_PRINT_DOCS}, {"print-paths", CONF_PRINT_PATHS},
		{"print-openapi", CONF_PRINT_OPENAPI}};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strlen(actions[i].name) == len && memcmp(actions[i].name, name, len) == 0) {
			*action = actions[i].action;
			return true;
		}
	}
	return false;
}

/* Reads the flag at argv[*at]; moves *at onto its value when that is a separate argument. */
static bool take_flag(struct flags *flags, struct conf_args *args, int argc, char **argv, int *at, struct err *err)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct conf_row *row = conf_find(name, len);
	bool is_file = len == 6 && memcmp(name, "config", 6) == 0;
	char where[96];

	snprintf(where, sizeof(where), "--%.*s", (int)(len < 64 ? len : 64), name);
	if (!value && take_action(name, len, &args->action))
		return true;
	if (!row && !is_file)
		return unknown_option(where, name, len, "--", err);
	if (!value && row && row->type == CONF_TYPE_BOOL)
		value = "true";
	if (!value && *at + 1 < argc)
		value = argv[++*at];
	if (!value)
		return err_invalid(err, where, "needs a value, such as %s",
			is_file ? "bursar.conf" : (row->initial[0] ? row->initial : "127.0.0.1:7420"));
	if (is_file) {
		flags->file = value;
		return true;
	}
	flags->given[flags->count].row = row;
	flags->given[flags->count++].value = value;
	return true;
}

static bool take_flags(struct flags *flags, struct conf_args *args, int argc, char **argv, struct err *err)
{
	bool words_only = false;
	size_t words = 0;

	for (int i = 1; i < argc; i++) {
		if (words_only || strncmp(argv[i], "--", 2) != 0) {
			if (!words_only && argv[i][0] == '-' && argv[i][1])
				return err_invalid(err, argv[i], "unknown option; options begin with two dashes");
			argv[1 + words++] = argv[i];
		} else if (!argv[i][2]) {
			words_only = true;
		} else if (!take_flag(flags, args, argc, argv, &i, err)) {
			return false;
		}
	}
	args->words = argv + 1;
	args->word_count = words;
	return true;
}

static const char *env_file(char **env)
{
	for (; env && *env; env++)
		if (strncmp(*env, "BURSAR_CONFIG=", 14) == 0 && (*env)[14])
			return *env + 14;
	return NULL;
}

bool conf_load(struct conf *conf, struct conf_args *args, int argc, char **argv, char **env, struct err *err)
{
	struct flags flags = {.given = mem_zalloc((size_t)argc + 1, sizeof(flags.given[0]))};
	struct conf loaded;
	bool ok;

	conf_init(&loaded);
	*args = (struct conf_args){.action = CONF_RUN};
	ok = take_flags(&flags, args, argc, argv, err);
	if (ok && !flags.file)
		flags.file = env_file(env);
	if (ok && flags.file)
		ok = load_file(&loaded, flags.file, err);
	if (ok)
		ok = load_env(&loaded, env, err);
	for (size_t i = 0; ok && i < flags.count; i++) {
		char where[64];

		snprintf(where, sizeof(where), "--%s", flags.given[i].row->name);
		for (char *p = where; *p; p++)
			*p = *p == '_' ? '-' : *p;
		ok = conf_set_row(&loaded, flags.given[i].row, flags.given[i].value, where, err);
	}
	free(flags.given);
	if (!ok)
		conf_release(&loaded);
	else
		*conf = loaded;
	return ok;
}
