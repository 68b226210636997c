/*
 * Load for the benchmarks: checks over one CheckStream, as fast as answers come, with so many items in flight. gRPC core by
 * hand, because libbursar has no such call. For what items cost, not for how long they take. Prints one JSON object.
 */
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <inttypes.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bursar/v1/limiter.pb-c.h"

enum { ITEMS_MAX = 1000 };

struct load {
	grpc_completion_queue *queue;
	grpc_call *call;
	int64_t calls, items, in_flight, users; /* items in all, in a message, unanswered; spread over so many */
	int64_t sent, done, allowed, denied, failed;
	bool sending, closed;
	grpc_byte_buffer *out, *in;
	char problem[256];
};

/* The tags are the addresses of what each operation fills. */
static void start(struct load *load, grpc_op op, void *tag)
{
	if (grpc_call_start_batch(load->call, &op, 1, tag, NULL) != GRPC_CALL_OK)
		abort();
}

static void fill(struct load *load, Bursar__V1__StreamedCheck *item, Bursar__V1__CheckRequest *check, char user[32])
{
	static char interface[] = "telegram";

	bursar__v1__check_request__init(check);
	bursar__v1__streamed_check__init(item);
	snprintf(user, 32, "user-%" PRId64, load->sent % load->users);
	check->user = user;
	check->interface = interface;
	check->input_tokens = 100;
	check->max_output_tokens = 50;
	item->id = (uint64_t)load->sent++;
	item->check = check;
}

static void send_message(struct load *load)
{
	static Bursar__V1__StreamedCheck item[ITEMS_MAX], *items[ITEMS_MAX];
	static Bursar__V1__CheckRequest check[ITEMS_MAX];
	static char user[ITEMS_MAX][32];
	Bursar__V1__CheckStreamRequest request = BURSAR__V1__CHECK_STREAM_REQUEST__INIT;
	grpc_slice slice;

	for (; request.n_items < (size_t)load->items && load->sent < load->calls; request.n_items++) {
		items[request.n_items] = &item[request.n_items];
		fill(load, &item[request.n_items], &check[request.n_items], user[request.n_items]);
	}
	request.items = items;
	slice = grpc_slice_malloc(bursar__v1__check_stream_request__get_packed_size(&request));
	bursar__v1__check_stream_request__pack(&request, GRPC_SLICE_START_PTR(slice));
	load->out = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	load->sending = true;
	start(load, (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = load->out}, &load->out);
}

