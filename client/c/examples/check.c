/*
 * One request of a bot: ask whether it may run, do the work, say what it used.
 *
 *	cc check.c $(pkg-config --cflags --libs bursar) -o check
 *	./check alice
 */
#include <bursar.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	Bursar__V1__CheckRequest check = BURSAR__V1__CHECK_REQUEST__INIT;
	Bursar__V1__RecordRequest record = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation;
	Bursar__V1__ProviderUsage usage = BURSAR__V1__PROVIDER_USAGE__INIT;
	Bursar__V1__CheckResponse *checked = NULL;
	Bursar__V1__RecordResponse *recorded = NULL;
	struct bursar_error error = {0};
	struct bursar *bursar = bursar_open(argc > 2 ? argv[2] : BURSAR_DEFAULT_ADDRESS, NULL, &error);
	/* If this process is killed, what the check holds is free again after a minute. */
	struct bursar_renewer *renewer = bursar ? bursar_renewer_open(bursar, NULL, &error) : NULL;

	check.user = argc > 1 ? argv[1] : "alice";
	check.model = "gpt-4o-mini";
	check.input_tokens = 500;
	if (renewer && (checked = bursar_check(bursar, &check, &error)) != NULL && checked->allowed) {
		/* Here a bot calls its model, whose answer says what it used. A call that fails: bursar_cancel. */
		usage.json = "{\"prompt_tokens\": 500, \"completion_tokens\": 100}";
		bursar_reservation_of(&check, checked, &reservation);
		record.reservation = &reservation;
		record.provider_usage = &usage;
		recorded = bursar_record(bursar, &record, &error);
	}
	if (recorded)
		printf("cost: %lld nano-USD\n", recorded->cost ? (long long)recorded->cost->cost_nano_usd : 0);
	else if (checked && !checked->allowed)
		puts(checked->message); /* a sentence for the user: why, and when to come back */
	else
		fprintf(stderr, "%s: %s %s\n", bursar_code_name(error.code), error.field, error.message);
	bursar_free(recorded);
	bursar_free(checked);
	bursar_renewer_close(renewer);
	bursar_close(bursar);
	return recorded ? 0 : error.code ? 2 : 1;
}
