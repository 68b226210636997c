/* Errors as google.rpc.Status in JSON, with the HTTP status and the headers that clients act on. */
#include <inttypes.h>
#include <string.h>

#include "api/door/private.h"
#include "api/json/json_message.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "rpc/status.h"

/* Clients read longer ones as overflows or as now. */
enum { RETRY_MAX_S = 2147483 };

/* What a status and its details say, as far as HTTP has words for it. */
struct outline {
	const char *reason;
	int64_t retry_us;
};

/* The HTTP status of a gRPC code (google/rpc/code.proto). */
static unsigned http_status(int code, const char *reason)
{
	static const struct {
		const char *reason;
		unsigned status;
	} special[] = {
		{"METHOD_NOT_ALLOWED", 405}, {"REQUEST_TOO_LARGE", 413}, {"SERVER_BUSY", 503}, {"ETAG_MISMATCH", 412}};
	static const unsigned statuses[] = {
		200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401};

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (strcmp(special[i].reason, reason) == 0)
			return special[i].status;
	return code >= 0 && (size_t)code < sizeof(statuses) / sizeof(statuses[0]) ? statuses[code] : 500;
}

static void read_detail(struct arena *arena, const Google__Protobuf__Any *any, struct outline *outline)
{
	const char *type = strrchr(any->type_url, '/');
	const uint8_t *bytes = any->value.data;
	size_t n = any->value.len;

	if (type && strcmp(type, "/google.rpc.RetryInfo") == 0) {
		const Google__Rpc__RetryInfo *info = (const Google__Rpc__RetryInfo *)door_unpack(
			arena, &google__rpc__retry_info__descriptor, bytes, n);

		if (info && info->retry_delay)
			outline->retry_us = info->retry_delay->seconds * 1000000 + info->retry_delay->nanos / 1000;
	} else if (type && strcmp(type, "/google.rpc.ErrorInfo") == 0) {
		const Google__Rpc__ErrorInfo *info = (const Google__Rpc__ErrorInfo *)door_unpack(
			arena, &google__rpc__error_info__descriptor, bytes, n);

		if (info)
			outline->reason = info->reason;
	}
}

static const Google__Rpc__Status *status_of(struct arena *arena, const uint8_t *bytes, size_t n)
{
	return (const Google__Rpc__Status *)door_unpack(arena, &google__rpc__status__descriptor, bytes, n);
}

void door_status(struct arena *arena, int code, const uint8_t *bytes, size_t n, struct buf *out)
{
	const Google__Rpc__Status *status = status_of(arena, bytes, n);

	if (status)
		json_write_message(&status->base, out);
	else
		buf_putf(out, "{\"code\":%d}", code);
}

static void add_retry(struct http_exchange *exchange, int64_t retry_us)
{
	int64_t seconds = (retry_us + 999999) / 1000000;

	if (retry_us <= 0)
		return;
	if (seconds > RETRY_MAX_S)
		seconds = RETRY_MAX_S;
	http_header_add(exchange, "Retry-After", arena_printf(exchange->arena, "%" PRId64, seconds));
	if (seconds < 5)
		http_header_add(
			exchange, "retry-after-ms", arena_printf(exchange->arena, "%" PRId64, (retry_us + 999) / 1000));
}

/* A person followed a link and looks at the answer. */
static bool is_link(const struct http_exchange *exchange)
{
	const struct door_state *state = exchange->state;

	return state && state->login == LOGIN_BY_CODE;
}

static void say_plainly(struct http_exchange *exchange, const char *text)
{
	buf_reset(&exchange->reply);
	exchange->type = "text/plain; charset=utf-8";
	buf_putf(&exchange->reply, "This link does not log you in: %s.\n'bursar dashboard' prints a new one.\n", text);
}

/* A proxy would tell its own caller to log in, because of a key that is the proxy's (authorize.c). */
static bool is_the_proxys(const struct http_exchange *exchange)
{
	const struct door_state *state = exchange->state;

	return state && state->authorizes && (exchange->status == 401 || exchange->status == 403);
}

void door_failure(
	const struct http_translator *self, struct http_exchange *exchange, int code, const uint8_t *bytes, size_t n)
{
	const Google__Rpc__Status *status = status_of(exchange->arena, bytes, n);
	struct outline outline = {.reason = ""};

	(void)self;
	for (size_t i = 0; status && i < status->n_details; i++)
		read_detail(exchange->arena, status->details[i], &outline);
	exchange->status = http_status(code, outline.reason);
	exchange->type = "application/json";
	http_header_add(exchange, "Cache-Control", "no-store");
	if (is_the_proxys(exchange))
		exchange->status = 500;
	if (exchange->status == 401)
		http_header_add(exchange, "WWW-Authenticate", "Bearer realm=\"bursar\"");
	if (exchange->status == 401 && exchange->session)
		door_cookie_clear(exchange);
	add_retry(exchange, outline.retry_us);
	door_status(exchange->arena, code, bytes, n, &exchange->reply);
	buf_put_str(&exchange->reply, "\n");
	if (status && is_link(exchange))
		say_plainly(exchange, status->message);
}

void door_refuse(struct http_exchange *exchange, const struct err *err)
{
	size_t len;
	const uint8_t *bytes = status_details(exchange->arena, err, &len);

	door_failure(NULL, exchange, status_code(err->code), bytes, len);
}
