/* The servers of a connection: a channel each, and which of them the next call goes to. Declared in internal.h. */
#include "c/internal.h"

#include <stdlib.h>
#include <string.h>

/* DOWN_US: how long a server that did not answer is passed over. */
enum { ANSWER_SIZE_MAX = 64 << 20, DOWN_US = 1000000 };

static grpc_channel *make_channel(const char *address, grpc_channel_credentials *credentials)
{
	/* We make our own attempts, and a proxy from the environment cannot reach a server on loopback. */
	grpc_arg args[] = {
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_RETRIES, {.integer = 0}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_HTTP_PROXY, {.integer = 0}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_CHANNELZ, {.integer = 0}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, {.integer = 1}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, {.integer = ANSWER_SIZE_MAX}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, {.integer = 100}},
		/* Despite its name, how long connecting may take: long enough for a slow line or a busy server. */
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, {.integer = 5000}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, {.integer = 1000}},
		/* The holder of a lease must notice a silent server well before the lease ends. */
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_KEEPALIVE_TIME_MS, {.integer = 10000}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_KEEPALIVE_TIMEOUT_MS, {.integer = 5000}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, {.integer = 0}},
	};
	grpc_channel_args list = {sizeof(args) / sizeof(*args), args};

	return grpc_channel_create(address, credentials, &list);
}

static void server_open(struct bursar__server *server, const char *address, grpc_channel_credentials *credentials)
{
	server->channel = make_channel(address, credentials);
	for (int i = 0; i < BURSAR_METHODS; i++)
		server->registered[i] =
			grpc_channel_register_call(server->channel, bursar__methods[i].path, NULL, NULL);
	for (int i = 0; i < BURSAR_STREAMS; i++)
		server->registered_streams[i] =
			grpc_channel_register_call(server->channel, bursar__stream_methods[i].path, NULL, NULL);
}

void bursar__servers_open(struct bursar *bursar, char *addresses, grpc_channel_credentials *credentials)
{
	char *rest = addresses, *address;
	size_t count = 1;

	for (const char *p = addresses; *p; p++)
		count += *p == ',';
	bursar->servers = calloc(count, sizeof(*bursar->servers));
	if (!bursar->servers)
		abort();
	while ((address = strsep(&rest, ",")) != NULL)
		server_open(&bursar->servers[bursar->server_count++], address, credentials);
	grpc_channel_credentials_release(credentials);
	/* The programs of a fleet do not all begin with the same one. */
	if (bursar->server_count > 1) {
		char random[33];

		bursar_request_id(random);
		bursar->next_server = (size_t)strtoul(random + 24, NULL, 16) % bursar->server_count;
	}
}

void bursar__servers_share(struct bursar *line, const struct bursar *bursar)
{
	line->servers = calloc(bursar->server_count, sizeof(*line->servers));
	if (!line->servers)
		abort();
	memcpy(line->servers, bursar->servers, bursar->server_count * sizeof(*line->servers));
	line->server_count = bursar->server_count;
	line->next_server = bursar->next_server;
}

void bursar__servers_close(struct bursar *bursar)
{
	for (size_t i = 0; !bursar->is_line && i < bursar->server_count; i++)
		grpc_channel_destroy(bursar->servers[i].channel);
	free(bursar->servers);
}

struct bursar__server *bursar__server_next(struct bursar *bursar)
{
	struct bursar__server *best = NULL;
	int64_t now = bursar->server_count > 1 ? bursar__now_us() : 0;

	for (size_t i = 0; i < bursar->server_count; i++) {
		struct bursar__server *server = &bursar->servers[bursar->next_server++ % bursar->server_count];

		if (server->down_until_us <= now)
			return server;
		if (!best || server->down_until_us < best->down_until_us)
			best = server;
	}
	return best; /* all are down: the one that has been so for the longest */
}

void bursar__server_down(struct bursar__server *server)
{
	server->down_until_us = bursar__now_us() + DOWN_US;
}

bool bursar__server_up(const struct bursar *bursar)
{
	int64_t now = bursar__now_us();

	for (size_t i = 0; i < bursar->server_count; i++)
		if (bursar->servers[i].down_until_us <= now)
			return true;
	return false;
}
