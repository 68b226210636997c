/* Sends a file of requests to the server: checks each one and records those admitted, many at the same time. */
#ifndef BURSAR_CLI_REPLAY_H
#define BURSAR_CLI_REPLAY_H

#include "c/bursar.h"
#include "cli/report/proof.h"
#include "cli/report/replay_csv.h"

enum { REPLAY_USERS_MAX = 100000, REPLAY_IN_FLIGHT_MAX = 4096, REPLAY_REASONS = 16 };

struct replay_plan {
	const char *tenant;
	int users;
	int in_flight;
	int64_t speed_milli; /* thousandths of real time; 0 = as fast as possible */
};

/* The results so far. */
struct replay_sums {
	int64_t rows; /* read from the file */
	int64_t admitted;
	int64_t denied;
	int64_t denied_by[REPLAY_REASONS]; /* enum Bursar__V1__Reason */
	int64_t warned; /* requests whose check or record returned a warning */
	int64_t repeats; /* checks sent again and answered as before */
	int64_t inexact; /* decided without the store */
	int64_t failed; /* requests that ended in an error */
	int64_t input_tokens, output_tokens; /* of acknowledged records, as sent */
	struct acknowledged own;
	struct bursar_error error; /* the first */
};

/* Called when calls have ended or a tenth of a second has passed. */
typedef void replay_progress(void *ctx, const struct replay_sums *sums);

/*
 * Creates the tenant and its users: user-1 and so on, spread evenly over free, pro and enterprise. False with `error`
 * of the first call that failed.
 */
bool replay_prepare(struct bursar *bursar, const struct replay_plan *plan, struct bursar_error *error);

/*
 * Sends every row of `csv` and waits for the last answer. False with `err` when the file is invalid; requests sent
 * before that have been answered and are in `sums`.
 */
bool replay_run(struct bursar *bursar, const struct replay_plan *plan, struct replay_csv *csv, struct replay_sums *sums,
	replay_progress *progress, void *ctx, struct err *err);

/*
 * Asks for the tenant's proof until nothing is undrained or `timeout_us` have passed. The last answer (free it with
 * bursar_free), or NULL with `error`.
 */
Bursar__V1__Proof *replay_drained(
	struct bursar *bursar, const char *tenant, int64_t timeout_us, struct bursar_error *error);

#endif
