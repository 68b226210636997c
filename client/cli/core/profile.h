/*
 * Profiles: named settings in ~/.config/bursar/config, one section for each profile. This part parses and edits the
 * text; profile_file.h handles the file.
 *
 *	default = work
 *
 *	[work]
 *	addr = bursar.example:7420
 *	key-file = ~/.config/bursar/work.key
 *	tls-ca = system
 */
#ifndef BURSAR_CLI_PROFILE_H
#define BURSAR_CLI_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum profile_setting {
	SETTING_ADDR,
	SETTING_KEY_FILE,
	SETTING_TENANT,
	SETTING_TLS_CA,
	SETTING_TLS_CERT,
	SETTING_TLS_KEY,
	SETTING_TIMEOUT,
	SETTING_JSON,
	SETTING_COLOR,
	SETTING_COUNT,
};

/* The names in the file; the first seven are also options: "addr". */
extern const char *const profile_setting_names[SETTING_COUNT];
/* The environment variable that overrides the profile; NULL when there is none. */
extern const char *const profile_setting_variables[SETTING_COUNT];

enum { PROFILES_MAX = 64, PROFILE_NAME_MAX = 64, PROFILE_VALUE_MAX = 1024, PROFILE_FILE_MAX = 65536 };

struct profile {
	char name[PROFILE_NAME_MAX + 1];
	char *value[SETTING_COUNT]; /* NULL: not in the file */
};

struct profiles {
	char default_name[PROFILE_NAME_MAX + 1]; /* "": none */
	size_t count;
	struct profile each[PROFILES_MAX];
};

/* Parses the text into `out`; release it either way. False with ERR_INVALID "LINE: what is wrong". */
bool profiles_parse(const char *text, size_t len, struct profiles *out, struct err *err)
	__attribute__((warn_unused_result));
void profiles_release(struct profiles *profiles);

/* NULL when no profile has this name. */
const struct profile *profile_find(const struct profiles *profiles, const char *name);

/* A name has 1 to 64 characters of a-z A-Z 0-9 . _ - */
bool profile_name_check(const char *name, struct err *err);

/* Finds a setting by its name. */
bool profile_setting_find(const char *name, enum profile_setting *out, struct err *err);

/* The same; also checks that `value` is valid for it. */
bool profile_value_check(const char *setting, const char *value, enum profile_setting *out, struct err *err);

/*
 * Appends the text with one setting of a profile changed, or removed when `value` is NULL; adds the profile if it does
 * not exist. An empty `profile` ("") means the setting "default". Keeps everything else, including comments. The text
 * must parse.
 */
void profile_text_set(struct buf *out, const char *text, const char *profile, const char *setting, const char *value);

/* Appends the text without a profile. */
void profile_text_drop(struct buf *out, const char *text, const char *profile);

#endif
