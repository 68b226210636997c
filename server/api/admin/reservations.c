/* ListReservations, GetReservation and CancelReservation (api/admin/private.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/admin/private.h"
#include "api/limiter/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "service/admin/reservations.h"
#include "store/outbox.h"

enum { PAGE_USUAL = 100, PAGE_MAX = 1000 };

struct list_call {
	struct reservation_list list;
	struct call *call;
};
struct get_call {
	struct reservation_get get;
	struct call *call;
};
struct cancel_call {
	struct reservation_cancel cancel;
	struct call *call;
};

static void accounts_to_message(struct arena *arena, const struct entry_info *info, Bursar__V1__Reservation *out)
{
	out->accounts = message_list(arena, (size_t)info->accounts);
	for (int i = 0; i < info->accounts; i++) {
		const struct account_key key = {
			.kind = info->account[i].kind, .tenant = info->tenant, .id = info->account[i].id};

		out->accounts[out->n_accounts++] = admin_ref(arena, &key);
	}
}

static const char *handle_make(struct arena *arena, const struct entry_info *info, int64_t started_at_us)
{
	struct handle handle = {.tenant = info->tenant,
		.user = info->user,
		.request_id = info->request_id,
		.started_at_us = started_at_us,
		.model = info->model,
		.mode = info->mode,
		.accounts = info->accounts};

	memcpy(handle.account, info->account, sizeof(handle.account));
	return handle_format(&handle, arena);
}

/* NULL when the entry was written by a newer bursard. */
static Bursar__V1__Reservation *reservation_to_message(struct arena *arena, const struct reservation_row *row)
{
	Bursar__V1__Reservation *message = message_new(arena, Reservation, reservation);
	struct entry_info info;

	if (!entry_info_unpack(row->info, row->info_len, arena, &info))
		return NULL;
	message->tenant = unconst(info.tenant);
	message->user = unconst(info.user);
	message->request_id = unconst(info.request_id);
	message->handle = unconst(handle_make(arena, &info, row->started_at_us));
	message->state = (Bursar__V1__ReservationState)row->state;
	message->started_at_us = row->started_at_us;
	message->expires_at_us = row->expires_at_us;
	message->interface = unconst(info.interface);
	message->model = unconst(info.model);
	message->tier = unconst(info.tier);
#define ROW(NAME, name, api, ...) message->held_##api = row->held.name;
	AMOUNTS(ROW)
#undef ROW
#define ROW(NAME, name, api, ...) message->used_##api = row->used.name;
	AMOUNTS_USED(ROW)
#undef ROW
	message->attempts = __builtin_popcount(row->attempts);
	accounts_to_message(arena, &info, message);
	return message;
}

/* Partition, expiry and the key's bytes as hex digits. */
static char *token_make(struct arena *arena, const struct reservation_list *list)
{
	size_t len = strlen(list->after);
	char *token = arena_alloc(arena, 2 * len + 64);
	size_t at = (size_t)snprintf(token, 64, "%d.%" PRId64 ".", list->partition, list->after_us);

	for (size_t i = 0; i < len; i++)
		at += (size_t)snprintf(token + at, 3, "%02x", (unsigned char)list->after[i]);
	token[at] = '\0';
	return token;
}

static bool token_read(const char *token, struct arena *arena, struct reservation_list *list, struct err *err)
{
	char *after = arena_alloc(arena, strlen(token) / 2 + 1);
	size_t len = 0;
	int used = 0;
	unsigned byte;

	list->after = "";
	if (!token[0])
		return true;
	if (sscanf(token, "%d.%" SCNd64 ".%n", &list->partition, &list->after_us, &used) != 2 || !used ||
		list->partition < 0 || list->partition >= PARTITIONS || list->after_us < 0 ||
		list->after_us > INT64_C(1) << 53)
		return err_invalid(err, "page_token", "is not valid: pass next_page_token from the previous page");
	for (const char *p = token + used; *p; p += 2) {
		if (strspn(p, "0123456789abcdef") < 2 || sscanf(p, "%2x", &byte) != 1 || !byte)
			return err_invalid(
				err, "page_token", "is not valid: pass next_page_token from the previous page");
		after[len++] = (char)byte;
	}
	after[len] = '\0';
	list->after = after;
	return true;
}

