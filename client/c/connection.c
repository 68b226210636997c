/* The connection: calls in flight on one completion queue, sent again where no answer came. */
#include "c/internal.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

enum { FIRST_PAUSE_US = 50000, LONGEST_PAUSE_US = 1000000, ANSWER_SIZE_MAX = 64 << 20 };

/* One call through all its attempts. */
struct call {
	struct event event; /* the attempt that is running has ended */
	struct call *next, *prev;
	struct bursar *bursar;
	enum bursar_method method;
	bursar_done *done;
	void *ctx;
	grpc_byte_buffer *request; /* kept for the next attempt */
	int64_t deadline_us;
	int64_t due_us; /* when it is sent again; meaningless while `attempt` is running */
	int attempts;
	/* The attempt that is running; NULL while the call waits. */
	grpc_call *attempt;
	grpc_byte_buffer *sent; /* a batch empties the buffer that it sends, so each attempt sends a copy */
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *answer;
	grpc_status_code status;
	grpc_slice status_text;
};

int64_t now_us(void)
{
	gpr_timespec now = gpr_now(GPR_CLOCK_MONOTONIC);

	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

gpr_timespec at_us(int64_t us)
{
	return (gpr_timespec){
		.tv_sec = us / 1000000, .tv_nsec = (int32_t)(us % 1000000) * 1000, .clock_type = GPR_CLOCK_MONOTONIC};
}

static bool address_is_right(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (strncmp(address, "unix:", 5) == 0)
		return address[5] != '\0';
	if (!colon || colon == address || !colon[1] || strlen(colon + 1) > 5 ||
		strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	for (const char *p = address; *p; p++)
		if (isspace((unsigned char)*p) || *p == '/')
			return false;
	return atoi(colon + 1) > 0 && atoi(colon + 1) < 65536;
}

static grpc_channel *make_channel(const char *address, grpc_channel_credentials *credentials)
{
	/* Our own attempts replace grpc's, and a proxy of the environment is none for a server on loopback. */
	grpc_arg args[] = {
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_RETRIES, {.integer = 0}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_HTTP_PROXY, {.integer = 0}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_CHANNELZ, {.integer = 0}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, {.integer = 1}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, {.integer = ANSWER_SIZE_MAX}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, {.integer = 100}},
		/* Whatever its name says: so long an attempt to connect may take. A handshake over a slow line, or with a busy server. */
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, {.integer = 5000}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, {.integer = 1000}},
		/* Who holds a lease by a stream has to notice well within the lease that the server has gone silent. */
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_KEEPALIVE_TIME_MS, {.integer = 10000}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_KEEPALIVE_TIMEOUT_MS, {.integer = 5000}},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, {.integer = 0}},
	};
	grpc_channel_args list = {sizeof(args) / sizeof(*args), args};
	grpc_channel *channel = grpc_channel_create(address, credentials, &list);

	grpc_channel_credentials_release(credentials);
	return channel;
}

struct bursar *bursar_open(const char *address, const struct bursar_options *options, struct bursar_error *error)
{
	struct bursar_options chosen = options ? *options : (struct bursar_options){0};
	grpc_channel_credentials *credentials;
	struct bursar *bursar;

	if (!address_is_right(address)) {
		error_field(error, "address", "'%s' is not an address%s; it looks like %s or unix:/run/bursar.sock",
			address, strstr(address, "://") ? ": write it without http://" : "", BURSAR_DEFAULT_ADDRESS);
		return NULL;
	}
	if (!key_is_right(chosen.key)) {
		error_field(error, "key",
			"is no key: one line, bsk_ and what follows it, as 'bursar key create' showed it");
		return NULL;
	}
	bursar = calloc(1, sizeof(*bursar));
	if (!bursar)
		abort();
	grpc_init();
	credentials = credentials_of(&chosen, error);
	if (!credentials) {
		free(bursar);
		grpc_shutdown_blocking();
		return NULL;
	}
	key_take(bursar, chosen.key);
	bursar->timeout_us = chosen.timeout_us > 0 ? chosen.timeout_us : 10000000;
	bursar->attempt_us = chosen.attempt_us > 0 ? chosen.attempt_us : 2000000;
	bursar->attempts = chosen.attempts > 0 ? chosen.attempts : 4;
	bursar->channel = make_channel(address, credentials);
	bursar->queue = grpc_completion_queue_create_for_next(NULL);
	for (int i = 0; i < BURSAR_METHODS; i++)
		bursar->registered[i] =
			grpc_channel_register_call(bursar->channel, bursar_method_table[i].path, NULL, NULL);
	for (int i = 0; i < BURSAR_STREAMS; i++)
		bursar->streamed[i] =
			grpc_channel_register_call(bursar->channel, bursar_stream_table[i].path, NULL, NULL);
	return bursar;
}

