/* The model's record, cancel and renew. */
#include "model_store.h"
#include "seeding.h"

#include <stdio.h>
#include <string.h>

static void settle_answer(struct limits_settle *op, enum limits_status status, const struct marker *marker,
	const struct amounts *charged, const struct amounts *released)
{
	op->op.status = status;
	op->state = marker->reservation.state;
	op->late = false;
	op->charged = *charged;
	op->released = *released;
	op->recorded = NULL;
	op->recorded_len = 0;
}

/* Answers a record with what is stored of its attempt. */
static void attempt_answer(struct limits_settle *op, enum limits_status status, const struct marker *marker,
	const struct amounts *released)
{
	settle_answer(op, status, marker, &marker->attempt[op->attempt].charged, released);
	op->late = marker->attempt[op->attempt].late;
	op->recorded = marker->attempt[op->attempt].usage;
	op->recorded_len = marker->attempt[op->attempt].usage_len;
}

static void attempt_keep(struct marker *marker, const struct limits_settle *op, const struct settled *out, bool late)
{
	marker->reservation.attempts |= UINT32_C(1) << op->attempt;
	marker->attempt[op->attempt].late = late;
	marker->attempt[op->attempt].charged = out->charged;
	marker->attempt[op->attempt].usage_len = op->usage_len;
	if (op->usage_len)
		memcpy(marker->attempt[op->attempt].usage, op->usage, op->usage_len);
	marker->released = out->released;
}

/* The marker of a record; made if the request is unknown. */
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
	marker_accounts(marker, op->expected, op->count);
	return marker;
}

static bool was_recorded(const struct marker *marker, const struct limits_settle *op)
{
	return marker && marker->reservation.attempts & UINT32_C(1) << op->attempt;
}

static enum limits_status record_refusal(const struct marker *marker, const struct limits_settle *op)
{
	if (!marker)
		return op->even_if_unknown ? LIMITS_OK : LIMITS_UNKNOWN;
	if (marker->is_reset)
		return LIMITS_CLOSED;
	if (!marker_on(marker, op->expected, op->count))
		return LIMITS_NEEDKEYS;
	if (was_recorded(marker, op))
		return LIMITS_OK;
	return marker->reservation.state == RESERVATION_RECORDED ? LIMITS_CLOSED : LIMITS_OK;
}

static void record_settle(struct model *model, struct limits_settle *op, struct marker *marker, struct loaded *loaded)
{
	struct settlement settlement = {.used = op->used, .final = op->final, .becomes = RESERVATION_RECORDED};
	struct settled out;
	bool late = false;

	if (!marker) {
		marker = marker_unknown(model, op, loaded, &out);
	} else {
		decision_settle(
			loaded->pointer, &marker->reservation, &settlement, model->now_us, &out, loaded->verdict);
		late = out.late;
	}
	attempt_keep(marker, op, &out, late);
	nonce_first(marker, nonce_of(model, op->nonce));
	marker_close(model, marker);
	save_all(loaded);
	attempt_answer(op, LIMITS_OK, marker, &out.released);
}

/* The attempt was the last one after all: what is still held goes back. */
static void end_again(struct model *model, struct limits_settle *op, struct marker *marker, struct loaded *loaded)
{
	struct settlement settlement = {.final = true, .becomes = RESERVATION_RECORDED};
	struct settled out;

	decision_settle(loaded->pointer, &marker->reservation, &settlement, model->now_us, &out, loaded->verdict);
	marker->released = out.released;
	marker->ended_again = true;
	nonce_first(marker, nonce_of(model, op->nonce));
	marker_close(model, marker);
	save_all(loaded);
	attempt_answer(op, LIMITS_REPEAT, marker, &out.released);
}

