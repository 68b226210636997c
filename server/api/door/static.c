/* What the door serves without a call: the dashboard's files and the description of the API. */
#include <string.h>

#include "api/door/private.h"
#include "api/openapi/openapi.h"
#include "base/embedded.h"

/*
 * No script, style, font or picture from elsewhere, and none inside the HTML: what a user's id or a tier's name contains
 * can never run.
 */
#define POLICY \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " \
	"form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'; frame-ancestors %s"

static const struct embedded_page *find(const char *path)
{
	for (size_t i = 0; i < embedded_pages_count; i++)
		if (strcmp(embedded_pages[i].path, path) == 0)
			return &embedded_pages[i];
	return NULL;
}

static void protect(const struct door *door, struct http_exchange *exchange)
{
	const char *frames = door->embed_origins[0] ? door->embed_origins : "'none'";

	http_header_add(exchange, "Content-Security-Policy", arena_printf(exchange->arena, POLICY, frames));
	http_header_add(exchange, "X-Content-Type-Options", "nosniff");
	http_header_add(exchange, "Referrer-Policy", "no-referrer");
	http_header_add(exchange, "Cross-Origin-Opener-Policy", "same-origin");
	http_header_add(exchange, "Cross-Origin-Resource-Policy", "same-origin");
}

static void show(const struct door *door, struct http_exchange *exchange, const struct embedded_page *page)
{
	const char *known = http_header_find(exchange, "if-none-match");

	protect(door, exchange);
	exchange->type = page->type;
	http_header_add(exchange, "ETag", page->etag);
	/* Asked for again each time: a new bursard has new files under the same names. */
	http_header_add(exchange, "Cache-Control", "no-cache");
	if (known && strcmp(known, page->etag) == 0) {
		exchange->status = 304;
		return;
	}
	exchange->status = 200;
	buf_put(&exchange->reply, page->bytes, page->size);
	door_compress(exchange);
}

static void show_openapi(struct http_exchange *exchange)
{
	exchange->status = 200;
	exchange->type = "application/json";
	http_header_add(exchange, "Cache-Control", "no-cache");
	rest_openapi(&exchange->reply);
	door_compress(exchange);
}

bool door_static(const struct door *door, struct http_exchange *exchange)
{
	const struct embedded_page *page;
	bool openapi = strcmp(exchange->path, "/openapi.json") == 0;

	if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0)
		return false;
	page = openapi ? NULL : find(exchange->path);
	if (page)
		show(door, exchange, page);
	else if (openapi)
		show_openapi(exchange);
	return page || openapi;
}