static void list_done(struct flow *flow)
{
	struct reservation_list *list = container_of(flow, struct reservation_list, flow);
	struct call *call = container_of(list, struct list_call, list)->call;
	struct arena *arena = call_arena(call);
	Bursar__V1__ListReservationsResponse *answer =
		message_new(arena, ListReservationsResponse, list_reservations_response);

	if (!flow->ok) {
		call_fail(call, &flow->err);
		return;
	}
	answer->reservations = message_list(arena, (size_t)list->count);
	for (int i = 0; i < list->count; i++) {
		Bursar__V1__Reservation *message = reservation_to_message(arena, &list->row[i]);

		if (message)
			answer->reservations[answer->n_reservations++] = message;
	}
	answer->now_us = list->now_us;
	if (list->more)
		answer->next_page_token = token_make(arena, list);
	call_reply_message(call, &answer->base);
}

void admin_list_reservations(struct call *call, void *ctx)
{
	struct list_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;
	const Bursar__V1__ListReservationsRequest *request =
		request_read(call, &bursar__v1__list_reservations_request__descriptor, &err);

	self->call = call;
	if (!request || !token_read(request->page_token, call_arena(call), &self->list, &err)) {
		call_fail(call, &err);
		return;
	}
	self->list.tenant = tenant_or_default(request->tenant);
	self->list.user = request->user;
	self->list.limit = admin_page(request->page_size, PAGE_USUAL, PAGE_MAX);
	reservation_list_start(&self->list, ctx, call_arena(call), list_done);
}

static void get_done(struct flow *flow)
{
	struct reservation_get *get = container_of(flow, struct reservation_get, flow);
	struct call *call = container_of(get, struct get_call, get)->call;
	const Bursar__V1__Reservation *message = flow->ok ? reservation_to_message(call_arena(call), &get->row) : NULL;

	if (flow->ok && !message)
		err_set(&flow->err, ERR_INTERNAL, "the reservation of request %s is unreadable", get->request_id);
	if (message)
		call_reply_message(call, &message->base);
	else
		call_fail(call, &flow->err);
}

void admin_get_reservation(struct call *call, void *ctx)
{
	struct get_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct handle handle = {0};
	struct err err;
	const Bursar__V1__GetReservationRequest *request =
		request_read(call, &bursar__v1__get_reservation_request__descriptor, &err);

	self->call = call;
	if (!request || !handle_of_ref(request->reservation, false, call_arena(call), &handle, &err)) {
		call_fail(call, &err);
		return;
	}
	self->get.tenant = handle.tenant;
	self->get.user = handle.user;
	self->get.request_id = handle.request_id;
	reservation_get_start(&self->get, ctx, call_arena(call), get_done);
}

static void cancel_done(struct flow *flow)
{
	struct reservation_cancel *cancel = container_of(flow, struct reservation_cancel, flow);
	struct call *call = container_of(cancel, struct cancel_call, cancel)->call;
	Bursar__V1__CancelResponse answer = BURSAR__V1__CANCEL_RESPONSE__INIT;

	cancel_to_message(&cancel->settle, &answer);
	settle_release(&cancel->settle);
	if (flow->ok)
		call_reply_message(call, &answer.base);
	else
		call_fail(call, &flow->err);
}

void admin_cancel_reservation(struct call *call, void *ctx)
{
	struct cancel_call *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;
	const Bursar__V1__CancelReservationRequest *request =
		request_read(call, &bursar__v1__cancel_reservation_request__descriptor, &err);

	self->call = call;
	if (!request || !handle_of_ref(request->reservation, false, call_arena(call), &self->cancel.handle, &err)) {
		call_fail(call, &err);
		return;
	}
	self->cancel.actor = admin_actor(call);
	self->cancel.reason = request->reason;
	reservation_cancel_start(&self->cancel, ctx, call_arena(call), cancel_done);
}
