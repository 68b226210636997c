/* Lists, shows and cancels reservations for an admin. */
#ifndef BURSAR_SERVICE_ADMIN_RESERVATIONS_H
#define BURSAR_SERVICE_ADMIN_RESERVATIONS_H

#include "service/request/settle.h"
#include "store/admin.h"

/* Embedded in the caller and alive until flow.done has run; so are the other structs here. */
struct reservation_list {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	const char *tenant, *user; /* user "" = all of the tenant's */
	int limit;
	/* The cursor, in and out; start with 0, 0 and "". `partition` is used only without a user. */
	int partition;
	int64_t after_us;
	const char *after;
	/* out */
	bool more;
	int count;
	struct reservation_row *row;
	int64_t now_us; /* the store's clock */
	/* internal */
	int calls;
	struct limits_reservations op;
};
void reservation_list_start(
	struct reservation_list *list, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* Fails with ERR_NOT_FOUND if the request has no known reservation. */
struct reservation_get {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	const char *tenant, *user, *request_id;
	struct reservation_row row; /* out */
	struct limits_reservation op;
};
void reservation_get_start(
	struct reservation_get *get, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/*
 * A cancel with its line in the audit log. If writing the line fails, the reservation is cancelled anyway, and a repeat
 * writes the line.
 */
struct reservation_cancel {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	struct handle handle;
	const char *actor, *reason;
	struct settle settle; /* has the answer; the caller calls settle_release */
	struct cancel_note note;
};
void reservation_cancel_start(
	struct reservation_cancel *cancel, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