static size_t attempt_end(struct event *event, bool ok);

static void attempt_start(struct call *call)
{
	struct bursar *bursar = call->bursar;
	int64_t until = now_us() + bursar->attempt_us;
	grpc_byte_buffer *sent = grpc_byte_buffer_copy(call->request);
	grpc_op ops[] = {
		op_open(bursar),
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = sent},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA,
			.data.recv_initial_metadata.recv_initial_metadata = &call->initial},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->answer},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			.data.recv_status_on_client = {.trailing_metadata = &call->trailing,
				.status = &call->status,
				.status_details = &call->status_text}},
	};
	grpc_call_error failure;

	call->attempts++;
	call->sent = sent;
	call->status_text = grpc_empty_slice();
	call->answer = NULL;
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	call->attempt = grpc_channel_create_registered_call(bursar->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
		bursar->queue, bursar->registered[call->method],
		at_us(until < call->deadline_us ? until : call->deadline_us), NULL);
	failure = grpc_call_start_batch(call->attempt, ops, sizeof(ops) / sizeof(*ops), &call->event, NULL);
	if (failure != GRPC_CALL_OK) {
		fprintf(stderr, "bursar: grpc refused a batch: %s\n", grpc_call_error_to_string(failure));
		abort(); /* only a batch put together wrongly is refused */
	}
}

static void attempt_release(struct call *call)
{
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	grpc_slice_unref(call->status_text);
	if (call->answer)
		grpc_byte_buffer_destroy(call->answer);
	grpc_byte_buffer_destroy(call->sent);
	grpc_call_unref(call->attempt);
	call->attempt = NULL;
}

void bursar_submit(struct bursar *bursar, enum bursar_method method, const void *request, bursar_done *done, void *ctx)
{
	ProtobufCMessage *filled = ids_filled(method, request);
	const ProtobufCMessage *message = filled ? filled : request;
	struct call *call = calloc(1, sizeof(*call));
	grpc_slice bytes = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

	if (!call)
		abort();
	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(bytes));
	bursar_free(filled);
	call->event.done = attempt_end;
	call->bursar = bursar;
	call->method = method;
	call->done = done;
	call->ctx = ctx;
	call->request = grpc_raw_byte_buffer_create(&bytes, 1);
	grpc_slice_unref(bytes);
	call->deadline_us = now_us() + bursar->timeout_us;
	call->next = bursar->calls;
	if (call->next)
		call->next->prev = call;
	bursar->calls = call;
	bursar->in_flight++;
	if (!bursar->closing)
		attempt_start(call);
}

/* Takes the call off the connection, tells its owner, frees it. */
static void call_end(struct call *call, void *answer, const struct bursar_error *error)
{
	struct bursar *bursar = call->bursar;

	assert(call->prev ? bursar->calls != call : bursar->calls == call);
	if (call->prev)
		call->prev->next = call->next;
	else
		bursar->calls = call->next;
	if (call->next)
		call->next->prev = call->prev;
	bursar->in_flight--;
	call->done(call->ctx, answer, error);
	grpc_byte_buffer_destroy(call->request);
	free(call);
}

void *bytes_read(grpc_byte_buffer *bytes_in, const ProtobufCMessageDescriptor *descriptor, struct bursar_error *error)
{
	grpc_byte_buffer_reader reader;
	ProtobufCMessage *answer = NULL;

	if (bytes_in && grpc_byte_buffer_reader_init(&reader, bytes_in)) {
		grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);

		answer = protobuf_c_message_unpack(
			descriptor, NULL, GRPC_SLICE_LENGTH(bytes), GRPC_SLICE_START_PTR(bytes));
		grpc_slice_unref(bytes);
		grpc_byte_buffer_reader_destroy(&reader);
	}
	if (!answer) {
		error_set(error, BURSAR_INTERNAL, "the answer is not a well-formed %s", descriptor->name);
		error->from_server = true;
	}
	return answer;
}

void status_read(
	struct bursar_error *error, grpc_status_code status, grpc_slice message, const grpc_metadata_array *trailing)
{
	char *text = grpc_slice_to_c_string(message);
	const uint8_t *details = NULL;
	size_t len = 0;

