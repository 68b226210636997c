/* Starts the gRPC server as a whole; stop.c stops it. */
#include "rpc/server.h"

#include <grpc/compression.h>
#include <grpc/grpc_security.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <string.h>

#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/unconst.h"
#include "rpc/internal.h"

enum { DEFAULT_MAX_CALLS = 10000, MAX_STREAMS_A_CONNECTION = 1000 };
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

static void add_queues(struct rpc_server *server)
{
	server->workers = mem_zalloc(server->options.workers, sizeof(server->workers[0]));
	for (unsigned i = 0; i < server->options.workers; i++) {
		struct rpc_worker *worker = &server->workers[i];

		worker->server = server;
		worker->index = i;
		worker->queue = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(server->grpc, worker->queue, NULL);
	}
	server->shutdown_queue = grpc_completion_queue_create_for_pluck(NULL);
}

static size_t count_methods(const struct rpc_method *const *tables)
{
	size_t count = 0;

	for (; *tables; tables++)
		for (const struct rpc_method *row = *tables; row->path; row++)
			count++;
	return count;
}

static bool add_method(struct rpc_server *server, const struct rpc_method *row, struct err *err)
{
	struct method *method = &server->methods[server->method_count++];

	method->row = row;
	method->metric = metrics_method(row->path);
	method->registered = grpc_server_register_method(server->grpc, row->path, NULL,
		row->kind == RPC_STREAMS ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
	if (!method->registered)
		return err_set(err, ERR_INTERNAL, "the method %s is registered twice", row->path);
	return true;
}

static int compare_methods(const void *a, const void *b)
{
	const struct method *const *left = a, *const *right = b;

	return strcmp((*left)->row->path, (*right)->row->path);
}

/* After this, `methods` no longer moves. */
static void sort_methods(struct rpc_server *server)
{
	server->sorted = mem_zalloc(server->method_count, sizeof(server->sorted[0]));
	for (size_t i = 0; i < server->method_count; i++)
		server->sorted[i] = &server->methods[i];
	qsort(server->sorted, server->method_count, sizeof(server->sorted[0]), compare_methods);
}

static bool add_methods(struct rpc_server *server, struct err *err)
{
	static const struct rpc_method unknown = {.path = "unknown"};

	server->methods = mem_zalloc(count_methods(server->options.tables) + 1, sizeof(server->methods[0]));
	for (const struct rpc_method *const *table = server->options.tables; *table; table++)
		for (const struct rpc_method *row = *table; row->path; row++)
			if (!add_method(server, row, err))
				return false;
	server->methods[server->method_count++] =
		(struct method){.row = &unknown, .metric = metrics_method(unknown.path)};
	sort_methods(server);
	return true;
}

static bool bind_port(struct rpc_server *server, struct err *err)
{
	const struct rpc_tls *tls = &server->options.tls;
	bool secure = tls->cert && tls->cert[0];
	grpc_server_credentials *credentials =
		secure ? tls_credentials(tls, &server->tls_files, err) : grpc_insecure_server_credentials_create();
	int port;

	if (!credentials)
		return false;
	port = grpc_server_add_http2_port(server->grpc, server->options.listen, credentials);
	grpc_server_credentials_release(credentials);
	if (!port && secure)
		return err_invalid(err, "tls_cert",
			"cannot be served on %s: the address is in use or not local, or certificate and key do not "
			"belong together",
			server->options.listen);
	if (!port)
		return err_set(err, ERR_UNAVAILABLE,
			"cannot listen on %s: the address is in use, not allowed or not local", server->options.listen);
	server->port = strncmp(server->options.listen, "unix:", 5) == 0 ? 0 : port;
	return true;
}

/* gRPC's own messages are mostly about callers, who could flood the log with them: for debugging only. */
static void log_library(gpr_log_func_args *args)
{
	log_debug("message from gRPC", F("file", args->file), FI("line", args->line), F("text", args->message));
}

struct rpc_server *rpc_server_start(const struct rpc_options *options, struct err *err)
{
	struct rpc_server *server = mem_zalloc(1, sizeof(*server));
	struct listening before;

	gpr_set_log_function(log_library);
	grpc_init();
	server->options = *options;
	if (!server->options.max_calls)
		server->options.max_calls = DEFAULT_MAX_CALLS;
	server->grpc = server_create(&server->options);
	add_queues(server);
	listening_find(&before);
	if (!add_methods(server, err) || !bind_port(server, err)) {
		/* gRPC requires a shutdown before it destroys a server, even one that never started. */
		server_shut_grpc(server);
		for (unsigned i = 0; i < server->options.workers; i++)
			grpc_completion_queue_shutdown(server->workers[i].queue);
		listening_release(&before);
		server_free(server);
		return NULL;
	}
	grpc_server_start(server->grpc);
	listening_find(&server->listening);
	listening_subtract(&server->listening, &before);
	listening_release(&before);
	for (unsigned i = 0; i < server->options.workers; i++)
		worker_start(&server->workers[i]);
	return server;
}

int rpc_server_port(const struct rpc_server *server)
{
	return server->port;
}

const struct method *rpc_server_method(const struct rpc_server *server, const char *path)
{
	const struct rpc_method row = {.path = path};
	const struct method wanted = {.row = &row}, *key = &wanted;
	const struct method *const *found =
		bsearch(&key, server->sorted, server->method_count, sizeof(server->sorted[0]), compare_methods);

	return found && (*found)->registered ? *found : NULL;
}

struct rpc_worker *rpc_server_worker(const struct rpc_server *server, unsigned number)
{
	return &server->workers[number % server->options.workers];
}
