/* The part of bursar.h about reservations and leases that last while a process lives. Included by bursar.h only. */
#ifndef BURSAR_RENEWER_H
#define BURSAR_RENEWER_H

/*
 * Renews reservations and leases while this process lives, so that those of a process that was killed are free again
 * after a minute, and not after the quarter of an hour that a request may take. Renewals have a thread of the
 * library: the program need not poll meanwhile, and may wait for its model. They go to the connection's servers, with
 * its key.
 */
struct bursar_renewer;

/*
 * How many reservations and leases a renewer looks after. Further checks hold theirs for as long as they ask to, from
 * the start.
 */
enum { BURSAR_RENEWED_MAX = 10000 };

/*
 * Called when something has ended that this process has neither recorded nor given back: work that goes on counts as
 * late. `handle` is CheckResponse.reservation or Granted.lease, and is valid during the callback, as is `error`. Its
 * code is NOT_FOUND or FAILED_PRECONDITION when the server says so (it has expired, or another process has recorded,
 * cancelled or released it; of a lease the reason is LEASE_NOT_FOUND or LEASE_LOST: stop working at once), and
 * UNAVAILABLE when no server renewed it in time. Called at most a second after that by a program that waits in
 * bursar_poll, and otherwise by its next call that waits or polls.
 */
typedef void bursar_lost(void *ctx, const char *handle, const struct bursar_error *error);

/* A field that is 0 or NULL has its default. */
struct bursar_renewer_options {
	int64_t orphan_us; /* how long a reservation outlives this process: 1 s to 24 h; default 1 minute */
	bursar_lost *lost; /* default: nobody is told */
	void *ctx; /* for `lost` */
};

/*
 * From now on each reservation that a check of this connection obtains (alone, in a batch, or in bursar_slot_open) is
 * asked for `orphan_us` and renewed until the connection sends its record (without `keep_open`) or cancels it, or
 * until CheckRequest.reservation_ttl_us (0: 15 minutes) have passed since the check; after that it may end without a
 * word. It is renewed when half of its time has passed, and for half as long again each time: a request of two
 * minutes costs three calls, one of 15 minutes seven. While no server answers, nothing is renewed; a record that
 * comes after the end of its reservation is charged all the same, and says `late`. A repeat's reservation is renewed
 * by the process whose check came first.
 *
 * NULL with INVALID_ARGUMENT (field "orphan_us"), FAILED_PRECONDITION (the connection has a renewer) or
 * RESOURCE_EXHAUSTED (the system has no thread left). `options` may be NULL. Close it before the connection, in the
 * connection's thread.
 */
struct bursar_renewer *bursar_renewer_open(
	struct bursar *bursar, const struct bursar_renewer_options *options, struct bursar_error *error);

/*
 * Also renews a reservation that the connection did not check, such as one that another process handed over, until
 * `longest_us` (0: 15 minutes; 1 s to 24 h) from now. The handle (1 to 2,048 bytes) is copied. False with
 * INVALID_ARGUMENT or, when BURSAR_RENEWED_MAX are renewed already, RESOURCE_EXHAUSTED.
 */
bool bursar_renewer_add(
	struct bursar_renewer *renewer, const char *reservation, int64_t longest_us, struct bursar_error *error);

/*
 * Also renews a lease of Acquire's mode EXPLICIT, each third of its `lease_us` (as Granted says; 1 s to 24 h), and
 * its reservation with it, until the connection sends a record (without `keep_open`), Cancel or Release with the
 * lease. A lease that could not be renewed is lost 2 s before it ends in the store (or a quarter of its time, if that
 * is less). RenewResponse.finish_by_us is not told: bursar_renew asks for it. A slot (bursar_slot_open) needs no such
 * call: the server renews its lease. Errors as above.
 */
bool bursar_renewer_add_lease(
	struct bursar_renewer *renewer, const char *lease, int64_t lease_us, struct bursar_error *error);

/* Renews it no longer: another process takes it over. Unknown handles are fine. */
void bursar_renewer_drop(struct bursar_renewer *renewer, const char *handle);

/*
 * Ends the renewals. Reservations that are still open are extended once more, to their full length, because another
 * process may record them; that takes at most two attempts' time if no server answers. Leases are left as they are.
 * What was lost and not told yet is not told. Not from a callback. NULL is fine.
 */
void bursar_renewer_close(struct bursar_renewer *renewer);

#endif
