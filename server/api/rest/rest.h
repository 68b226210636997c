/*
 * REST over the RPCs: which method and path is which RPC (paths.def), and what of an HTTP request becomes which field of
 * the RPC's request. Knows no sockets.
 */
#ifndef BURSAR_API_REST_REST_H
#define BURSAR_API_REST_REST_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* One row of paths.def, which explains its columns. An RPC may have several. */
struct rest_row {
	const char *rpc; /* "/bursar.v1.Admin/PutTier", as rpc_method.path has it */
	const char *method; /* "PUT" */
	const char *path; /* "/v1/tiers/{tier.name}" */
	const char *body; /* "*", the name of a field, or NULL */
	const char *lift; /* the name of a field, or NULL */
	bool stream; /* answers with a stream */
};

extern const struct rest_row rest_rows[];
extern const size_t rest_rows_count;

/* One row of others.def. */
enum rest_other_kind { REST_NO_OTHER, REST_AUTHORIZE, REST_QUOTAS };
struct rest_other {
	struct rest_row row; /* without body and lift; `path` has no variables */
	const char *operation; /* "getQuotas" */
	enum rest_other_kind kind;
};
enum { REST_OTHERS = 4 };
extern const struct rest_other rest_others[REST_OTHERS];

/* Of what kind the path is; REST_NO_OTHER for the paths of paths.def, and for those that do not exist. */
enum rest_other_kind rest_other_kind(const char *path) __attribute__((pure));

/* The name of the row's RPC, without its service: "PutTier". */
const char *rest_rpc_name(const struct rest_row *row) __attribute__((returns_nonnull));

/* The descriptor of the row's RPC: its request is ->input, its answer ->output, each message of a stream. */
const ProtobufCMethodDescriptor *rest_rpc(const struct rest_row *row) __attribute__((returns_nonnull));

/* The row's path for people: "/v1/tiers/{name}" of "/v1/tiers/{tier.name}". */
enum { REST_SHOWN_MAX = 96 };
const char *rest_shown(const struct rest_row *row, char out[REST_SHOWN_MAX]) __attribute__((returns_nonnull));

/* A longer path is not found; a longer query string or name in it is refused. */
enum { REST_PATH_MAX = 8192, REST_QUERY_MAX = 16384, REST_VARIABLES_MAX = 4 };

/* The segments that matched a row's variables, in their order and still percent-encoded; they point into the path. */
struct rest_match {
	struct rest_segment {
		const char *text;
		size_t len;
	} variable[REST_VARIABLES_MAX];
	size_t count;
	/* Of a path that exists, for the header Allow: "GET, HEAD, PUT". Else "". */
	char allow[48];
};

/*
 * The row of a request whose target has the path (without "?" and what follows). HEAD is looked up like GET. NULL: `err`
 * is ERR_NOT_FOUND with the reason PATH_NOT_FOUND; or ERR_UNIMPLEMENTED with the reason METHOD_NOT_ALLOWED, when
 * match->allow says which methods the path has (the HTTP status is 405).
 */
const struct rest_row *rest_find(
	const char *method, const char *path, size_t len, struct rest_match *match, struct err *err);

/*
 * Fills `into`, an initialised message of rest_rpc(row)->input, from the variables, the query (after "?", NULL or "" for
 * none) and the body. ERR_INVALID with the field's path, or with the query parameter's name, when something is not right.
 * The message then is valid protobuf, but not checked against fields.def. Its memory is the arena's.
 */
bool rest_request(const struct rest_row *row, const struct rest_match *match, const char *query, const char *body,
	size_t body_len, ProtobufCMessage *into, struct arena *arena, struct err *err)
	__attribute__((warn_unused_result));

/*
 * A query parameter that the server reads itself, such as `deny_status` of POST /v1/check (parameters.c lists them): copies
 * its value, as it is, into `out`. False when the row has no such parameter, or the query does not give it.
 */
bool rest_extra_value(const struct rest_row *row, const char *query, const char *name, char *out, size_t size);

/* Appends docs/http-paths.md. */
void rest_print_docs(struct buf *out);

#endif
