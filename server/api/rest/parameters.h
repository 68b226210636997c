/* Which query parameters a row takes: the router reads them, and OpenAPI describes them. */
#ifndef BURSAR_API_REST_PARAMETERS_H
#define BURSAR_API_REST_PARAMETERS_H

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

#endif
