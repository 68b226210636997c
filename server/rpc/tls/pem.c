#include "rpc/tls/pem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX ((size_t)1 << 20)

static const char *path_of(const struct pem_files *files, int which)
{
	const char *const paths[PEM_FILES] = {files->tls.cert, files->tls.key, files->tls.client_ca};

	return paths[which] && paths[which][0] ? paths[which] : NULL;
}

static bool file_read(const char *path, const char *option, struct buf *out, struct err *err)
{
	FILE *file = path ? fopen(path, "re") : NULL;

	if (!path)
		return true;
	if (!file)
		return err_invalid(err, option, "%.150s cannot be read: %s", path, strerror(errno));
	for (size_t n; out->len <= FILE_MAX && (n = fread(buf_reserve(out, 4096), 1, 4096, file)) > 0;)
		out->len += n;
	fclose(file);
	buf_put(out, "", 1);
	if (out->len > FILE_MAX)
		return err_invalid(err, option, "%.150s is larger than 1 MiB", path);
	return strstr(out->data, "-----BEGIN ") || err_invalid(err, option, "%.150s is not a PEM file", path);
}

bool pem_changed(struct pem_files *files)
{
	bool changed = false;

	for (int i = 0; i < PEM_FILES; i++) {
		struct stat now;
		struct pem_stamp stamp;

		memset(&stamp, 0, sizeof(stamp)); /* padding too, because memcmp compares it */
		if (path_of(files, i) && stat(path_of(files, i), &now) == 0) {
			stamp.inode = now.st_ino;
			stamp.size = now.st_size;
			stamp.changed.tv_sec = now.st_mtim.tv_sec;
			stamp.changed.tv_nsec = now.st_mtim.tv_nsec;
		}
		changed = changed || memcmp(&stamp, &files->stamp[i], sizeof(stamp)) != 0;
		files->stamp[i] = stamp;
	}
	return changed;
}

bool pem_read(const struct pem_files *files, struct buf text[PEM_FILES], struct err *err)
{
	static const char *const options[PEM_FILES] = {"tls_cert", "tls_key", "tls_client_ca"};

	for (int i = 0; i < PEM_FILES; i++)
		if (!file_read(path_of(files, i), options[i], &text[i], err))
			return false;
	return true;
}

void pem_release(struct buf text[PEM_FILES])
{
	if (text[PEM_KEY].data)
		explicit_bzero(text[PEM_KEY].data, text[PEM_KEY].len);
	for (int i = 0; i < PEM_FILES; i++)
		buf_release(&text[i]);
}
