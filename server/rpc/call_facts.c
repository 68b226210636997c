/* What a call carries (rpc/call.h), from its carrier or from its own fields. */
#include <assert.h>
#include <string.h>

#include "rpc/internal.h"

const uint8_t *call_request(const struct call *call, size_t *len)
{
	return call->carrier->request(call, len);
}

void call_forget_request(struct call *call)
{
	call->carrier->forget_request(call);
}

struct arena *call_arena(struct call *call)
{
	return &call->arena;
}

const char *call_path(const struct call *call)
{
	return call->method->row->path;
}

unsigned call_access(const struct call *call)
{
	return call->method->row->access;
}

bool call_serves(const struct call *call, const char *service)
{
	const struct rpc_server *server = call->worker->server;
	size_t len = strlen(service);

	for (size_t i = 0; i < server->method_count; i++) {
		const char *path = server->methods[i].row->path;

		if (path[0] == '/' && strncmp(path + 1, service, len) == 0 && path[1 + len] == '/')
			return true;
	}
	return false;
}

const char *call_peer(struct call *call)
{
	return call->carrier->peer(call);
}

bool call_metadata(const struct call *call, const char *name, const char **value, size_t *len)
{
	return call->carrier->metadata(call, name, value, len);
}

const char *call_session(const struct call *call)
{
	return call->carrier->session ? call->carrier->session(call) : NULL;
}

bool call_needs_proof(const struct call *call)
{
	return call->carrier->needs_proof && call->carrier->needs_proof(call);
}

bool call_certificate_names(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg)
{
	return call->carrier->certificate_names(call, each, arg);
}

const char *call_certificate(struct call *call)
{
	return call->carrier->certificate(call);
}

int64_t call_deadline_us(const struct call *call)
{
	return call->carrier->deadline_us(call);
}

void call_set_caller(struct call *call, struct caller *caller)
{
	call->caller = caller;
}

struct caller *call_caller(const struct call *call)
{
	return call->caller;
}

void call_on_ended(struct call *call, void (*ended)(bool unread, void *ctx), void *ctx, size_t bytes)
{
	call->on_ended = ended;
	call->ended_ctx = ctx;
	call->ended_bytes = bytes;
}

void call_on_drain(struct call *call, void (*draining)(struct call *call, void *ctx), void *ctx)
{
	call->on_drain = draining;
	call->drain_ctx = ctx;
}

bool call_draining(const struct call *call)
{
	return call->worker->draining;
}

bool call_draining_error(struct err *err)
{
	err_set(err, ERR_UNAVAILABLE, "the server is stopping: reconnect");
	return err_reason(err, "DRAINING");
}

uint8_t *call_room(struct call *call, size_t n)
{
	return call->carrier->room(call, n);
}

void call_read(struct call *call, void (*got)(struct call *call, const uint8_t *bytes, size_t n, void *ctx), void *ctx)
{
	assert(!call->got && !call->answered && call->carrier->read);
	call->got = got;
	call->got_ctx = ctx;
	call->carrier->read(call);
}
