/*
 * Load for the benchmarks: checks (and records) over gRPC from one thread with many calls in flight, closed loop (as
 * fast as answers come) or open loop (at a rate, whether or not they come; latency counts from when a call was due).
 * Prints one JSON object.
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
	int64_t calls, in_flight, users, rate, batch, first_user;
	bool record;
	int64_t sent, done, allowed, denied, failed;
	int64_t begun_us;
	int64_t *latency_us; /* one for each call */
	struct bursar_error last_error;
};

struct flight {
	struct load *load;
	int64_t due_us;
};

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void finish(struct flight *flight, const struct bursar_error *error)
{
	struct load *load = flight->load;
	if (error != NULL && error->code != BURSAR_OK) {
		load->failed++;
		load->last_error = *error;
	}
	load->latency_us[load->done++] = now_us() - flight->due_us;
	free(flight);
}

static void recorded(void *ctx, void *answer, const struct bursar_error *error)
{
	bursar_free(answer);
	finish(ctx, answer != NULL ? NULL : error);
}

static void send_record(struct flight *flight, const char *handle)
{
	Bursar__V1__ReservationRef ref = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	ref.handle = unconst(handle);
	usage.input_tokens = 90;
	usage.output_tokens = 40;
	request.reservation = &ref;
	request.usage = &usage;
	bursar_submit(flight->load->bursar, BURSAR_RECORD, &request, recorded, flight);
}

static void checked(void *ctx, void *answer, const struct bursar_error *error)
{
	struct flight *flight = ctx;
	struct load *load = flight->load;
	Bursar__V1__CheckResponse *response = answer;
	if (response != NULL)
		*(response->allowed ? &load->allowed : &load->denied) += 1;
	if (response != NULL && response->allowed && load->record)
		send_record(flight, response->reservation);
	else
		finish(flight, response != NULL ? NULL : error);
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
	struct flight *flight = ctx;
	for (size_t i = 0; response != NULL && i < response->n_items; i++) {
		const Bursar__V1__CheckItem *item = response->items[i];
		if (item->response == NULL)
			item_failed(flight->load, item->error);
		else
			*(item->response->allowed ? &flight->load->allowed : &flight->load->denied) += 1;
	}
	finish(flight, response != NULL ? NULL : error);
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

static struct flight *flight_new(struct load *load, int64_t due_us)
{
	struct flight *flight = malloc(sizeof(*flight));
	if (flight == NULL)
		abort();
	*flight = (struct flight){.load = load, .due_us = due_us};
	return flight;
}

static void send_one(struct load *load, int64_t due_us)
{
	Bursar__V1__CheckRequest request;
	char user[32];
	fill(load, &request, user, load->sent++);
	bursar_submit(load->bursar, BURSAR_CHECK, &request, checked, flight_new(load, due_us));
}

static void send_batch(struct load *load, int64_t due_us)
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
	bursar_submit(load->bursar, BURSAR_CHECK_BATCH, &request, batch_checked, flight_new(load, due_us));
	free(items);
	free(pointers);
	free(users);
}

static void send_next(struct load *load, int64_t due_us)
{
	if (load->batch > 0)
		send_batch(load, due_us);
	else
		send_one(load, due_us);
}

static void run_closed(struct load *load)
{
	while (load->done < load->calls) {
		while (load->sent < load->calls && load->sent - load->done < load->in_flight)
			send_next(load, now_us());
		bursar_poll(load->bursar, 1000000);
	}
}

