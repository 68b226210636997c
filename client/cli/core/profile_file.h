/* The profiles file: finds, reads and replaces it. */
#ifndef BURSAR_CLI_PROFILE_FILE_H
#define BURSAR_CLI_PROFILE_FILE_H

#include "cli/core/profile.h"

/* Whether the file exists, as far as can be told. */
bool profile_file_exists(void);

struct profile_file {
	struct buf path;
	struct buf text; /* "" when the file does not exist */
	struct profiles profiles;
};

/*
 * Reads $XDG_CONFIG_HOME/bursar/config, else ~/.config/bursar/config. A missing file has no profiles. Release either
 * way.
 */
bool profile_file_read(struct profile_file *file, struct err *err) __attribute__((warn_unused_result));
void profile_file_release(struct profile_file *file);

/* Replaces the file with the text atomically, readable only by its owner. Creates its directory if necessary. */
bool profile_file_write(const struct profile_file *file, const struct buf *text, struct err *err)
	__attribute__((warn_unused_result));

/* False with ERR_INVALID: the profile does not exist; suggests one with a similar name. */
bool no_such_profile(const struct profile_file *file, const char *name, struct err *err);

/*
 * Appends a path as a profile writes it: ~/ is the home directory; relative paths start at the directory of the
 * profiles file.
 */
void profile_file_expand(const struct profile_file *file, const char *name, struct buf *out);

/* Warns on standard error when other users can read or change the file. `what`: "the key file". */
void file_warn_open(const char *what, const char *path);

#endif
