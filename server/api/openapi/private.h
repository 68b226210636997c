/* Makes the OpenAPI document: what its parts share. */
#ifndef BURSAR_API_OPENAPI_PRIVATE_H
#define BURSAR_API_OPENAPI_PRIVATE_H

#include <jansson.h>

#include "api/openapi/comments.h"
#include "api/rest/rest.h"

struct openapi {
	json_t *document, *schemas;
	struct comments *comments;
	json_t *examples; /* examples.json */
	json_t *parts; /* parts.json: what no descriptor says */
	struct arena arena;
};

/*
 * A field of a request is IN_BODY, IN_ADDRESS as a variable or query parameter, a field of an answer IN_ANSWER. Requests
 * have bounds, answers say what is always there; a message that both have is two schemas, Limit and LimitInput.
 */
enum openapi_place { IN_ANSWER, IN_BODY, IN_ADDRESS };

/* A reference to the schema of a message, which is added with all that it contains. */
json_t *openapi_message(struct openapi *openapi, const ProtobufCMessageDescriptor *message, enum openapi_place place);

/* The schema of one field. */
json_t *openapi_field(struct openapi *openapi, const ProtobufCMessageDescriptor *message,
	const ProtobufCFieldDescriptor *field, enum openapi_place place);

/* The schema of a row's body, and whether there may be none. */
json_t *openapi_body(struct openapi *openapi, const struct rest_row *row, bool *needed);

/* The operation of a row. */
json_t *openapi_operation(struct openapi *openapi, const struct rest_row *row);

/* The operation of a row of others.def. */
json_t *openapi_other(struct openapi *openapi, const struct rest_other *other);

/* A field as a parameter "in" the path or the query; takes the example, which may be NULL. */
json_t *openapi_parameter(struct openapi *openapi, const char *in, const ProtobufCMessageDescriptor *message,
	const ProtobufCFieldDescriptor *field, json_t *example);
/* Appends the parameters of a path that the server reads itself. */
void openapi_add_extras(json_t *list, const char *path);
/* Adds the answers to refused and failed requests that any operation may have. */
void openapi_add_errors(json_t *responses);
/* Adds headers of the given groups of parts.json to an answer; NULL ends them. */
void openapi_add_headers(struct openapi *openapi, json_t *answer, const char *const *groups);

/* Adds `text` as the object's description, unless it is empty; releases it. */
void openapi_describe(json_t *object, struct buf *text);

/* The word of an enum's value in an address: "user" of ACCOUNT_KIND_USER. */
json_t *openapi_word(const ProtobufCEnumDescriptor *type, const char *name);

/* The row's example as the request's JSON, and the answer's, complete, as the server writes it. NULL when there is none. */
json_t *openapi_example(struct openapi *openapi, const struct rest_row *row);
json_t *openapi_example_answer(struct openapi *openapi, const struct rest_row *row);

/* What of the example is the row's body; NULL for none. */
json_t *openapi_example_body(struct openapi *openapi, const struct rest_row *row);

/* The example of a variable or a query parameter, by the field's path ("ref.id"); NULL for none. */
json_t *openapi_example_value(
	struct openapi *openapi, const struct rest_row *row, const char *path, const ProtobufCFieldDescriptor *field);

#endif
