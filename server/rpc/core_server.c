/* gRPC core as the transport of a server (rpc/transport.h). */
#include <grpc/compression.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>

#include "base/observe/log.h"
#include "base/unconst.h"
#include "rpc/core.h"
#include "rpc/listen/tls.h"

enum { MAX_STREAMS_A_CONNECTION = 1000 };
#define MEMORY_MIN ((size_t)64 << 20)
#define CALL_BYTES ((size_t)32 << 10)
#define MESSAGES_ARRIVING ((size_t)64)

static grpc_arg int_arg(const char *key, int value)
{
	return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = unconst(key), .value = {.integer = value}};
}

/*
 * What gRPC may hold for all callers together: room for each call that workers can hold, and for messages that are
 * arriving. gRPC reads a message before its caller is authenticated, and one connection could start a thousand that
 * never end. Above the quota, gRPC ends streams of the callers that hold the most.
 */
static grpc_resource_quota *quota_create(const struct rpc_options *options)
{
	grpc_resource_quota *quota = grpc_resource_quota_create("callers");

	grpc_resource_quota_resize(quota, MEMORY_MIN + options->workers * options->max_calls * CALL_BYTES +
						  MESSAGES_ARRIVING * options->max_message_bytes);
	return quota;
}

static grpc_server *server_create(const struct rpc_options *options)
{
	grpc_resource_quota *quota = quota_create(options);
	grpc_arg args[] = {
		{.type = GRPC_ARG_POINTER,
			.key = unconst(GRPC_ARG_RESOURCE_QUOTA),
			.value = {.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()}}},
		int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)options->max_message_bytes),
		int_arg(GRPC_ARG_ALLOW_REUSEPORT, options->reuse_port),
		int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, MAX_STREAMS_A_CONNECTION),
		/* No compression: a compressed request could expand to a thousand times the size limit. */
		int_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE),
		int_arg(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
		/*
		 * A caller whose machine vanishes while they hold a slot of a pool is noticed within 15 s. Connections
		 * without calls are not pinged, and clients that ping an idle connection are not disconnected. A stream
		 * that only holds a slot has pings but no data; gRPC would stop after two such pings unless told
		 * otherwise.
		 */
		int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, 10000),
		int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000),
		int_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0),
		int_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
		int_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000),
	};
	grpc_channel_args all = {.num_args = sizeof(args) / sizeof(args[0]), .args = args};

	grpc_server *server = grpc_server_create(&all, NULL);

	grpc_resource_quota_unref(quota);
	return server;
}

static void add_queues(struct core_server *core)
{
	for (unsigned i = 0; i < core->server.options.workers; i++) {
		struct core_worker *worker = core_worker_of(core->server.workers[i]);

		worker->queue = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(core->grpc, worker->queue, NULL);
	}
	core->shutdown_queue = grpc_completion_queue_create_for_pluck(NULL);
}

static void register_methods(struct core_server *core)
{
	const struct rpc_server *server = &core->server;

	core->registered = mem_zalloc(server->method_count, sizeof(core->registered[0]));
	for (size_t i = 0; i < server->method_count; i++) {
		const struct rpc_method *row = server->methods[i].row;

		if (row->handle)
			core->registered[i] = grpc_server_register_method(core->grpc, row->path, NULL,
				row->kind == RPC_STREAMS ? GRPC_SRM_PAYLOAD_NONE
							 : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
				0);
	}
}

static bool bind_port(struct core_server *core, struct err *err)
{
	const struct rpc_options *options = &core->server.options;
	bool secure = options->tls.cert && options->tls.cert[0];
	grpc_server_credentials *credentials = secure ? tls_credentials(&options->tls, &core->tls_files, err)
						      : grpc_insecure_server_credentials_create();
	int port;

	if (!credentials)
		return false;
	port = grpc_server_add_http2_port(core->grpc, options->listen, credentials);
	grpc_server_credentials_release(credentials);
	if (!port && secure)
		return err_invalid(err, "tls_cert",
			"cannot be served on %s: the address is in use or not local, or certificate and key do not "
			"belong together",
			options->listen);
	if (!port)
		return err_set(err, ERR_UNAVAILABLE,
			"cannot listen on %s: the address is in use, not allowed or not local", options->listen);
	core->server.port = strncmp(options->listen, "unix:", 5) == 0 ? 0 : port;
	return true;
}

/* gRPC's own messages are mostly about callers, who could flood the log with them: for debugging only. */
static void log_library(gpr_log_func_args *args)
{
	log_debug("message from gRPC", F("file", args->file), FI("line", args->line), F("text", args->message));
}

static void core_stop_listening(struct rpc_server *server)
{
	listening_shut(&core_server_of(server)->listening);
}

static void core_shut(struct rpc_server *server)
{
	struct core_server *core = core_server_of(server);
	grpc_event event;

	/* This must come before the shutdown, which would turn UNAVAILABLE into CANCELLED. */
	grpc_server_cancel_all_calls(core->grpc);
	grpc_server_shutdown_and_notify(core->grpc, core->shutdown_queue, core);
	do
		event = grpc_completion_queue_pluck(
			core->shutdown_queue, core, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	while (event.type != GRPC_OP_COMPLETE);
}

static bool core_start(struct rpc_server *server, struct err *err)
{
	struct core_server *core = core_server_of(server);
	struct listening before;

	gpr_set_log_function(log_library);
	grpc_init();
	core->grpc = server_create(&server->options);
	add_queues(core);
	register_methods(core);
	listening_find(&before);
	if (!bind_port(core, err)) {
		/* gRPC requires a shutdown before it destroys a server, even one that never started. */
		core_shut(server);
		for (unsigned i = 0; i < server->options.workers; i++)
			grpc_completion_queue_shutdown(core_worker_of(server->workers[i])->queue);
		listening_release(&before);
		return false;
	}
	grpc_server_start(core->grpc);
	listening_find(&core->listening);
	listening_subtract(&core->listening, &before);
	listening_release(&before);
	return true;
}

static void core_release(struct rpc_server *server)
{
	struct core_server *core = core_server_of(server);

	grpc_server_destroy(core->grpc);
	for (unsigned i = 0; i < server->options.workers; i++)
		grpc_completion_queue_destroy(core_worker_of(server->workers[i])->queue);
	grpc_completion_queue_shutdown(core->shutdown_queue);
	grpc_completion_queue_destroy(core->shutdown_queue);
	free(core->registered);
	tls_files_free(core->tls_files);
	listening_release(&core->listening);
	grpc_shutdown_blocking();
}

const struct rpc_transport core_transport = {
	.server_size = sizeof(struct core_server),
	.worker_size = sizeof(struct core_worker),
	.start = core_start,
	.worker_open = core_worker_open,
	.stop_listening = core_stop_listening,
	.shut = core_shut,
	.worker_idle = core_worker_idle,
	.worker_close = core_worker_close,
	.worker_release = core_worker_release,
	.release = core_release,
};
