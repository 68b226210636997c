/* The file of the profiles: found, read, and replaced as a whole. */
#ifndef BURSAR_CLI_PROFILE_FILE_H
#define BURSAR_CLI_PROFILE_FILE_H

#include "cli/core/profile.h"

/* Is there a file, as far as one can tell? */
bool profile_file_exists(void);

struct profile_file {
	struct buf path;
	struct buf text; /* "" when there is no file */
	struct profiles profiles;
};

/* Reads $XDG_CONFIG_HOME/bursar/config, else ~/.config/bursar/config; no file is one without profiles. Release in any case. */
bool profile_file_read(struct profile_file *file, struct err *err) __attribute__((warn_unused_result));
void profile_file_release(struct profile_file *file);

/* Replaces the file by the text at once, readable by its owner alone; makes its folder when there is none. */
bool profile_file_write(const struct profile_file *file, const struct buf *text, struct err *err)
	__attribute__((warn_unused_result));

/* False with ERR_INVALID that says there is no such profile, and which one may have been meant. */
bool no_such_profile(const struct profile_file *file, const char *name, struct err *err);

/* Appends a file's name as a profile has it: ~/ is the home, and what is relative is so to the folder of the profiles. */
void profile_file_expand(const struct profile_file *file, const char *name, struct buf *out);

/* Warns on standard error when others may read or change the file. `what`: "the key file". */
void file_warn_open(const char *what, const char *path);

#endif
