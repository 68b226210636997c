/*
 * Load for the benchmarks: checks (and records) through libbursar, from one thread with many calls in flight, as fast as
 * answers come. For what calls cost; how long they take is measured by tests/bench/open_loop, because gRPC's queue lets
 * its caller wait in whole milliseconds. Prints one JSON object.
 */
#include <inttypes.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/unconst.h"
#include "c/bursar.h"

struct load {
	struct bursar *bursar;
	const char *tenant, *model;
	int64_t calls, in_flight, users, batch, first_user;
	bool record;
	int64_t sent, done, allowed, denied, failed;
	struct bursar_error last_error;
};

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void finish(struct load *load, const struct bursar_error *error)
{
	if (error != NULL && error->code != BURSAR_OK) {
		load->failed++;
		load->last_error = *error;
	}
	load->done++;
}

static void recorded(void *ctx, void *answer, const struct bursar_error *error)
{
	bursar_free(answer);
	finish(ctx, answer != NULL ? NULL : error);
}

static void send_record(struct load *load, const char *handle)
{
	Bursar__V1__ReservationRef ref = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	ref.handle = unconst(handle);
	usage.input_tokens = 90;
	usage.output_tokens = 40;
	request.reservation = &ref;
	request.usage = &usage;
	bursar_submit(load->bursar, BURSAR_RECORD, &request, recorded, load);
}

static void checked(void *ctx, void *answer, const struct bursar_error *error)
{
	struct load *load = ctx;
	Bursar__V1__CheckResponse *response = answer;
	if (response != NULL)
		*(response->allowed ? &load->allowed : &load->denied) += 1;
	if (response != NULL && response->allowed && load->record)
		send_record(load, response->reservation);
	else
		finish(load, response != NULL ? NULL : error);
	bursar_free(answer);
}

static void item_failed(struct load *load, const Bursar__V1__ItemError *error)
{
	load->failed++;
	if (error != NULL)
		snprintf(load->last_error.message, sizeof(load->last_error.message), "%s", error->message);
}

static void batch_checked(void *ctx, void *answer, const struct bursar_error *error)
{
	Bursar__V1__CheckBatchResponse *response = answer;
	struct load *load = ctx;
	for (size_t i = 0; response != NULL && i < response->n_items; i++) {
		const Bursar__V1__CheckItem *item = response->items[i];
		if (item->response == NULL)
			item_failed(load, item->error);
		else
			*(item->response->allowed ? &load->allowed : &load->denied) += 1;
	}
	finish(load, response != NULL ? NULL : error);
	bursar_free(answer);
}

static void fill(struct load *load, Bursar__V1__CheckRequest *request, char user[32], int64_t number)
{
	snprintf(user, 32, "user-%" PRId64, load->first_user + number % load->users);
	bursar__v1__check_request__init(request);
	request->tenant = unconst(load->tenant);
	request->user = user;
	request->interface = unconst("telegram");
	request->model = unconst(load->model);
	request->input_tokens = 100;
	request->max_output_tokens = 50;
}

static void send_one(struct load *load)
{
	Bursar__V1__CheckRequest request;
	char user[32];
	fill(load, &request, user, load->sent++);
	bursar_submit(load->bursar, BURSAR_CHECK, &request, checked, load);
}

static void send_batch(struct load *load)
{
	size_t count = (size_t)load->batch;
	Bursar__V1__CheckRequest *items = calloc(count, sizeof(*items));
	Bursar__V1__CheckRequest **pointers = calloc(count, sizeof(Bursar__V1__CheckRequest *));
	char(*users)[32] = calloc(count, 32);
	if (items == NULL || pointers == NULL || users == NULL)
		abort();
	for (size_t i = 0; i < count; i++) {
		fill(load, &items[i], users[i], load->sent * load->batch + (int64_t)i);
		pointers[i] = &items[i];
	}
	load->sent++;
	Bursar__V1__CheckBatchRequest request = BURSAR__V1__CHECK_BATCH_REQUEST__INIT;
	request.items = pointers;
	request.n_items = count;
	bursar_submit(load->bursar, BURSAR_CHECK_BATCH, &request, batch_checked, load);
	free(items);
	free(pointers);
	free(users);
}

