/*
 * Profiles: named settings in ~/.config/bursar/config, one section each. This is the text of that file, read and changed;
 * profile_file.h is the file itself.
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

/* As they stand in the file and, of the first seven, on the command line: "addr". */
extern const char *const profile_setting_names[SETTING_COUNT];
/* The variable that goes before the profile; NULL where there is none. */
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

/* Reads the text into `out`, which is to be released in any case. False with ERR_INVALID "LINE: what is wrong". */
bool profiles_parse(const char *text, size_t len, struct profiles *out, struct err *err)
	__attribute__((warn_unused_result));
void profiles_release(struct profiles *profiles);

/* NULL when there is none of this name. */
const struct profile *profile_find(const struct profiles *profiles, const char *name);

/* Is it 1 to 64 characters of a-z A-Z 0-9 . _ -? */
bool profile_name_check(const char *name, struct err *err);

/* Finds a setting by its name. */
bool profile_setting_find(const char *name, enum profile_setting *out, struct err *err);

/* The same, and looks whether `value` is one for it. */
bool profile_value_check(const char *setting, const char *value, enum profile_setting *out, struct err *err);

/*
 * Appends the text with one setting of a profile put, or removed when `value` is NULL; a profile that is not there is made.
 * Without a `profile` ("") it is the setting "default". Everything else stays, comments too. The text is one that can be read.
 */
void profile_text_set(struct buf *out, const char *text, const char *profile, const char *setting, const char *value);

/* Appends the text without a profile. */
void profile_text_drop(struct buf *out, const char *text, const char *profile);

#endif
