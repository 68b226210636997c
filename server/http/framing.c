/*
 * Where a request ends. A proxy in front of Bursar and libmicrohttpd must agree about it, or what one of them takes for
 * a body is the next request to the other, with somebody else's key (request smuggling). libmicrohttpd 0.9.75 accepts a
 * second Content-Length, ignores Content-Length beside Transfer-Encoding, reads the body of an unknown encoding until the
 * caller leaves, and does not recognize "Content-Length :". Such requests are refused, and their connections closed.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/internal.h"

const char *http_origin_form(const char *target)
{
	const char *after = strstr(target, "://");
	size_t scheme = after ? (size_t)(after - target) : 0, host;

	if ((scheme != 4 || strncasecmp(target, "http", 4) != 0) &&
		(scheme != 5 || strncasecmp(target, "https", 5) != 0))
		return target;
	host = strcspn(after + 3, "/?");
	return after[3 + host] == '/' ? after + 3 + host : target;
}

/* https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
static bool is_token(const char *name)
{
	size_t len = strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz");

	return len && !name[len];
}

static bool has_proper_names(const struct http_exchange *exchange, struct err *err)
{
	for (const struct http_header *header = exchange->headers; header; header = header->next)
		if (!is_token(header->name))
			return err_invalid(err, "headers", "the name of a header has a character that no name has");
	return true;
}

/* Whether those that can have only one meaning are there at most once. */
static bool has_each_once(const struct http_exchange *exchange, struct err *err)
{
	static const char *const once[] = {
		"authorization", "content-length", "content-type", "host", "idempotency-key", "transfer-encoding"};

	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		unsigned count = 0;

		for (const struct http_header *header = exchange->headers; header; header = header->next)
			count += strcmp(header->name, once[i]) == 0;
		if (count > 1)
			return err_invalid(err, once[i], "is given more than once");
	}
	return true;
}

bool http_framing_accept(const struct http_exchange *exchange, const char *version, struct err *err)
{
	const char *encoding = http_header_find(exchange, "transfer-encoding");

	if (!has_proper_names(exchange, err) || !has_each_once(exchange, err))
		return false;
	if (!encoding)
		return true;
	if (strcasecmp(encoding, "chunked") != 0)
		return err_invalid(err, "transfer-encoding", "can only be chunked");
	if (http_header_find(exchange, "content-length") || strcmp(version, "HTTP/1.0") == 0)
		return err_invalid(err, "transfer-encoding", "needs HTTP/1.1 and no Content-Length");
	return true;
}

uint64_t http_framing_body(const struct http_exchange *exchange)
{
	const char *length = http_header_find(exchange, "content-length");

	return length ? strtoull(length, NULL, 10) : 0;
}