static void send_next(struct load *load)
{
	if (load->batch > 0)
		send_batch(load);
	else
		send_one(load);
}

static void run(struct load *load)
{
	while (load->done < load->calls) {
		while (load->sent < load->calls && load->sent - load->done < load->in_flight)
			send_next(load);
		bursar_poll(load->bursar, 1000000);
	}
}

static void print(const struct load *load, int64_t took_us)
{
	double seconds = (double)took_us / 1e6;
	printf("{\"calls\": %" PRId64 ", \"seconds\": %.3f, \"per_second\": %.0f, \"allowed\": %" PRId64
	       ", \"denied\": %" PRId64 ", \"failed\": %" PRId64 "}\n",
		load->done, seconds, (double)load->done / seconds, load->allowed, load->denied, load->failed);
	if (load->failed > 0)
		fprintf(stderr, "load: %s: %s\n", bursar_code_name(load->last_error.code), load->last_error.message);
}

/* Texts stay allocated until the program ends. */
static bool read_options(int argc, const char **argv, struct load *load, const char **address)
{
	long long calls = 10000, in_flight = 64, users = 1000, batch = 0, first = 0;
	int record = 0;
	struct poptOption options[] = {
		{"addr", 0, POPT_ARG_STRING, address, 0, "server", "HOST:PORT"},
		{"tenant", 0, POPT_ARG_STRING, &load->tenant, 0, "tenant", "ID"},
		{"model", 0, POPT_ARG_STRING, &load->model, 0, "model of the checks", "ID"},
		{"calls", 0, POPT_ARG_LONGLONG, &calls, 0, "how many", "N"},
		{"in-flight", 0, POPT_ARG_LONGLONG, &in_flight, 0, "at the same time", "N"},
		{"users", 0, POPT_ARG_LONGLONG, &users, 0, "spread over so many", "N"},
		{"first-user", 0, POPT_ARG_LONGLONG, &first, 0, "number of the first user", "N"},
		{"batch", 0, POPT_ARG_LONGLONG, &batch, 0, "CheckBatch of so many", "N"},
		{"record", 0, POPT_ARG_NONE, &record, 0, "record what was admitted", NULL},
		POPT_AUTOHELP POPT_TABLEEND,
	};
	poptContext context = poptGetContext("load", argc, argv, options, 0);
	int parsed = poptGetNextOpt(context);
	bool ok = parsed == -1 && calls > 0 && users > 0 && in_flight > 0;

	if (!ok)
		fprintf(stderr, "load: %s\n",
			parsed < -1 ? poptStrerror(parsed) : "--calls, --users and --in-flight: at least 1");
	load->calls = calls, load->in_flight = in_flight, load->users = users, load->batch = batch;
	load->first_user = first, load->record = record != 0;
	poptFreeContext(context);
	return ok;
}

int main(int argc, const char **argv)
{
	const char *address = "127.0.0.1:7420";
	struct load load = {.tenant = "", .model = ""};
	struct bursar_error error;
	struct bursar_options how = {.timeout_us = 120000000, /* of a server under callgrind on a busy machine, too */
		.attempt_us = 120000000,
		.attempts = 1,
		.key = getenv("BURSAR_KEY"),
		.tls_ca = getenv("BURSAR_TLS_CA")};

	if (!read_options(argc, argv, &load, &address))
		return 2;
	load.bursar = bursar_open(address, &how, &error);
	if (load.bursar == NULL) {
		fprintf(stderr, "load: %s\n", error.message);
		return 1;
	}
	int64_t begun_us = now_us();
	run(&load);
	print(&load, now_us() - begun_us);
	bursar_close(load.bursar);
	return load.failed > 0;
}
