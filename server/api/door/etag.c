/* The headers ETag and If-None-Match; the store compares If-Match, where nothing can change in between. */
#include <string.h>

#include "api/door/private.h"
#include "api/json/json_message.h"
#include "base/text/etag.h"

static const char *etag_in(const ProtobufCMessage *message)
{
	const ProtobufCFieldDescriptor *field = json_field(message->descriptor, "etag", strlen("etag"));

	return field ? *(const char *const *)(const void *)((const char *)message + field->offset) : "";
}

/* An If-None-Match that cannot be read matches nothing, so that the caller gets the whole answer. */
bool door_etag(struct http_exchange *exchange, const ProtobufCMessage *message)
{
	const char *etag = etag_in(message), *known = http_header_find(exchange, "if-none-match");
	bool reads = strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0;

	if (!etag[0])
		return false;
	http_header_add(exchange, "ETag", arena_printf(exchange->arena, "\"%s\"", etag));
	if (!reads || !known || !etag_list_has(known, etag))
		return false;
	exchange->status = 304;
	return true;
}
