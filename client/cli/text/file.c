/* Reads whole files. */
#include "cli/text/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SIZE_MAX_BYTES = 16 << 20, STEP = 65536 };

bool file_read(const char *path, struct buf *out, struct err *err)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "r");
	size_t n = 0;
	bool right;

	if (!file)
		return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
	do {
		n = fread(buf_reserve(out, STEP), 1, STEP, file);
		out->len += n;
	} while (n > 0 && out->len <= SIZE_MAX_BYTES);
	buf_put(out, "", 0); /* terminates it */
	right = !ferror(file);
	if (!right)
		err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
	else if (out->len > SIZE_MAX_BYTES)
		right = err_set(err, ERR_INVALID, "%s: is larger than 16 MiB", path);
	if (!standard)
		fclose(file);
	return right;
}
