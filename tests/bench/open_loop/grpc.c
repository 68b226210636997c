/* Checks of users in turn, or echoes of the same requests, over one or more connections. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/unconst.h"
#include "bursar/v1/limiter.pb-c.h"
#include "http2.h"
#include "target.h"

#define REQUEST_MAX 256

struct grpc_target {
	struct target base;
	struct grpc_target_options options;
	struct http2 *connection[TARGET_FDS_MAX];
	struct list open; /* struct exchange */
};

struct exchange {
	struct http2_call http2;
	struct list node;
	struct grpc_target *target;
	struct call *call;
	uint8_t request[REQUEST_MAX];
};

static const char *const path[] = {
	[METHOD_CHECK] = "/bursar.v1.Limiter/Check",
	[METHOD_ECHO] = "/bursar.bench.Floor/Echo",
};

/* Writes the request with its prefix and returns the length. */
static size_t make_request(const struct grpc_target *target, int64_t number, uint8_t to[REQUEST_MAX])
{
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	char user[32];
	uint32_t len;

	snprintf(user, sizeof(user), "user-%" PRId64, target->options.first_user + number % target->options.users);
	request.tenant = unconst(target->options.tenant);
	request.user = user;
	request.interface = unconst("telegram");
	request.input_tokens = 100;
	request.max_output_tokens = 50;
	len = htonl((uint32_t)bursar__v1__check_request__pack(&request, to + HTTP2_PREFIX));
	to[0] = 0;
	memcpy(to + 1, &len, sizeof(len));
	return HTTP2_PREFIX + ntohl(len);
}

static enum outcome read_check(const uint8_t *message, size_t len)
{
	Bursar__V1__CheckResponse *response = bursar__v1__check_response__unpack(NULL, len, message);
	enum outcome outcome = OUTCOME_FAILED;

	if (response != NULL)
		outcome = response->allowed ? OUTCOME_ALLOWED : OUTCOME_DENIED;
	bursar__v1__check_response__free_unpacked(response, NULL);
	return outcome;
}

/* What the answer says. Only a whole message that is not compressed says anything. */
static enum outcome read_answer(const struct exchange *exchange)
{
	const struct http2_call *http2 = &exchange->http2;
	uint32_t len;

	if (http2->answer_len < HTTP2_PREFIX || http2->answer_len > HTTP2_ANSWER_MAX || http2->answer[0] != 0)
		return OUTCOME_FAILED;
	memcpy(&len, http2->answer + 1, sizeof(len));
	if (ntohl(len) != http2->answer_len - HTTP2_PREFIX)
		return OUTCOME_FAILED;
	if (exchange->target->options.method == METHOD_CHECK)
		return read_check(http2->answer + HTTP2_PREFIX, ntohl(len));
	if (http2->answer_len == http2->request_len && memcmp(http2->answer, http2->request, http2->answer_len) == 0)
		return OUTCOME_ANSWERED;
	return OUTCOME_FAILED;
}

static void answered(struct http2_call *http2)
{
	struct exchange *exchange = container_of(http2, struct exchange, http2);
	struct calls *calls = exchange->target->base.calls;
	char failure[sizeof(calls->failure)];
	enum outcome outcome = OUTCOME_FAILED;

	exchange->call->sent_ns = http2->sent_ns;
	if (http2->status == 0)
		outcome = read_answer(exchange);
	if (http2->status != 0)
		snprintf(failure, sizeof(failure), "status %d: %s", http2->status, http2->message);
	else
		snprintf(failure, sizeof(failure), "%zu bytes are not the answer", http2->answer_len);
	calls_finish(calls, exchange->call, outcome, outcome == OUTCOME_FAILED ? failure : NULL);
	list_remove(&exchange->node);
	free(exchange);
}

static bool grpc_submit(struct target *base, struct call *call, struct err *err)
{
	struct grpc_target *target = container_of(base, struct grpc_target, base);
	struct exchange *exchange = mem_zalloc(1, sizeof(*exchange));
	size_t turn = (size_t)call->number % target->options.connections;

	exchange->target = target;
	exchange->call = call;
	exchange->http2.path = path[target->options.method];
	exchange->http2.request = exchange->request;
	exchange->http2.request_len = make_request(target, call->number, exchange->request);
	exchange->http2.done = answered;
	list_push_back(&target->open, &exchange->node);
	return http2_submit(target->connection[turn], &exchange->http2, err);
}

static bool grpc_flush(struct target *base, struct err *err)
{
	struct grpc_target *target = container_of(base, struct grpc_target, base);

	for (size_t i = 0; i < target->options.connections; i++)
		if (!http2_flush(target->connection[i], err))
			return false;
	return true;
}

static size_t grpc_wants(struct target *base, struct pollfd *fds)
{
	struct grpc_target *target = container_of(base, struct grpc_target, base);

	for (size_t i = 0; i < target->options.connections; i++)
		fds[i] = (struct pollfd){.fd = http2_fd(target->connection[i]),
			.events = (short)(http2_waits(target->connection[i]) ? POLLIN | POLLOUT : POLLIN)};
	return target->options.connections;
}

static bool grpc_receive(struct target *base, size_t index, struct err *err)
{
	struct grpc_target *target = container_of(base, struct grpc_target, base);

	return http2_receive(target->connection[index], err);
}

static void grpc_free(struct target *base)
{
	struct grpc_target *target = container_of(base, struct grpc_target, base);

	for (size_t i = 0; i < target->options.connections; i++)
		http2_free(target->connection[i]);
	list_each (&target->open, at, after) /* those of a connection that broke */
		free(container_of(at, struct exchange, node));
	free(target);
}

struct target *grpc_target_new(const struct grpc_target_options *options, struct calls *calls, struct err *err)
{
	static const struct target_ops ops = {grpc_submit, grpc_flush, grpc_wants, grpc_receive, grpc_free};
	struct grpc_target *target = mem_zalloc(1, sizeof(*target));

	target->base = (struct target){.ops = &ops, .calls = calls};
	target->options = *options;
	list_init(&target->open);
	for (size_t i = 0; i < options->connections; i++) {
		target->connection[i] = http2_new(options->address, options->key, err);
		if (target->connection[i] == NULL) {
			grpc_free(&target->base);
			return NULL;
		}
	}
	return &target->base;
}
