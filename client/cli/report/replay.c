/* Sends a file of requests to the server (replay.h). */
#include "cli/report/replay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"

static const char *const tiers[] = {"free", "pro", "enterprise"};
static const char *const interfaces[] = {"telegram", "discord", "web", "api"};
/* A mix of providers and prices; all are in the shipped price table. */
static const char *const models[] = {"gpt-5.6-luna", "claude-haiku-4-5", "gemini-2.5-flash", "gpt-5.4-mini",
	"mistral-medium-2508", "claude-sonnet-4-5"};

#define COUNT_OF(list) (sizeof(list) / sizeof(*(list)))
#define TICK_US INT64_C(100000)

/* A run, and its requests in flight. */
struct run {
	struct bursar *bursar;
	const struct replay_plan *plan;
	struct replay_sums *sums;
	int open; /* requests between check and last answer */
};

struct request {
	struct run *run;
	struct replay_row row;
	bool warned;
};

struct preparation {
	bool failed;
	struct bursar_error *error;
};

static void prepared(void *ctx, void *answer, const struct bursar_error *error)
{
	struct preparation *preparation = ctx;

	if (!answer && !preparation->failed) {
		preparation->failed = true;
		*preparation->error = *error;
	}
	bursar_free(answer);
}

static void put_user(struct bursar *bursar, const struct replay_plan *plan, int user, struct preparation *preparation)
{
	Bursar__V1__PutAccountRequest request = BURSAR__V1__PUT_ACCOUNT_REQUEST__INIT;
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;
	char id[32];

	snprintf(id, sizeof(id), "user-%d", user + 1);
	ref.tenant = (char *)plan->tenant;
	ref.kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER;
	ref.id = id;
	request.ref = &ref;
	request.tier = (char *)tiers[(size_t)user % COUNT_OF(tiers)];
	request.reason = (char *)"replay";
	bursar_submit(bursar, BURSAR_PUT_ACCOUNT, &request, prepared, preparation);
}

bool replay_prepare(struct bursar *bursar, const struct replay_plan *plan, struct bursar_error *error)
{
	Bursar__V1__PutTenantRequest request = BURSAR__V1__PUT_TENANT_REQUEST__INIT;
	Bursar__V1__Tenant tenant = BURSAR__V1__TENANT__INIT, *answer;
	struct preparation preparation = {.error = error};

	tenant.id = (char *)plan->tenant;
	tenant.default_tier = (char *)tiers[0];
	request.tenant = &tenant;
	request.reason = (char *)"replay";
	answer = bursar_put_tenant(bursar, &request, error);
	if (!answer)
		return false;
	bursar_free(answer);
	for (int user = 0; user < plan->users && !preparation.failed; user++) {
		put_user(bursar, plan, user, &preparation);
		while (bursar_in_flight(bursar) >= (size_t)plan->in_flight)
			bursar_poll(bursar, TICK_US);
	}
	while (bursar_in_flight(bursar) > 0)
		bursar_poll(bursar, TICK_US);
	return !preparation.failed;
}

static void request_end(struct request *request)
{
	request->run->sums->warned += request->warned;
	request->run->open--;
	free(request);
}

static void request_fail(struct request *request, const struct bursar_error *error)
{
	struct replay_sums *sums = request->run->sums;

	if (sums->failed++ == 0)
		sums->error = *error;
	request_end(request);
}

static bool has_warning(Bursar__V1__LimitStatus *const *limits, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (limits[i]->warning)
			return true;
	return false;
}

static void recorded(void *ctx, void *message, const struct bursar_error *error)
{
	struct request *request = ctx;
	Bursar__V1__RecordResponse *answer = message;
	struct replay_sums *sums = request->run->sums;

	if (!answer) {
		/* A refusal is definite; without an answer, the record may still have been applied. */
		sums->own.unsure += !error->from_server || error->code == BURSAR_UNAVAILABLE ||
				    error->code == BURSAR_DEADLINE_EXCEEDED;
		request_fail(request, error);
		return;
	}
	sums->own.requests++;
	sums->own.tokens += answer->tokens;
	sums->own.cost_nano += answer->cost ? answer->cost->cost_nano_usd : 0;
	sums->input_tokens += request->row.input_tokens;
	sums->output_tokens += request->row.output_tokens;
	request->warned |= has_warning(answer->limits, answer->n_limits);
	bursar_free(answer);
	request_end(request);
}

