/*
 * The API under /api/quotas, in the words that web front ends use (camelCase, USD, RFC 3339): other names for RPCs that
 * exist. docs/quotas-api.md describes it.
 */
#ifndef BURSAR_API_SEED_SEED_H
#define BURSAR_API_SEED_SEED_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* A request's target and body, as they arrived. */
struct seed_request {
	const char *method, *path, *query, *body;
	size_t body_len;
	const char *request_id; /* the caller's Idempotency-Key; NULL when there is none */
	struct arena *arena;
};

/* The RPC that a request means; lives in the request's arena. */
struct seed_call {
	const char *rpc; /* "/bursar.v1.Limiter/GetStatus" */
	ProtobufCMessage *message;
	const char *user, *action; /* of a POST */
	const char *allow; /* of a path that lacks the method: for the header Allow; else NULL */
};

/* A request whose path is of the kind REST_QUOTAS. ERR_UNIMPLEMENTED with the reason METHOD_NOT_ALLOWED, or ERR_INVALID naming the parameter or the member. */
bool seed_read(const struct seed_request *request, struct seed_call *call, struct err *err)
	__attribute__((warn_unused_result));
/* Appends the answer of the call's RPC. */
void seed_write(const struct seed_call *call, const ProtobufCMessage *answer, struct buf *out);

#endif
