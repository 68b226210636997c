/*
 * /v1/authorize: a check for proxies that ask before they pass a request on (nginx auth_request, forward_auth of Caddy
 * and Traefik, HAProxy). Whose request it is comes in headers that the proxy sets; which headers, and everything else, is
 * in the query, which is the proxy's own configuration. The body belongs to somebody else and is not looked at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/door/private.h"
#include "api/json/json_message.h"
#include "api/rest/parameters.h"
#include "base/text/distance.h"
#include "base/text/json_token.h"
#include "bursar/v1/limiter.pb-c.h"

struct asking {
	struct http_exchange *exchange;
	struct door_state *state;
	Bursar__V1__CheckRequest check;
	const char *header[REST_AUTHORIZE_PARTS];
	struct err *err;
};

static void set_option(struct asking *asking, const char *name, const char *value)
{
	if (strcmp(name, "deny_status") == 0)
		asking->state->deny_status = strcmp(value, "403") == 0 ? 403 : 429;
	else if (strcmp(name, "hold") == 0)
		asking->check.settle = strcmp(value, "true") != 0;
	else
		snprintf(asking->state->headers, sizeof(asking->state->headers), "%s", value);
}

static bool unknown(struct asking *asking, const char *name)
{
	struct meant meant = {.typed = name};
	char shown[64];

	for (int i = 0; i < REST_AUTHORIZE_PARTS; i++)
		meant_try(&meant, rest_authorize_parts[i].parameter);
	for (const char *const *field = rest_authorize_fields; *field; field++)
		meant_try(&meant, *field);
	for (size_t i = 0; i < rest_extras_count; i++)
		if (rest_other_kind(rest_extras[i].path) == REST_AUTHORIZE)
			meant_try(&meant, rest_extras[i].name);
	snprintf(shown, sizeof(shown), "%.60s", name);
	return err_invalid(asking->err, shown, "there is no such query parameter%s%s",
		meant.name[0] ? "; did you mean " : "", meant.name[0] ? meant.name : "");
}

static bool set_field(struct asking *asking, const char *field, const char *text, size_t len)
{
	return json_set_field(&asking->check.base, field, text, len, asking->exchange->arena, asking->err);
}

static bool set_parameter(struct asking *asking, const char *name, const struct rest_text *value)
{
	const struct rest_extra *extra = rest_extra_find(asking->exchange->path, name);

	for (int i = 0; i < REST_AUTHORIZE_PARTS; i++)
		if (strcmp(rest_authorize_parts[i].parameter, name) == 0) {
			asking->header[i] = http_header_name(asking->exchange->arena, value->text);
			return true;
		}
	for (const char *const *field = rest_authorize_fields; *field; field++)
		if (strcmp(*field, name) == 0)
			return set_field(asking, name, value->text, value->len);
	if (!extra)
		return unknown(asking, name);
	if (!rest_extra_check(extra, *value, asking->err))
		return false;
	set_option(asking, extra->name, value->text);
	return true;
}

static bool read_query(struct asking *asking)
{
	const char *at = asking->exchange->query;
	struct arena *arena = asking->exchange->arena;
	struct rest_text raw_name, raw_value, name, value;

	while (rest_pair_next(&at, &raw_name, &raw_value))
		if (!rest_decode(raw_name.text, raw_name.len, true, "query", arena, &name, asking->err) ||
			!rest_decode(raw_value.text, raw_value.len, true, name.text, arena, &value, asking->err) ||
			!set_parameter(asking, name.text, &value))
			return false;
	return true;
}

/* A header that comes twice is one that somebody else has added: which of them counts would be a guess. */
static bool read_header(struct asking *asking, const char *name, const char **value)
{
	*value = NULL;
	for (const struct http_header *header = asking->exchange->headers; header; header = header->next) {
		if (strcmp(header->name, name) != 0)
			continue;
		if (*value)
			return err_invalid(asking->err, name, "the header is there twice");
		*value = header->value;
	}
	return true;
}

static bool read_parts(struct asking *asking)
{
	for (int i = 0; i < REST_AUTHORIZE_PARTS; i++) {
		const char *name = asking->header[i] ? asking->header[i] : rest_authorize_parts[i].header, *value;

		if (!name[0])
			continue;
		if (!read_header(asking, name, &value))
			return false;
		if (value && value[0] && !set_field(asking, rest_authorize_parts[i].field, value, strlen(value)))
			return false;
	}
	return asking->check.user[0] ||
	       err_invalid(asking->err, asking->header[0] ? asking->header[0] : rest_authorize_parts[0].header,
		       "the header that names the user is missing");
}

bool door_authorize(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
{
	struct asking asking = {.exchange = exchange, .err = err};

	exchange->body = NULL;
	exchange->body_len = 0;
	bursar__v1__check_request__init(&asking.check);
	asking.check.headers = true;
	asking.check.settle = true;
	asking.state = door_state_new(exchange, "/bursar.v1.Limiter/Check");
	asking.state->authorizes = true;
	if (!door_guard(door, exchange, err) || !read_query(&asking) || !read_parts(&asking))
		return false;
	door_pack(&asking.check.base, message);
	exchange->rpc = "/bursar.v1.Limiter/Check";
	return true;
}

/* Waiting does not help these, so clients should not try again. */
static bool is_forbidden(Bursar__V1__Reason reason)
{
	return reason == BURSAR__V1__REASON__REASON_SUSPENDED || reason == BURSAR__V1__REASON__REASON_DELETED ||
	       reason == BURSAR__V1__REASON__REASON_UNKNOWN_USER;
}

/* In the shape that the SDKs of OpenAI and of many others read. */
static void put_denial(const Bursar__V1__CheckResponse *answer, const char *reason, struct buf *out)
{
	buf_put_str(out, "{\"error\":{\"message\":");
	json_write_text(answer->message, out);
	buf_put_str(out, ",\"type\":\"rate_limit_exceeded\",\"param\":null,\"code\":");
	json_write_text(reason, out);
	buf_put_str(out, "}}\n");
}

void door_authorized(struct http_exchange *exchange, const ProtobufCMessage *message)
{
	const Bursar__V1__CheckResponse *answer = (const Bursar__V1__CheckResponse *)message;
	const char *reason = "";

	door_check(exchange, message);
	http_header_add(exchange, "X-Bursar-Request-Id", answer->request_id);
	if (answer->allowed) {
		exchange->type = NULL;
		if (answer->state == BURSAR__V1__RESERVATION_STATE__RESERVATION_STATE_OPEN && answer->reservation[0])
			http_header_add(exchange, "X-Bursar-Reservation", answer->reservation);
		return;
	}
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i]->name, "X-Bursar-Reason") == 0)
			reason = answer->headers[i]->value;
	if (is_forbidden(answer->reason))
		exchange->status = 403;
	put_denial(answer, reason, &exchange->reply);
}
