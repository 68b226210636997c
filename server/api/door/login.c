/*
 * The dashboard's logins. POST /login begins a session by a key, GET /login?code= by a one-time code, GET /session says
 * who is logged in, and POST /logout forgets it. Each but the last is an RPC like all others; only its answer differs.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/door/private.h"
#include "api/rest/query.h"
#include "bursar/v1/admin.pb-c.h"

/* The key in the body becomes what a program sends. */
static bool key_read(struct http_exchange *exchange, struct err *err)
{
	json_t *body = json_loadb(exchange->body ? exchange->body : "", exchange->body_len, 0, NULL);
	const char *key = json_string_value(json_object_get(body, "key"));
	bool good = key && json_object_size(body) == 1;
	struct http_header *header;

	if (good) {
		header = arena_alloc(exchange->arena, sizeof(*header));
		*header = (struct http_header){.name = "authorization",
			.value = arena_printf(exchange->arena, "Bearer %s", key),
			.next = exchange->headers};
		exchange->headers = header;
	}
	json_decref(body);
	return good || err_invalid(err, "key", "the body must be {\"key\": \"bsk_...\"}");
}

static bool by_key(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
{
	(void)door;
	(void)message;
	exchange->rpc = "/bursar.v1.Admin/CreateSession";
	return door_from_page(exchange, err) && door_guard_body(exchange, err) && key_read(exchange, err);
}

static bool by_code(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
{
	Bursar__V1__RedeemLoginRequest request = BURSAR__V1__REDEEM_LOGIN_REQUEST__INIT;
	struct rest_text name, value, code = {.text = ""};
	const char *at = exchange->query;

	(void)door;
	while (rest_pair_next(&at, &name, &value))
		if (name.len == 4 && memcmp(name.text, "code", 4) == 0 && value.text &&
			!rest_decode(value.text, value.len, true, "code", exchange->arena, &code, err))
			return false;
	request.code = arena_strndup(exchange->arena, code.text, code.len);
	door_pack(&request.base, message);
	exchange->rpc = "/bursar.v1.Admin/RedeemLogin";
	return true;
}

static bool show(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
{
	(void)message;
	exchange->rpc = "/bursar.v1.Admin/GetCaller";
	return door_guard(door, exchange, err);
}

static bool logout(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err)
{
	(void)door;
	(void)message;
	if (!door_from_page(exchange, err))
		return false;
	door_cookie_clear(exchange);
	http_header_add(exchange, "Cache-Control", "no-store");
	exchange->status = 204;
	return true;
}

static const struct path {
	const char *method, *path, *allow;
	enum door_login login;
	bool (*request)(const struct door *door, struct http_exchange *exchange, struct buf *message, struct err *err);
} paths[] = {
	{"POST", "/login", "GET, POST", LOGIN_BY_KEY, by_key},
	{"GET", "/login", "GET, POST", LOGIN_BY_CODE, by_code},
	{"GET", "/session", "GET", LOGIN_SHOW, show},
	{"POST", "/logout", "POST", LOGIN_NONE, logout},
};

static void refuse_method(struct http_exchange *exchange, const char *allow)
{
	struct err err;

	http_header_add(exchange, "Allow", allow);
	err_set(&err, ERR_UNIMPLEMENTED, "%s %s: use %s", exchange->method, exchange->path, allow);
	err_reason(&err, "METHOD_NOT_ALLOWED");
	door_refuse(exchange, &err);
}

bool door_login_request(const struct door *door, struct http_exchange *exchange, struct buf *message)
{
	struct door_state *state;
	const char *allow = NULL;
	struct err err = {0};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(exchange->path, paths[i].path) != 0)
			continue;
		allow = paths[i].allow;
		if (strcmp(exchange->method, paths[i].method) != 0)
			continue;
		state = arena_zalloc(exchange->arena, 1, sizeof(*state));
		state->login = paths[i].login;
		exchange->state = state;
		if (!paths[i].request(door, exchange, message, &err)) {
			exchange->rpc = NULL;
			door_refuse(exchange, &err);
		}
		return true;
	}
	if (allow)
		refuse_method(exchange, allow);
	return allow;
}

static void put_caller(const Bursar__V1__Caller *caller, struct buf *out)
{
	static const char *const roles[] = {"", "user", "bot", "viewer", "admin", "operator"};
	static const char *const ways[] = {"", "nothing", "key", "certificate", "session"};
	json_t *interfaces = json_array();
	json_t *object;
	char *text;

	for (size_t i = 0; i < caller->n_interfaces; i++)
		json_array_append_new(interfaces, json_string(caller->interfaces[i]));
	object = json_pack("{s:s, s:s, s:s, s:o, s:s, s:I, s:s, s:I}", "role", roles[caller->role], "tenant",
		caller->tenant, "user", caller->user, "interfaces", interfaces, "by", ways[caller->by], "key_id",
		(json_int_t)caller->key_id, "label", caller->label, "expires_at_us", (json_int_t)caller->expires_at_us);
	text = json_dumps(object, JSON_COMPACT);
	buf_putf(out, "%s\n", text ? text : "{}");
	free(text);
	json_decref(object);
}

void door_login_reply(struct http_exchange *exchange, const uint8_t *bytes, size_t n)
{
	const struct door_state *state = exchange->state;
	const Bursar__V1__CreateSessionResponse *made = NULL;
	const Bursar__V1__Caller *caller;

	http_header_add(exchange, "Cache-Control", "no-store");
	if (state->login == LOGIN_SHOW) {
		caller = (const Bursar__V1__Caller *)door_unpack(
			exchange->arena, &bursar__v1__caller__descriptor, bytes, n);
	} else {
		made = (const Bursar__V1__CreateSessionResponse *)door_unpack(
			exchange->arena, &bursar__v1__create_session_response__descriptor, bytes, n);
		caller = made->caller;
		door_cookie_set(exchange, made->session, caller->expires_at_us);
	}
	exchange->status = 200;
	exchange->type = "application/json";
	if (state->login != LOGIN_BY_CODE) {
		put_caller(caller, &exchange->reply);
		return;
	}
	/* A browser that came from another site does not send the new cookie to "/" yet; the page's own requests do. */
	exchange->status = 303;
	exchange->type = "text/plain; charset=utf-8";
	http_header_add(exchange, "Location", "/");
	http_header_add(exchange, "Referrer-Policy", "no-referrer");
}