	for (size_t i = 0; i < trailing->count; i++) {
		grpc_metadata *item = &trailing->metadata[i];

		if (grpc_slice_str_cmp(item->key, "grpc-status-details-bin") == 0) {
			details = GRPC_SLICE_START_PTR(item->value);
			len = GRPC_SLICE_LENGTH(item->value);
		}
	}
	error_from_status(error, (int)status, text, details, len);
	gpr_free(text);
}

/* Is there time and a right to send it once more? Then it waits until `due_us`: twice as long each time. */
static bool call_again(struct call *call, const struct bursar_error *error)
{
	int64_t pause = FIRST_PAUSE_US, now = now_us();
	unsigned char jitter[33];

	if (error->code != BURSAR_UNAVAILABLE && error->code != BURSAR_DEADLINE_EXCEEDED)
		return false;
	if (call->bursar->closing || call->attempts >= call->bursar->attempts)
		return false;
	for (int i = 1; i < call->attempts && pause < LONGEST_PAUSE_US; i++)
		pause *= 2;
	bursar_request_id((char *)jitter);
	pause += pause * (jitter[0] % 16) / 32; /* so that a fleet does not come back in step */
	if (pause < error->retry_after_us)
		pause = error->retry_after_us;
	if (pause >= call->deadline_us - now)
		return false;
	call->due_us = now + pause;
	return true;
}

static size_t attempt_end(struct event *event, bool ok)
{
	struct call *call = (struct call *)event; /* its first member */
	struct bursar_error error = {0};
	void *answer = NULL;

	(void)ok; /* the status says more */
	if (call->status == GRPC_STATUS_OK)
		answer = bytes_read(call->answer, bursar_method_table[call->method].answer, &error);
	else
		status_read(&error, call->status, call->status_text, &call->trailing);
	attempt_release(call);
	if (!answer && call_again(call, &error))
		return 0;
	call_end(call, answer, &error);
	return 1;
}

/* Sends what is due; answers when the next is, or `until`. */
static int64_t resend_due(struct bursar *bursar, int64_t until)
{
	int64_t now = now_us();

	for (struct call *call = bursar->calls; call; call = call->next) {
		if (call->attempt)
			continue;
		if (call->due_us <= now)
			attempt_start(call);
		else if (call->due_us < until)
			until = call->due_us;
	}
	return until;
}

static size_t event_done(grpc_event event)
{
	struct event *tag = event.tag;

	return tag->done(tag, event.success != 0);
}

size_t bursar_poll(struct bursar *bursar, int64_t timeout_us)
{
	int64_t until = now_us() + timeout_us;
	size_t ended = 0;

	for (;;) {
		/* After the first, only what has come already. */
		int64_t wait = ended ? 0 : resend_due(bursar, until);
		grpc_event event = grpc_completion_queue_next(bursar->queue, at_us(wait), NULL);

		if (event.type == GRPC_OP_COMPLETE)
			ended += event_done(event);
		else if (ended || now_us() >= until)
			return ended;
	}
}

size_t bursar_in_flight(const struct bursar *bursar)
{
	return bursar->in_flight;
}

void bursar_close(struct bursar *bursar)
{
	struct bursar_error error;

	if (!bursar)
		return;
	error_set(&error, BURSAR_CANCELLED, "the connection was closed");
	bursar->closing = true;
	for (struct call *call = bursar->calls; call; call = call->next)
		if (call->attempt)
			grpc_call_cancel(call->attempt, NULL);
	/*
	 * The first of the list each time: a callback may have submitted another, which is never sent. The analyser
	 * does not see that a call which has ended is off the list.
	 */
	while (bursar->calls) {
		if (!bursar->calls->attempt) // NOLINT(clang-analyzer-unix.Malloc)
			call_end(bursar->calls, NULL, &error);
		else
			event_done(
				grpc_completion_queue_next(bursar->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL));
	}
	while (bursar->streams) {
		bursar_stream_cancel(bursar->streams);
		event_done(grpc_completion_queue_next(bursar->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL));
	}
	grpc_completion_queue_shutdown(bursar->queue);
	while (grpc_completion_queue_next(bursar->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
		GRPC_QUEUE_SHUTDOWN)
		;
	grpc_completion_queue_destroy(bursar->queue);
	grpc_channel_destroy(bursar->channel);
	free(bursar->bearer);
	free(bursar);
	grpc_shutdown_blocking();
}