/* Already recorded: by this very call, which has arrived twice, or by an earlier call of the caller. */
static void recorded_answer(struct limits_settle *op, const struct marker *marker)
{
	bool closed = marker->reservation.state ==
		      RESERVATION_RECORDED; /* by a record; otherwise a cancel has given it back */

	if (op->nonce && nonce_find(marker, op->nonce) >= 0)
		attempt_answer(op, marker->ended_again ? LIMITS_REPEAT : LIMITS_OK, marker,
			closed ? &marker->released : &(struct amounts){0});
	else
		attempt_answer(op, LIMITS_REPEAT, marker, &(struct amounts){0});
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
	op->op.status = load_all(model, &op->op, op->expected, op->count, marker != NULL, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (was_recorded(marker, op) && op->final && marker->reservation.state == RESERVATION_OPEN)
		end_again(model, op, marker, &loaded);
	else if (was_recorded(marker, op))
		recorded_answer(op, marker);
	else
		record_settle(model, op, marker, &loaded);
	standings_answer(&op->op, op->expected, &loaded);
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
	op->op.status = LIMITS_CLOCK;
	if (op->latest_us && model->now_us > op->latest_us)
		return;
	op->op.status = LIMITS_UNKNOWN;
	if (!marker)
		return;
	op->state = marker->reservation.state;
	op->op.status = LIMITS_CLOSED;
	if (marker->is_reset || op->state == RESERVATION_RECORDED || op->state == RESERVATION_EXPIRED ||
		(op->unless_repeated && marker->asked > 1))
		return;
	op->op.status = LIMITS_NEEDKEYS;
	if (!marker_on(marker, op->expected, op->count))
		return;
	op->op.status = load_all(model, &op->op, op->expected, op->count, true, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	if (op->state == RESERVATION_CANCELLED && op->nonce && nonce_find(marker, op->nonce) >= 0) {
		settle_answer(op, LIMITS_OK, marker, &out.charged, &marker->released);
	} else if (op->state == RESERVATION_CANCELLED) {
		settle_answer(op, LIMITS_REPEAT, marker, &out.charged, &out.released);
	} else {
		decision_settle(loaded.pointer, &marker->reservation, &settlement, model->now_us, &out, loaded.verdict);
		save_all(&loaded);
		settle_answer(op, LIMITS_OK, marker, &out.charged, &out.released);
		marker->released = out.released;
		nonce_first(marker, nonce_of(model, op->nonce));
		if (op->forget && !marker->reservation.attempts)
			marker_forget(marker);
		else
			marker_close(model, marker);
	}
	standings_answer(&op->op, op->expected, &loaded);
	loaded_free(&loaded);
}

/* True if the check relied on the marker, which it no longer does. */
static bool nonce_leave(struct marker *marker, uint64_t nonce)
{
	int place = nonce_find(marker, nonce);

	if (place >= 0)
		marker->nonce[place] = 0;
	return place >= 0;
}

static bool nonces_gone(const struct marker *marker)
{
	for (int i = 0; i < marker->asked; i++)
		if (marker->nonce[i])
			return false;
	return true;
}

/* Works on the accounts as they are: a call that gives up knows no windows. */
static void marker_give_back(struct model *model, struct marker *marker, const struct expected expected[])
{
	struct settlement settlement = {.final = true, .becomes = RESERVATION_CANCELLED};
	struct account_state *states[ACCOUNTS_MAX] = {NULL};
	struct verdict verdicts[ACCOUNTS_MAX];
	struct settled out;

	for (int i = 0; i < marker->reservation.accounts; i++) {
		struct account *account = account_of(model, &expected[i]);

		states[i] = account ? &account->state : NULL;
		if (account && account->state.clock_us < model->now_us)
			account->state.clock_us = model->now_us;
	}
	decision_settle(states, &marker->reservation, &settlement, model->now_us, &out, verdicts);
	marker_forget(marker);
}

void model_give_up(struct backend *backend, struct limits_settle *op)
{
	struct model *model = model_of(backend);
	struct marker *marker = marker_find(model, op->tenant, op->user, op->request_id);
	uint64_t nonce[ASKED_MAX];

	op->op.now_us = model->now_us;
	op->op.status = LIMITS_NOTHING;
	if (!marker || marker->is_reset || marker->reservation.state != RESERVATION_OPEN ||
		marker->reservation.attempts)
		return;
	memcpy(nonce, marker->nonce, sizeof(nonce));
	if (!nonce_leave(marker, op->nonce))
		return;
	op->op.status = LIMITS_OK;
	if (!nonces_gone(marker))
		return;
	if (marker_on(marker, op->expected, op->count)) {
		marker_give_back(model, marker, op->expected);
		return;
	}
	op->op.status = LIMITS_NEEDKEYS;
	memcpy(marker->nonce, nonce, sizeof(nonce));
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

/* Adjustment ids have a namespace of their own, separate from requests. */
static struct marker *adjustment(struct model *model, const struct limits_adjust *op, bool make)
{
	char id[ID_MAX + 8];

	snprintf(id, sizeof(id), "adjust %s", op->adjustment_id);
	return make ? marker_new(model, op->tenant, op->user, id) : marker_find(model, op->tenant, op->user, id);
}

void model_adjust(struct backend *backend, struct limits_adjust *op)
{
	struct model *model = model_of(backend);
	struct request request = {.interface_hash = op->interface_hash, .model_hash = op->model_hash};
	struct marker *marker = adjustment(model, op, false);
	struct loaded loaded;

	op->op.now_us = model->now_us;
	op->op.unseeded_count = 0;
	if (marker) {
		op->op.status = memcmp(marker->digest, op->digest, 8) == 0 ? LIMITS_REPEAT : LIMITS_CONFLICT;
		return;
	}
	op->op.status = load_all(model, &op->op, op->expected, op->count, false, &loaded);
	if (op->op.status != LIMITS_OK)
		return;
	for (int i = 0; i < loaded.count; i++)
		unseeded_add(&op->op, i, loaded.pointer[i]);
	if (op->op.unseeded_count)
		op->op.status = LIMITS_UNSEEDED;
	else if (!op->ledger_only && !decision_adjust(loaded.pointer, loaded.count, &request, &op->amounts,
					     op->counted_at_us > 0 ? op->counted_at_us : model->now_us, &op->lacking))
		op->op.status = LIMITS_DENIED;
	if (op->op.status == LIMITS_OK) {
		if (!op->ledger_only)
			save_all(&loaded);
		marker = adjustment(model, op, true);
		memcpy(marker->digest, op->digest, 8);
		marker->ends_us = model->now_us + model->window_us;
	}
	loaded_free(&loaded);
}
