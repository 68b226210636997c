/* A connection: calls in flight on one completion queue, sent again when no answer came. Declared in bursar.h. */
#include "c/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/support/time.h>

/* SLICE_US: how soon a program that waits in bursar_poll is told that something is lost. */
enum { FIRST_PAUSE_US = 50000, LONGEST_PAUSE_US = 1000000, SLICE_US = 1000000 };

/* One call through all its attempts. */
struct bursar__call {
	struct bursar__event event; /* the current attempt has ended */
	struct bursar__call *next, *prev;
	struct bursar *bursar;
	enum bursar_method method;
	bursar_done *done;
	void *ctx;
	grpc_byte_buffer *request; /* kept for the next attempt */
	ProtobufCMessage *asked; /* of checks whose reservations will be renewed: what the caller asked for */
	int64_t deadline_us;
	int64_t due_us; /* when it is sent again; unused during an attempt */
	int attempts;
	/* The current attempt; NULL while the call waits for the next one. */
	grpc_call *attempt;
	struct bursar__server *server;
	grpc_byte_buffer *sent; /* a copy of `request`, as gRPC empties the buffer that it sends */
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *answer;
	grpc_status_code status;
	grpc_slice status_text;
};

struct bursar *bursar_open(const char *address, const struct bursar_options *options, struct bursar_error *error)
{
	struct bursar_options chosen = options ? *options : (struct bursar_options){0};
	grpc_channel_credentials *credentials;
	struct bursar *bursar;
	char *addresses;

	if (!bursar__key_valid(chosen.key)) {
		bursar__error_field(error, "key",
			"is not an API key: pass the line that 'bursar key create' printed, beginning with bsk_");
		return NULL;
	}
	addresses = bursar_addresses(address, error);
	if (!addresses)
		return NULL;
	bursar = calloc(1, sizeof(*bursar));
	if (!bursar)
		abort();
	grpc_init();
	credentials = bursar__credentials(&chosen, error);
	if (!credentials) {
		free(bursar);
		free(addresses);
		grpc_shutdown_blocking();
		return NULL;
	}
	bursar__key_set(bursar, chosen.key);
	bursar->timeout_us = chosen.timeout_us > 0 ? chosen.timeout_us : 10000000;
	bursar->attempt_us = chosen.attempt_us > 0 ? chosen.attempt_us : 2000000;
	bursar->attempts = chosen.attempts > 0 ? chosen.attempts : 4;
	bursar__fail_set(bursar, &chosen);
	bursar->queue = grpc_completion_queue_create_for_next(NULL);
	bursar__servers_open(bursar, addresses, credentials);
	free(addresses);
	return bursar;
}

struct bursar *bursar__line_open(const struct bursar *bursar)
{
	struct bursar *line = calloc(1, sizeof(*line));

	if (!line)
		abort();
	grpc_init();
	line->is_line = true;
	line->bearer = bursar->bearer;
	line->key = bursar->key;
	line->attempt_us = bursar->attempt_us;
	line->timeout_us = 2 * bursar->attempt_us;
	line->attempts = bursar->attempts;
	line->queue = grpc_completion_queue_create_for_next(NULL);
	bursar__servers_share(line, bursar);
	return line;
}

static size_t attempt_end(struct bursar__event *event, bool ok);

static void attempt_start(struct bursar__call *call)
{
	struct bursar *bursar = call->bursar;
	int64_t until = bursar__now_us() + bursar->attempt_us;
	grpc_byte_buffer *sent = grpc_byte_buffer_copy(call->request);
	grpc_metadata again[2];
	grpc_op ops[] = {
		call->attempts ? bursar__op_open_again(bursar, again) : bursar__op_open(bursar),
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
	call->server = bursar__server_next(bursar);
	call->attempt = grpc_channel_create_registered_call(call->server->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
		bursar->queue, call->server->registered[call->method],
		bursar__at_us(until < call->deadline_us ? until : call->deadline_us), NULL);
	failure = grpc_call_start_batch(call->attempt, ops, sizeof(ops) / sizeof(*ops), &call->event, NULL);
	if (failure != GRPC_CALL_OK) {
		fprintf(stderr, "bursar: grpc refused a batch: %s\n", grpc_call_error_to_string(failure));
		abort(); /* gRPC refuses only batches that are built wrongly */
	}
}

static void attempt_release(struct bursar__call *call)
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
	ProtobufCMessage *filled = bursar__ids_filled(method, request);
	struct bursar__call *call = calloc(1, sizeof(*call));

	if (!call)
		abort();
	if (bursar->kept)
		filled = bursar__kept_submit(bursar->kept, method, request, filled, &call->asked);
	call->event.done = attempt_end;
	call->bursar = bursar;
	call->method = method;
	call->done = done;
	call->ctx = ctx;
	call->request = bursar__message_bytes(filled ? filled : request);
	bursar_free(filled);
	call->deadline_us = bursar__now_us() + bursar__fail_timeout_us(bursar, method);
	call->next = bursar->calls;
	if (call->next)
		call->next->prev = call;
	bursar->calls = call;
	bursar->in_flight++;
	if (!bursar->closing)
		attempt_start(call);
}

