/* Texts inside packed records. */
#include "base/text/pack.h"

#include <string.h>

void text_put(struct buf *out, const char *text)
{
	if (!text)
		text = "";
	buf_put_str16(out, text, strlen(text));
}

static const char *text_view(struct cut *cut, size_t *len)
{
	const char *text = cut_str16(cut, len);

	if (!cut->bad && *len && memchr(text, '\0', *len))
		cut->bad = true;
	return cut->bad ? NULL : text;
}

const char *text_cut(struct cut *cut, struct arena *arena)
{
	size_t len = 0;
	const char *text = text_view(cut, &len);

	return text && len ? arena_strndup(arena, text, len) : "";
}

void text_cut_into(struct cut *cut, char *to, size_t size)
{
	size_t len = 0;
	const char *text = text_view(cut, &len);

	to[0] = '\0';
	if (!text || !len)
		return;
	if (len >= size) {
		cut->bad = true;
		return;
	}
	memcpy(to, text, len);
	to[len] = '\0';
}
