#include "lib/source.h"

#include <stdio.h>
#include <stdlib.h>

const char *source_path(const char *relative)
{
	static char path[4096];
	const char *folder = getenv("BURSAR_SOURCE_DIR");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : ".", relative);
	return path;
}

void source_read(const char *relative, struct buf *out)
{
	const char *path = source_path(relative);
	FILE *file = fopen(path, "rb");
	char bytes[4096];
	size_t n;

	if (!file) {
		fprintf(stderr, "%s cannot be read; run in the source folder, or set BURSAR_SOURCE_DIR\n", path);
		exit(1);
	}
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_put(out, bytes, n);
	fclose(file);
}
