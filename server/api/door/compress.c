/* Answers of some size are compressed for callers who accept it. */
#include <string.h>

#include "api/door/private.h"
#include "base/text/deflate.h"

/* A smaller answer fits into two packets anyway. */
enum { WORTH = 2048 };

static bool accepts_gzip(const struct http_exchange *exchange)
{
	const char *accept = http_header_find(exchange, "accept-encoding");
	const char *gzip = accept ? strstr(accept, "gzip") : NULL;

	return gzip && strncmp(gzip + 4, ";q=0", 4) != 0;
}

void door_compress(struct http_exchange *exchange)
{
	struct buf smaller = {0};

	http_header_add(exchange, "Vary", "Accept-Encoding");
	if (exchange->reply.len < WORTH || !accepts_gzip(exchange))
		return;
	gzip_text(exchange->reply.data, exchange->reply.len, &smaller);
	buf_release(&exchange->reply);
	exchange->reply = smaller;
	http_header_add(exchange, "Content-Encoding", "gzip");
}
