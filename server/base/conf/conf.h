/* The configuration of bursard: one table (conf.def), read from a file, the environment and the flags. */
#ifndef BURSAR_BASE_CONF_CONF_H
#define BURSAR_BASE_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* The words of the choices, as conf_<option>_<word>; those of a set are bit flags. */
#define CONF_GROUP(title)
#define CONF_TEXT(name, ...)
#define CONF_SECRET(name, ...)
#define CONF_INT(name, ...)
#define CONF_SIZE(name, ...)
#define CONF_BOOL(name, ...)
#define CONF_CHOICE2(name, initial, a, b, doc) enum conf_##name{conf_##name##_##a, conf_##name##_##b};
#define CONF_CHOICE3(name, initial, a, b, c, doc) \
	enum conf_##name{conf_##name##_##a, conf_##name##_##b, conf_##name##_##c};
#define CONF_CHOICE4(name, initial, a, b, c, d, doc) \
	enum conf_##name{conf_##name##_##a, conf_##name##_##b, conf_##name##_##c, conf_##name##_##d};
#define CONF_SET4(name, initial, a, b, c, d, doc) \
	enum conf_##name{ \
		conf_##name##_##a = 1, \
		conf_##name##_##b = 2, \
		conf_##name##_##c = 4, \
		conf_##name##_##d = 8, \
	};
#include "base/conf/conf.def"
#include "base/conf/undef.h"

/* Filled by conf_load, freed by conf_release; texts are never NULL. */
struct conf {
#define CONF_GROUP(title)
#define CONF_TEXT(name, ...) char *name;
#define CONF_SECRET(name, ...) char *name;
#define CONF_INT(name, ...) int64_t name;
#define CONF_SIZE(name, ...) int64_t name;
#define CONF_BOOL(name, ...) bool name;
#define CONF_CHOICE2(name, ...) enum conf_##name name;
#define CONF_CHOICE3(name, ...) enum conf_##name name;
#define CONF_CHOICE4(name, ...) enum conf_##name name;
#define CONF_SET4(name, ...) unsigned name;
#include "base/conf/conf.def"
#include "base/conf/undef.h"
};

/* What the command line asks for besides options. */
enum conf_action {
	CONF_RUN,
	CONF_HELP,
	CONF_VERSION,
	CONF_PRINT,
	CONF_PRINT_DOCS,
	CONF_PRINT_PATHS,
	CONF_PRINT_OPENAPI
};

struct conf_args {
	enum conf_action action;
	char **words; /* arguments that are not options ("migrate", "up"): borrowed from argv */
	size_t word_count;
};

/*
 * Reads the defaults, then the file (--config FILE or BURSAR_CONFIG), then `env` (may be NULL), then the flags; later
 * sources win. `argv` is reordered so that words come first. ERR_INVALID names the option, where it was given and which
 * values are valid; for an unknown option it suggests the nearest. On failure there is nothing to release.
 */
bool conf_load(struct conf *conf, struct conf_args *args, int argc, char **argv, char **env, struct err *err)
	__attribute__((warn_unused_result));

/* Sets one option by its name in the table, as a line of the file does: for tests and for main. */
bool conf_set(struct conf *conf, const char *name, const char *value, struct err *err)
	__attribute__((warn_unused_result));

/* Sets every option to its default. */
void conf_init(struct conf *conf);
void conf_release(struct conf *conf);

/* The text of --help; of --print-config (a file that yields this configuration, with passwords shown as ***); and of
 * docs/configuration.md. */
void conf_print_help(struct buf *out);
void conf_print(const struct conf *conf, struct buf *out);
void conf_print_docs(struct buf *out);

/* The checks that the table names. All of them accept an empty text. */
bool conf_check_address(const char *value, struct err *err);
bool conf_check_otlp(const char *value, struct err *err);
bool conf_check_smtp(const char *value, struct err *err);
bool conf_check_commands(const char *value, struct err *err);
bool conf_check_networks(const char *value, struct err *err);
bool conf_check_redis(const char *value, struct err *err);

#endif