static void run_open(struct load *load)
{
	while (load->done < load->calls) {
		int64_t due = load->begun_us + load->sent * 1000000 / load->rate;
		while (load->sent < load->calls && due <= now_us()) {
			send_next(load, due);
			due = load->begun_us + load->sent * 1000000 / load->rate;
		}
		int64_t wait = load->sent < load->calls ? due - now_us() : 1000000;
		bursar_poll(load->bursar, wait > 0 ? wait : 0);
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void print(struct load *load, int64_t took_us)
{
	int64_t n = load->done;
	qsort(load->latency_us, (size_t)n, sizeof(int64_t), by_value);
	printf("{\"calls\": %" PRId64 ", \"seconds\": %.3f, \"per_second\": %.0f, \"allowed\": %" PRId64
	       ", \"denied\": %" PRId64 ", \"failed\": %" PRId64 ", \"p50_us\": %" PRId64 ", \"p99_us\": %" PRId64
	       ", \"max_us\": %" PRId64 "}\n",
		n, (double)took_us / 1e6, (double)n * 1e6 / (double)took_us, load->allowed, load->denied, load->failed,
		load->latency_us[n / 2], load->latency_us[n * 99 / 100], load->latency_us[n - 1]);
	if (load->failed > 0)
		fprintf(stderr, "load: %s: %s\n", bursar_code_name(load->last_error.code), load->last_error.message);
}

int main(int argc, const char **argv)
{
	const char *address = "127.0.0.1:7420";
	int record = 0;
	struct load load = {.tenant = "", .model = "", .calls = 10000, .in_flight = 64, .users = 1000};
	long long calls = load.calls, in_flight = load.in_flight, users = load.users, rate = 0, batch = 0, first = 0;
	struct poptOption options[] = {
		{"addr", 0, POPT_ARG_STRING, &address, 0, "server", "HOST:PORT"},
		{"tenant", 0, POPT_ARG_STRING, &load.tenant, 0, "tenant", "ID"},
		{"model", 0, POPT_ARG_STRING, &load.model, 0, "model of the checks", "ID"},
		{"calls", 0, POPT_ARG_LONGLONG, &calls, 0, "how many", "N"},
		{"in-flight", 0, POPT_ARG_LONGLONG, &in_flight, 0, "closed loop: at the same time", "N"},
		{"users", 0, POPT_ARG_LONGLONG, &users, 0, "spread over so many", "N"},
		{"first-user", 0, POPT_ARG_LONGLONG, &first, 0, "number of the first user", "N"},
		{"rate", 0, POPT_ARG_LONGLONG, &rate, 0, "open loop: calls a second", "N"},
		{"batch", 0, POPT_ARG_LONGLONG, &batch, 0, "CheckBatch of so many", "N"},
		{"record", 0, POPT_ARG_NONE, &record, 0, "record what was admitted", NULL},
		POPT_AUTOHELP POPT_TABLEEND,
	};
	poptContext context = poptGetContext("load", argc, argv, options, 0);
	int parsed = poptGetNextOpt(context);
	if (parsed < -1 || calls < 1 || users < 1) {
		fprintf(stderr, "load: %s\n", parsed < -1 ? poptStrerror(parsed) : "--calls and --users: at least 1");
		return 2;
	}
	load.calls = calls, load.in_flight = in_flight, load.users = users, load.rate = rate, load.batch = batch;
	load.first_user = first, load.record = record != 0;
	load.latency_us = calloc((size_t)calls, sizeof(int64_t));
	struct bursar_error error;
	struct bursar_options how = {.timeout_us = 30000000,
		.attempt_us = 30000000,
		.attempts = 1,
		.key = getenv("BURSAR_KEY"),
		.tls_ca = getenv("BURSAR_TLS_CA")};
	load.bursar = bursar_open(address, &how, &error);
	if (load.bursar == NULL || load.latency_us == NULL) {
		fprintf(stderr, "load: %s\n", load.bursar == NULL ? error.message : "out of memory");
		free(load.latency_us);
		return 1;
	}
	load.begun_us = now_us();
	if (rate > 0)
		run_open(&load);
	else
		run_closed(&load);
	print(&load, now_us() - load.begun_us);
	bursar_close(load.bursar);
	free(load.latency_us);
	poptFreeContext(context);
	return load.failed > 0;
}
