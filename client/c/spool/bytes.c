/* Bytes that grow (c/spool/private.h). */
#include "c/spool/private.h"

#include <stdlib.h>
#include <string.h>

void bursar__bytes_put(struct bytes *bytes, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (bytes->len + len > bytes->size) {
		bytes->size = 2 * (bytes->len + len);
		bytes->data = realloc(bytes->data, bytes->size);
		if (!bytes->data)
			abort();
	}
	memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

void bursar__bytes_put_text(struct bytes *bytes, const char *text)
{
	bursar__bytes_put(bytes, text, strlen(text));
}
