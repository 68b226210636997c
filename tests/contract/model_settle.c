/* The model's record, cancel and renew. */
#include "model_store.h"

#include <string.h>

static void settle_answer(struct limits_settle *op, enum limits_status status, const struct marker *marker,
	const struct amounts *charged, const struct amounts *released)
{
	op->op.status = status;
	op->state = marker->reservation.state;
	op->late = marker->was_late;
	op->charged = *charged;
	op->released = *released;
}

/* The marker of a record, made if the request is unknown. */
static struct marker *marker_unknown(
	struct model *model, struct limits_settle *op, struct loaded *loaded, struct settled *out)
{
	struct request request = {.interface_hash = op->interface_hash, .model_hash = op->model_hash};
	struct marker *marker = marker_new(model, op->tenant, op->user, op->request_id);

	decision_charge(loaded->pointer, loaded->count, &request, &op->used, model->now_us, &marker->reservation, out,
		loaded->verdict);
	if (op->started_at_us > 0)
		marker->reservation.started_at_us = op->started_at_us;
	if (!op->final)
		marker->reservation.state = RESERVATION_EXPIRED;
	marker_accounts(marker, op->belief, op->count);
	return marker;
}

static enum limits_status record_refusal(const struct marker *marker, const struct limits_settle *op)
{
	if (!marker)
		return op->even_if_unknown ? LIMITS_OK : LIMITS_UNKNOWN;
	if (marker->is_reset)
		return LIMITS_CLOSED;
	if (!marker_on(marker, op->belief, op->count))
		return LIMITS_NEEDKEYS;
	if (marker->reservation.attempts & UINT32_C(1) << op->attempt)
		return LIMITS_OK;
	return marker->reservation.state == RESERVATION_RECORDED ? LIMITS_CLOSED : LIMITS_OK;
}

static void record_settle(struct model *model, struct limits_settle *op, struct marker *marker, struct loaded *loaded)
{
	struct settlement settlement = {.used = op->used, .final = op->final, .becomes = RESERVATION_RECORDED};
	struct settled out;

	if (!marker) {
		marker = marker_unknown(model, op, loaded, &out);
	} else {
		decision_settle(
			loaded->pointer, &marker->reservation, &settlement, model->now_us, &out, loaded->verdict);
		marker->was_late = out.late;
	}
	marker->reservation.attempts |= UINT32_C(1) << op->attempt;
	marker->last = out.charged;
	marker_close(model, marker);
	save_all(loaded);
	settle_answer(op, LIMITS_OK, marker, &out.charged, &out.released);
}

void model_record(struct backend *backend, struct limits_settle *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->tenant, op->user, op->request_id);
	struct loaded loaded;

	op->op.now_us = model->now_us;
	op->op.status = record_refusal(marker, op);
	if (op->op.status != LIMITS_OK) {
		op->state = marker ? marker->reservation.state : RESERVATION_NONE;
		return;
	}
	op->op.status = load_all(model, &op->op, op->belief, op->count, marker != NULL, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (marker && marker->reservation.attempts & UINT32_C(1) << op->attempt)
		settle_answer(op, LIMITS_REPEAT, marker, &marker->last, &(struct amounts){0});
	else
		record_settle(model, op, marker, &loaded);
	standings_answer(&op->op, op->belief, &loaded);
	loaded_free(&loaded);
}

void model_cancel(struct backend *backend, struct limits_settle *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->tenant, op->user, op->request_id);
	struct settlement settlement = {.final = true, .becomes = RESERVATION_CANCELLED};
	struct settled out = {0};
	struct loaded loaded;

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_UNKNOWN;
	if (!marker)
		return;
	op->state = marker->reservation.state;
	op->op.status = LIMITS_CLOSED;
	if (marker->is_reset || op->state == RESERVATION_RECORDED || op->state == RESERVATION_EXPIRED)
		return;
	op->op.status = LIMITS_NEEDKEYS;
	if (!marker_on(marker, op->belief, op->count))
		return;
	op->op.status = load_all(model, &op->op, op->belief, op->count, true, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (op->state == RESERVATION_CANCELLED) {
		settle_answer(op, LIMITS_REPEAT, marker, &out.charged, &out.released);
	} else {
		decision_settle(loaded.pointer, &marker->reservation, &settlement, model->now_us, &out, loaded.verdict);
		save_all(&loaded);
		settle_answer(op, LIMITS_OK, marker, &out.charged, &out.released);
		if (op->forget && !marker->reservation.attempts)
			marker_forget(marker);
		else
			marker_close(model, marker);
	}
	standings_answer(&op->op, op->belief, &loaded);
	loaded_free(&loaded);
}

void model_renew(struct backend *backend, struct limits_renew *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->tenant, op->user, op->request_id);

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_UNKNOWN;
	if (!marker)
		return;
	op->op.status = LIMITS_CLOSED;
	if (marker->is_reset || marker->reservation.state != RESERVATION_OPEN)
		return;
	if (model->now_us + op->ttl_us > marker->reservation.expires_at_us)
		marker->reservation.expires_at_us = model->now_us + op->ttl_us;
	op->expires_at_us = marker->reservation.expires_at_us;
	op->op.status = LIMITS_OK;
}