/* Takes the call off the connection, runs its callback, frees it. */
static void finish_call(struct bursar__call *call, void *answer, const struct bursar_error *error)
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
	if (call->asked && bursar->kept)
		bursar__kept_answered(bursar->kept, call->method, call->asked, answer, call->attempts > 1);
	bursar_free(call->asked);
	call->done(call->ctx, answer, error);
	grpc_byte_buffer_destroy(call->request);
	free(call);
}

/* Can the same request, sent again, have another end? A server that stops may cancel what it has. */
static bool passes(const struct bursar_error *error)
{
	return error->code == BURSAR_UNAVAILABLE || error->code == BURSAR_DEADLINE_EXCEEDED ||
	       error->code == BURSAR_CANCELLED;
}

/* Is the call to be sent again? If so, sets when: at once to another server, and else the pause doubles each time. */
static bool schedule_again(struct bursar__call *call, const struct bursar_error *error)
{
	int64_t pause = FIRST_PAUSE_US, now = bursar__now_us();
	unsigned char jitter[33];

	if (!passes(error) || call->bursar->closing || call->attempts >= call->bursar->attempts)
		return false;
	if (!error->from_server)
		bursar__server_down(call->server);
	for (int i = 1; i < call->attempts && pause < LONGEST_PAUSE_US; i++)
		pause *= 2;
	bursar_request_id((char *)jitter);
	pause += pause * (jitter[0] % 16) / 32; /* so that the bots of a fleet do not all come back at once */
	if (!error->from_server && bursar__server_up(call->bursar))
		pause = 0;
	if (pause < error->retry_after_us)
		pause = error->retry_after_us;
	if (pause >= call->deadline_us - now)
		return false;
	call->due_us = now + pause;
	return true;
}

static size_t attempt_end(struct bursar__event *event, bool ok)
{
	struct bursar__call *call = (struct bursar__call *)event; /* the first member */
	struct bursar_error error = {0};
	void *answer = NULL;

	(void)ok; /* the status says more */
	if (call->status == GRPC_STATUS_OK)
		answer = bursar__message_read(call->answer, bursar__methods[call->method].answer, &error);
	else
		bursar__error_from_status(&error, call->status, call->status_text, &call->trailing);
	attempt_release(call);
	if (!answer && schedule_again(call, &error))
		return 0;
	if (!answer && passes(&error) && !error.from_server && !call->bursar->closing)
		answer = bursar__fail_answer(call->bursar, call->method, call->request);
	finish_call(call, answer, &error);
	return 1;
}

/* Sends again what is due. Returns when the next one is, at most `until`. */
static int64_t resend_due(struct bursar *bursar, int64_t until)
{
	int64_t now = bursar__now_us();

	for (struct bursar__call *call = bursar->calls; call; call = call->next) {
		if (call->attempt)
			continue;
		if (call->due_us <= now)
			attempt_start(call);
		else if (call->due_us < until)
			until = call->due_us;
	}
	return until;
}

/* Sends what is due. Returns when there is more to do, at most `until`. */
static int64_t next_due(struct bursar *bursar, int64_t until)
{
	until = resend_due(bursar, until);
	if (bursar->kept && until > bursar__now_us() + SLICE_US)
		until = bursar__now_us() + SLICE_US;
	return bursar->batches_due ? bursar->batches_due(bursar, until) : until;
}

static size_t event_done(grpc_event event)
{
	struct bursar__event *tag = event.tag;

	return tag->done(tag, event.success != 0);
}

size_t bursar_poll(struct bursar *bursar, int64_t timeout_us)
{
	int64_t until = bursar__now_us() + timeout_us;
	size_t ended = 0;

	for (;;) {
		int64_t wait;
		grpc_event event;

		if (bursar->kept)
			ended += bursar__kept_tell(bursar->kept);
		/* Once something has ended, only handle what has already arrived. */
		wait = ended ? 0 : next_due(bursar, until);
		event = grpc_completion_queue_next(bursar->queue, bursar__at_us(wait), NULL);
		if (event.type == GRPC_OP_COMPLETE)
			ended += event_done(event);
		else if (ended || bursar__now_us() >= until)
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
	bursar__error_set(&error, BURSAR_CANCELLED, "the connection was closed");
	bursar->closing = true;
	for (struct bursar__call *call = bursar->calls; call; call = call->next)
		if (call->attempt)
			grpc_call_cancel(call->attempt, NULL);
	/*
	 * The first of the list each time: callbacks may submit further calls, which are never sent. The analyser does
	 * not see that a call which has ended is no longer on the list.
	 */
	while (bursar->calls) {
		if (!bursar->calls->attempt) // NOLINT(clang-analyzer-unix.Malloc)
			finish_call(bursar->calls, NULL, &error);
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
	bursar__servers_close(bursar);
	free(bursar->shares);
	if (!bursar->is_line)
		free(bursar->bearer);
	free(bursar);
	grpc_shutdown_blocking();
}
