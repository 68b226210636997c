/*
 * The files of a spool's folder (c/spool/private.h). A file is written under a temporary name and renamed, so that it
 * is whole or not there.
 */
#include "c/spool/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How old a temporary file is whose writer has died; those of every language have the same names. */
enum { ABANDONED_S = 60 };

bool bursar__ends_with(const char *name, const char *ending)
{
	size_t len = strlen(name), end = strlen(ending);

	return len > end && strcmp(name + len - end, ending) == 0;
}

static bool write_whole(int file, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t written = write(file, data, len);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			data += written;
			len -= (size_t)written;
		}
	}
	return true;
}

/* Closes it, and keeps errno if it has failed already. */
static bool close_file(int file, bool well)
{
	int before = errno;

	if (close(file) == 0 || !well)
		errno = before;
	else
		well = false;
	return well;
}

static void remove_quietly(int folder, const char *name)
{
	int before = errno;

	unlinkat(folder, name, 0);
	errno = before;
}

bool bursar__file_write(int folder, const char *name, const uint8_t *data, size_t len, bool sync)
{
	char temporary[SPOOL_NAME_MAX + 32];
	bool well;
	int file;

	snprintf(temporary, sizeof(temporary), ".%s.%ld.tmp", name, (long)getpid());
	file = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	well = write_whole(file, data, len) && (!sync || fsync(file) == 0);
	if (close_file(file, well) && renameat(folder, temporary, folder, name) == 0)
		return !sync || fsync(folder) == 0;
	remove_quietly(folder, temporary);
	return false;
}

bool bursar__file_sync(int folder, const char *name)
{
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return errno == ENOENT;
	return close_file(file, fsync(file) == 0) && fsync(folder) == 0;
}

bool bursar__file_remove(int folder, const char *name)
{
	return unlinkat(folder, name, 0) == 0 || errno == ENOENT;
}

static bool read_whole(int file, struct bytes *out)
{
	char buffer[16384];
	ssize_t len;

	while ((len = read(file, buffer, sizeof(buffer))) != 0) {
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return false;
		if (out->len + (size_t)len > FILE_BYTES_MAX) {
			errno = EFBIG;
			return false;
		}
		bursar__bytes_put(out, buffer, (size_t)len);
	}
	bursar__bytes_put(out, "", 1);
	out->len--;
	return true;
}

bool bursar__file_read(int folder, const char *name, struct bytes *out)
{
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC);

	*out = (struct bytes){0};
	if (file < 0)
		return false;
	if (close_file(file, read_whole(file, out)))
		return true;
	free(out->data);
	return false;
}

bool bursar__file_set_aside(int folder, const char *name, const char *why, char aside[SPOOL_NAME_MAX])
{
	if (snprintf(aside, SPOOL_NAME_MAX, "%s.%s", name, why) >= SPOOL_NAME_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	return renameat(folder, name, folder, aside) == 0;
}

static void remove_abandoned(int folder, const char *name)
{
	struct stat status;

	if (name[0] == '.' && bursar__ends_with(name, ".tmp") && fstatat(folder, name, &status, 0) == 0 &&
		status.st_mtime < time(NULL) - ABANDONED_S)
		remove_quietly(folder, name);
}

static void put_listed(struct listing *out, int folder, const char *name)
{
	struct stat status;

	if (strlen(name) >= SPOOL_NAME_MAX || fstatat(folder, name, &status, 0) < 0)
		return; /* another process has delivered it */
	out->files = realloc(out->files, (out->count + 1) * sizeof(*out->files));
	if (!out->files)
		abort();
	snprintf(out->files[out->count].name, SPOOL_NAME_MAX, "%s", name);
	out->files[out->count++].bytes = status.st_size;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

bool bursar__folder_list(int folder, const char *ending, struct listing *out)
{
	/* A descriptor of its own, because closedir closes it, and each has its own place in the folder. */
	int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);

	*out = (struct listing){0};
	if (!dir) {
		if (own >= 0)
			close(own);
		return false;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		remove_abandoned(folder, entry->d_name);
		if (entry->d_name[0] != '.' && bursar__ends_with(entry->d_name, ending))
			put_listed(out, folder, entry->d_name);
	}
	closedir(dir);
	if (out->count > 0)
		qsort(out->files, out->count, sizeof(*out->files), by_name);
	return true;
}

void bursar__listing_free(struct listing *listing)
{
	free(listing->files);
	*listing = (struct listing){0};
}
