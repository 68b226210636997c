/* The profiles file (profile_file.h). It never contains a key. */
#include "cli/core/profile_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/distance.h"
#include "cli/text/file.h"

static bool put_path(struct buf *out, struct err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && config[0] == '/')
		buf_putf(out, "%s/bursar/config", config);
	else if (home && home[0])
		buf_putf(out, "%s/.config/bursar/config", home);
	else
		return err_set(err, ERR_INVALID, "profiles: cannot be found: neither XDG_CONFIG_HOME nor HOME is set");
	return true;
}

bool profile_file_exists(void)
{
	struct buf path = {0};
	bool there =
		put_path(&path, NULL) && (access(buf_str(&path), F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR));

	buf_release(&path);
	return there;
}

bool profile_file_read(struct profile_file *file, struct err *err)
{
	*file = (struct profile_file){0};
	if (!put_path(&file->path, err))
		return false;
	if (!profile_file_exists())
		return true;
	if (!file_read(buf_str(&file->path), &file->text, err))
		return false;
	file_warn_open("the profiles file", buf_str(&file->path));
	return profiles_parse(buf_str(&file->text), file->text.len, &file->profiles, err) ||
	       err_prefix(err, "%s:", buf_str(&file->path));
}

void profile_file_release(struct profile_file *file)
{
	buf_release(&file->path);
	buf_release(&file->text);
	profiles_release(&file->profiles);
}

static void fail(struct err *err, const char *path)
{
	err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
}

/* Creates the directory of `path`, and those above it. */
static bool make_folder(const char *path, struct err *err)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *p = strchr(folder + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
			fail(err, folder);
			return false;
		}
		*p = '/';
	}
	return true;
}

static bool write_all(int fd, const struct buf *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return fsync(fd) == 0;
}

bool profile_file_write(const struct profile_file *file, const struct buf *text, struct err *err)
{
	char target[PATH_MAX], temporary[PATH_MAX + 8];
	bool written;
	int fd;

	/* Keeps a symbolic link, for people whose settings are in a repository. */
	if (!realpath(buf_str(&file->path), target))
		snprintf(target, sizeof(target), "%s", buf_str(&file->path));
	if (!make_folder(target, err))
		return false;
	snprintf(temporary, sizeof(temporary), "%s.XXXXXX", target);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		fail(err, temporary);
		return false;
	}
	written = write_all(fd, text);
	if (close(fd) != 0 || !written || rename(temporary, target) != 0) {
		fail(err, target);
		unlink(temporary);
		return false;
	}
	return true;
}

void profile_file_expand(const struct profile_file *file, const char *name, struct buf *out)
{
	const char *path = buf_str(&file->path), *home = getenv("HOME");

	if (strncmp(name, "~/", 2) == 0 && home)
		buf_putf(out, "%s%s", home, name + 1);
	else if (name[0] == '/')
		buf_put_str(out, name);
	else
		buf_putf(out, "%.*s%s", (int)(strrchr(path, '/') + 1 - path), path, name);
}

void file_warn_open(const char *what, const char *path)
{
	struct stat is;

	if (stat(path, &is) == 0 && S_ISREG(is.st_mode) && (is.st_mode & (S_IROTH | S_IWOTH)) != 0)
		fprintf(stderr, "bursar: other users can read or change %s %s; protect it with 'chmod 600 %s'\n", what,
			path, path);
}

bool no_such_profile(const struct profile_file *file, const char *name, struct err *err)
{
	struct meant meant = {.typed = name};

	for (size_t i = 0; i < file->profiles.count; i++)
		meant_try(&meant, file->profiles.each[i].name);
	if (meant.name[0])
		return err_set(err, ERR_INVALID, "%s: there is no profile '%.64s'; did you mean '%s'?",
			buf_str(&file->path), name, meant.name);
	return err_set(err, ERR_INVALID, "%s: there is no profile '%.64s'; 'bursar profile list' lists what exists",
		buf_str(&file->path), name);
}