/* Sends what may be sent now; after the last item, that there are no more. */
static void send_more(struct load *load)
{
	if (load->sending || load->closed)
		return;
	if (load->sent == load->calls) {
		load->closed = true;
		start(load, (grpc_op){.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, &load->closed);
	} else if (load->sent - load->done + load->items <= load->in_flight || load->sent == load->done) {
		send_message(load);
	}
}

static void receive(struct load *load)
{
	start(load, (grpc_op){.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &load->in}, &load->in);
}

static void take(struct load *load)
{
	grpc_byte_buffer_reader reader;
	Bursar__V1__CheckStreamResponse *response;
	grpc_slice bytes;

	if (!grpc_byte_buffer_reader_init(&reader, load->in))
		abort();
	bytes = grpc_byte_buffer_reader_readall(&reader);
	response =
		bursar__v1__check_stream_response__unpack(NULL, GRPC_SLICE_LENGTH(bytes), GRPC_SLICE_START_PTR(bytes));
	for (size_t i = 0; response && i < response->n_items; i++) {
		const Bursar__V1__StreamedAnswer *item = response->items[i];

		load->done++;
		if (item->response)
			*(item->response->allowed ? &load->allowed : &load->denied) += 1;
		else
			load->failed++;
		if (item->error)
			snprintf(load->problem, sizeof(load->problem), "%s", item->error->message);
	}
	bursar__v1__check_stream_response__free_unpacked(response, NULL);
	grpc_slice_unref(bytes);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(load->in);
	load->in = NULL;
}

/* Until the server has answered all and closed. */
static void run(struct load *load)
{
	bool open = true;

	receive(load);
	while (open) {
		grpc_event event;

		send_more(load);
		event = grpc_completion_queue_next(load->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		if (event.tag == &load->out) {
			grpc_byte_buffer_destroy(load->out);
			load->sending = false;
		} else if (event.tag == &load->in) {
			open = load->in;
			if (open) {
				take(load);
				receive(load);
			}
		}
	}
}

static void end(struct load *load)
{
	grpc_metadata_array trailers;
	grpc_status_code status;
	grpc_slice details;
	char *text;

	grpc_metadata_array_init(&trailers);
	start(load,
		(grpc_op){.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
			.data.recv_status_on_client = {.trailing_metadata = &trailers,
				.status = &status,
				.status_details = &details}},
		&status);
	while (grpc_completion_queue_next(load->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).tag != &status)
		;
	text = grpc_slice_to_c_string(details);
	if (status != GRPC_STATUS_OK)
		snprintf(load->problem, sizeof(load->problem), "status %d: %s", (int)status, text);
	load->failed += load->calls - load->done;
	gpr_free(text);
	grpc_slice_unref(details);
	grpc_metadata_array_destroy(&trailers);
}

static void open_stream(struct load *load, grpc_channel *channel)
{
	static grpc_metadata_array headers;
	grpc_slice method = grpc_slice_from_static_string("/bursar.v1.Limiter/CheckStream");

	load->queue = grpc_completion_queue_create_for_next(NULL);
	load->call = grpc_channel_create_call(
		channel, NULL, 0, load->queue, method, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_metadata_array_init(&headers);
	start(load, (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA}, load);
	start(load,
		(grpc_op){.op = GRPC_OP_RECV_INITIAL_METADATA,
			.data.recv_initial_metadata.recv_initial_metadata = &headers},
		&headers);
}

static void print(const struct load *load, int64_t took_us)
{
	double seconds = (double)took_us / 1e6;

	printf("{\"calls\": %" PRId64 ", \"seconds\": %.3f, \"per_second\": %.0f, \"allowed\": %" PRId64
	       ", \"denied\": %" PRId64 ", \"failed\": %" PRId64 "}\n",
		load->done, seconds, (double)load->done / seconds, load->allowed, load->denied, load->failed);
	if (load->failed > 0)
		fprintf(stderr, "stream_load: %s\n", load->problem);
}

static bool read_options(int argc, const char **argv, struct load *load, const char **address)
{
	long long calls = 10000, items = 1, in_flight = 100, users = 1000;
	struct poptOption options[] = {
		{"addr", 0, POPT_ARG_STRING, address, 0, "server", "HOST:PORT"},
		{"calls", 0, POPT_ARG_LONGLONG, &calls, 0, "how many items", "N"},
		{"items", 0, POPT_ARG_LONGLONG, &items, 0, "of a message", "N"},
		{"in-flight", 0, POPT_ARG_LONGLONG, &in_flight, 0, "items at the same time", "N"},
		{"users", 0, POPT_ARG_LONGLONG, &users, 0, "spread over so many", "N"},
		POPT_AUTOHELP POPT_TABLEEND,
	};
	poptContext context = poptGetContext("stream_load", argc, argv, options, 0);
	int parsed = poptGetNextOpt(context);
	bool ok = parsed == -1 && calls > 0 && users > 0 && in_flight > 0 && items > 0 && items <= ITEMS_MAX;

	if (!ok)
		fprintf(stderr, "stream_load: %s\n",
			parsed < -1 ? poptStrerror(parsed)
				    : "--calls, --users, --in-flight and --items: at least 1; --items: at most 1000");
	load->calls = calls, load->items = items, load->in_flight = in_flight, load->users = users;
	poptFreeContext(context);
	return ok;
}

int main(int argc, const char **argv)
{
	const char *address = "127.0.0.1:7420";
	struct load load = {0};
	grpc_channel_credentials *plain;
	grpc_channel *channel;
	int64_t begun_us, took_us;

	if (!read_options(argc, argv, &load, &address))
		return 2;
	grpc_init();
	plain = grpc_insecure_credentials_create();
	channel = grpc_channel_create(address, plain, NULL);
	open_stream(&load, channel);
	begun_us = clock_mono_us();
	run(&load);
	took_us = clock_mono_us() - begun_us;
	end(&load);
	print(&load, took_us);
	grpc_call_unref(load.call);
	grpc_channel_destroy(channel);
	grpc_channel_credentials_release(plain);
	return load.failed > 0;
}
