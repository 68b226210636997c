/* Which query parameters a row takes: the router reads them, and OpenAPI describes them. */
#ifndef BURSAR_API_REST_PARAMETERS_H
#define BURSAR_API_REST_PARAMETERS_H

#include "api/rest/query.h"
#include "api/rest/rest.h"

enum { REST_PARAMETERS_MAX = 32 };

/* One query parameter: a scalar or repeated scalar field, of the request or of the message that the row lifts. */
struct rest_parameter {
	const ProtobufCFieldDescriptor *field; /* its name is the parameter's */
	const ProtobufCMessageDescriptor *message; /* whose field it is */
	bool lifted;
};

size_t rest_parameters(const struct rest_row *row, struct rest_parameter out[REST_PARAMETERS_MAX]);

/* Does a variable of the row's path fill the field at `path` ("ref.id")? */
bool rest_in_path(const struct rest_row *row, const char *path);

/*
 * A parameter of a path that is not a field of the request: the server reads it itself (rest_extra_value). `also` is a
 * second name, the one that OpenAPI has: Python clients of openapi-python-client 0.29 have a variable `headers` of their own.
 */
enum { REST_EXTRA_VALUES = 4 };
struct rest_extra {
	const char *path, *name, *also, *values[REST_EXTRA_VALUES], *initial, *doc;
};
extern const struct rest_extra rest_extras[];
extern const size_t rest_extras_count;

/* The extra parameter that the path takes under this name; NULL when there is none. */
const struct rest_extra *rest_extra_find(const char *path, const char *name);
bool rest_extra_is(const struct rest_extra *extra, const char *name) __attribute__((pure));
/* ERR_INVALID when the value is none of its values. */
bool rest_extra_check(const struct rest_extra *extra, struct rest_text value, struct err *err)
	__attribute__((warn_unused_result));

/*
 * What the header Idempotency-Key of a row fills: "request_id", or "check.request_id" of an acquisition; NULL when there
 * is no such field, and where nothing is sent (a row without a body).
 */
const char *rest_idempotency_field(const struct rest_row *row);
/* What the header Last-Event-ID of a row fills: "after"; NULL when there is no such field. */
const char *rest_cursor_field(const struct rest_row *row);

/*
 * GET /v1/authorize (api/door/authorize.c). One request says these fields of its check in headers, and the query says
 * which: `header` is read without being named, "" means none. Only the user's is: proxies pass their callers' headers on,
 * and whoever can choose the id of a request can repeat it for nothing.
 */
struct rest_part {
	const char *parameter, *header, *field, *doc;
};
extern const struct rest_part rest_authorize_parts[];
enum { REST_AUTHORIZE_PARTS = 6 };

/* Fields that the query sets for all requests; of the parts, for those without the header. NULL ends the list. */
extern const char *const rest_authorize_fields[];

#endif