static void send_record(struct request *request, char *handle)
{
	Bursar__V1__RecordRequest record = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef ref = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;

	ref.handle = handle;
	usage.input_tokens = request->row.input_tokens;
	usage.output_tokens = request->row.output_tokens;
	record.reservation = &ref;
	record.usage = &usage;
	bursar_submit(request->run->bursar, BURSAR_RECORD, &record, recorded, request);
}

static void count_denial(struct replay_sums *sums, Bursar__V1__Reason reason)
{
	sums->denied++;
	sums->denied_by[(unsigned)reason < REPLAY_REASONS ? (unsigned)reason : 0]++;
}

static void checked(void *ctx, void *message, const struct bursar_error *error)
{
	struct request *request = ctx;
	Bursar__V1__CheckResponse *answer = message;
	struct replay_sums *sums = request->run->sums;

	if (!answer) {
		request_fail(request, error);
		return;
	}
	sums->repeats += answer->repeat;
	sums->inexact += answer->quality != BURSAR__V1__QUALITY__QUALITY_EXACT;
	request->warned = answer->allowed && has_warning(answer->limits, answer->n_limits);
	if (answer->allowed) {
		sums->admitted++;
		send_record(request, answer->reservation);
	} else {
		count_denial(sums, answer->reason);
		request_end(request);
	}
	bursar_free(answer);
}

static void send_check(struct run *run, const struct replay_row *row)
{
	Bursar__V1__CheckRequest check = BURSAR__V1__CHECK_REQUEST__INIT;
	struct request *request = mem_zalloc(1, sizeof(*request));
	size_t n = (size_t)run->sums->rows++, user = n % (size_t)run->plan->users;
	char id[32];

	*request = (struct request){.run = run, .row = *row};
	run->open++;
	snprintf(id, sizeof(id), "user-%zu", user + 1);
	check.tenant = (char *)run->plan->tenant;
	check.user = id;
	/* Each user takes interfaces and models in turn, whatever the number of users. */
	check.interface = (char *)interfaces[(user + n / (size_t)run->plan->users) % COUNT_OF(interfaces)];
	check.model = (char *)models[(user / COUNT_OF(interfaces) + n / (size_t)run->plan->users) % COUNT_OF(models)];
	check.input_tokens = row->input_tokens;
	check.max_output_tokens = row->output_tokens > 0 ? row->output_tokens : 1;
	bursar_submit(run->bursar, BURSAR_CHECK, &check, checked, request);
}

/* When the row is due, on clock_mono_us. */
static int64_t due_us(const struct replay_plan *plan, int64_t begun_us, int64_t offset_us)
{
	__int128 wait;

	if (plan->speed_milli == 0 || offset_us <= 0)
		return begun_us;
	wait = (__int128)offset_us * 1000 / plan->speed_milli;
	return begun_us + (wait > INT64_C(1000000000000000) ? INT64_C(1000000000000000) : (int64_t)wait);
}

bool replay_run(struct bursar *bursar, const struct replay_plan *plan, struct replay_csv *csv, struct replay_sums *sums,
	replay_progress *progress, void *ctx, struct err *err)
{
	struct run run = {.bursar = bursar, .plan = plan, .sums = sums};
	int64_t begun_us = clock_mono_us(), first_us = 0;
	struct replay_row row;
	enum replay_result result = replay_csv_next(csv, &row, err);

	if (result == REPLAY_ROW)
		first_us = row.time_us;
	while (result == REPLAY_ROW || run.open > 0) {
		int64_t wait_us = TICK_US;

		while (result == REPLAY_ROW && run.open < plan->in_flight) {
			int64_t ahead_us = due_us(plan, begun_us, row.time_us - first_us) - clock_mono_us();

			if (ahead_us > 0) {
				wait_us = ahead_us < TICK_US ? ahead_us : TICK_US;
				break;
			}
			send_check(&run, &row);
			result = replay_csv_next(csv, &row, err);
		}
		bursar_poll(bursar, wait_us);
		progress(ctx, sums);
	}
	return result == REPLAY_END;
}

Bursar__V1__Proof *replay_drained(
	struct bursar *bursar, const char *tenant, int64_t timeout_us, struct bursar_error *error)
{
	Bursar__V1__GetProofRequest request = BURSAR__V1__GET_PROOF_REQUEST__INIT;
	int64_t until_us = clock_mono_us() + timeout_us;

	request.tenant = (char *)tenant;
	for (;;) {
		Bursar__V1__Proof *proof = bursar_get_proof(bursar, &request, error);

		if (!proof || proof->undrained == 0 || clock_mono_us() >= until_us)
			return proof;
		bursar_free(proof);
		bursar_poll(bursar, 2 * TICK_US); /* nothing is in flight: it only waits */
	}
}
