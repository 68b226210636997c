/* Starts a server as a whole, whatever brings its calls; stop.c stops it. */
#include "rpc/server.h"

#include <stdlib.h>
#include <string.h>

#include "base/observe/metrics.h"
#include "rpc/internal.h"

enum { DEFAULT_MAX_CALLS = 10000 };

static size_t count_methods(const struct rpc_method *const *tables)
{
	size_t count = 0;

	for (; *tables; tables++)
		for (const struct rpc_method *row = *tables; row->path; row++)
			count++;
	return count;
}

static void add_method(struct rpc_server *server, const struct rpc_method *row)
{
	server->methods[server->method_count++] = (struct method){.row = row, .metric = metrics_method(row->path)};
}

static int compare_methods(const void *a, const void *b)
{
	const struct method *const *left = a, *const *right = b;

	return strcmp((*left)->row->path, (*right)->row->path);
}

/* After this, `methods` no longer moves. */
static bool sort_methods(struct rpc_server *server, struct err *err)
{
	server->sorted = mem_zalloc(server->method_count, sizeof(server->sorted[0]));
	for (size_t i = 0; i < server->method_count; i++)
		server->sorted[i] = &server->methods[i];
	qsort(server->sorted, server->method_count, sizeof(server->sorted[0]), compare_methods);
	for (size_t i = 1; i < server->method_count; i++)
		if (compare_methods(&server->sorted[i - 1], &server->sorted[i]) == 0)
			return err_set(
				err, ERR_INTERNAL, "the method %s is registered twice", server->sorted[i]->row->path);
	return true;
}

static bool add_methods(struct rpc_server *server, struct err *err)
{
	static const struct rpc_method unknown = {.path = "unknown"};

	server->methods = mem_zalloc(count_methods(server->options.tables) + 1, sizeof(server->methods[0]));
	for (const struct rpc_method *const *table = server->options.tables; *table; table++)
		for (const struct rpc_method *row = *table; row->path; row++)
			add_method(server, row);
	add_method(server, &unknown);
	return sort_methods(server, err);
}

static void add_workers(struct rpc_server *server)
{
	server->workers = mem_zalloc(server->options.workers, sizeof(struct rpc_worker *));
	for (unsigned i = 0; i < server->options.workers; i++) {
		server->workers[i] = mem_zalloc(1, server->transport->worker_size);
		server->workers[i]->server = server;
		server->workers[i]->index = i;
	}
}

struct rpc_server *rpc_server_start(const struct rpc_options *options, struct err *err)
{
	const struct rpc_transport *transport = options->transport ? options->transport : &core_transport;
	struct rpc_server *server = mem_zalloc(1, transport->server_size);

	server->transport = transport;
	server->options = *options;
	if (!server->options.max_calls)
		server->options.max_calls = DEFAULT_MAX_CALLS;
	add_workers(server);
	if (!add_methods(server, err)) {
		server_free(server);
		return NULL;
	}
	if (!transport->start(server, err)) {
		transport->release(server);
		server_free(server);
		return NULL;
	}
	for (unsigned i = 0; i < server->options.workers; i++)
		worker_start(server->workers[i]);
	return server;
}

void server_free(struct rpc_server *server)
{
	for (unsigned i = 0; i < server->options.workers; i++)
		free(server->workers[i]);
	free((void *)server->workers);
	free((void *)server->sorted);
	free(server->methods);
	free(server);
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

	return found && (*found)->row->handle ? *found : NULL;
}

struct rpc_worker *rpc_server_worker(const struct rpc_server *server, unsigned number)
{
	return server->workers[number % server->options.workers];
}
