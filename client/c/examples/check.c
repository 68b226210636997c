/*
 * One request of a bot: ask whether it may run, do the work, say what it used.
 *
 *	cc check.c $(pkg-config --cflags --libs bursar) -o check
 *	./check alice
 */
#include <bursar.h>

#include <stdio.h>
#include <string.h>

static int failed(const char *what, const struct bursar_error *error)
{
	fprintf(stderr, "%s: %s: %s %s\n", what, bursar_code_name(error->code), error->field, error->message);
	return 2;
}

/* Here a bot calls its model. `usage` becomes what the provider's answer says. */
static bool call_model(Bursar__V1__TokenUsage *usage, struct bursar_error *error)
{
	const char *said = "{\"prompt_tokens\": 500, \"completion_tokens\": 100}";

	return bursar_usage_from_openai(said, strlen(said), usage, error);
}

/* Records what the request used; gives its reservation back if it did not run. */
static int run(struct bursar *bursar, char *handle)
{
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__CancelRequest cancel = BURSAR__V1__CANCEL_REQUEST__INIT;
	Bursar__V1__RecordRequest record = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__RecordResponse *recorded;
	Bursar__V1__TokenUsage usage;
	struct bursar_error error;

	reservation.handle = handle;
	cancel.reservation = record.reservation = &reservation;
	record.usage = &usage;
	if (!call_model(&usage, &error)) {
		bursar_free(bursar_cancel(bursar, &cancel, NULL));
		return failed("model", &error);
	}
	recorded = bursar_record(bursar, &record, &error);
	if (!recorded)
		return failed("record", &error);
	printf("cost: %lld nano-USD\n", recorded->cost ? (long long)recorded->cost->cost_nano_usd : 0);
	bursar_free(recorded);
	return 0;
}

int main(int argc, char **argv)
{
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	Bursar__V1__CheckResponse *check;
	struct bursar_error error;
	struct bursar *bursar = bursar_open(argc > 2 ? argv[2] : BURSAR_DEFAULT_ADDRESS, NULL, &error);
	int status = 1;

	if (!bursar)
		return failed("open", &error);
	request.user = argc > 1 ? argv[1] : "alice";
	request.model = "gpt-4o-mini";
	request.input_tokens = 500;
	request.max_output_tokens = 200;
	check = bursar_check(bursar, &request, &error);
	if (!check)
		status = failed("check", &error);
	else if (check->allowed)
		status = run(bursar, check->reservation);
	else
		puts(check->message); /* a sentence for the user: why, and when to come back */
	bursar_free(check);
	bursar_close(bursar);
	return status;
}
