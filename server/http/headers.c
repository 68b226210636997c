/* The headers of an exchange. */
#include <string.h>

#include "http/http.h"

const char *http_header_name(struct arena *arena, const char *name)
{
	char *lower = arena_strndup(arena, name, strlen(name));

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return lower;
}

const char *http_header_find(const struct http_exchange *exchange, const char *name)
{
	for (const struct http_header *header = exchange->headers; header; header = header->next)
		if (strcmp(header->name, name) == 0)
			return header->value;
	return NULL;
}

void http_header_add(struct http_exchange *exchange, const char *name, const char *value)
{
	struct http_header *header = arena_alloc(exchange->arena, sizeof(*header));

	*header = (struct http_header){.name = name, .value = value, .next = exchange->answer_headers};
	exchange->answer_headers = header;
}
