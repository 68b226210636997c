/* Reservations as an admin sees them: listed, shown, cancelled. */
#ifndef BURSAR_SERVICE_ADMIN_RESERVATIONS_H
#define BURSAR_SERVICE_ADMIN_RESERVATIONS_H

#include "service/request/settle.h"
#include "store/admin.h"

/* Embedded by the caller, alive until flow.done has run; so are the others. */
struct reservation_list {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	const char *tenant, *user; /* user "" = all of the tenant's */
	int limit;
	/* The cursor, in and out: of all users the partition counts; 0, 0 and "" begin. */
	int partition;
	int64_t after_us;
	const char *after;
	/* out */
	bool more;
	int count;
	struct reservation_row *row;
	int64_t now_us; /* the store's clock */
	/* its own */
	int calls;
	struct limits_reservations op;
};
void reservation_list_start(
	struct reservation_list *list, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* ERR_NOT_FOUND. */
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

/* A cancel with its line in the audit log. When that fails the reservation is cancelled all the same, and a repeat writes the line. */
struct reservation_cancel {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	struct handle handle;
	const char *actor, *reason;
	struct settle settle; /* its answer; settle_release is the caller's */
	struct cancel_note note;
};
void reservation_cancel_start(
	struct reservation_cancel *cancel, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
