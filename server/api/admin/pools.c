/* Changes and reads the settings of pools (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "service/pool/admin.h"

/* Reads a tenant and one of its pools' names, with defaults; false when the call has already been failed. */
static bool ref_read(struct call *call, const Bursar__V1__PoolRef *ref, const char **tenant, const char **name)
{
	struct err err;

	*tenant = tenant_or_default(ref ? ref->tenant : "");
	*name = ref && ref->name[0] ? ref->name : POOL_DEFAULT;
	if (pool_name_check(*name, "ref.name", &err))
		return true;
	call_fail(call, &err);
	return false;
}

static Bursar__V1__PoolRef *ref_message(struct arena *arena, const char *tenant, const char *name)
{
	Bursar__V1__PoolRef *ref = message_new(arena, PoolRef, pool_ref);

	ref->tenant = unconst(tenant);
	ref->name = unconst(name);
	return ref;
}

Bursar__V1__Pool *admin_pool_message(struct arena *arena, const struct pool_row *row)
{
	const struct pool_settings *s = &row->settings;
	Bursar__V1__Pool *message = message_new(arena, Pool, pool);

	message->ref = ref_message(arena, row->tenant, s->name);
	message->slots = s->slots;
	message->slots_from_option = s->slots_from_option;
	message->paused = s->paused;
	message->available = s->available;
	message->queue_limit = s->queue_limit;
	message->level_queue_limit = s->level_queue_limit;
	message->user_queue_limit = s->user_queue_limit;
	message->age_every = s->age_every;
#define TIME(name) message->name = s->name;
	ADMIN_POOL_TIMES(TIME)
#undef TIME
	message->generation = s->gen;
	message->updated_at_us = row->updated_at_us;
	message->etag = unconst(row->etag);
	message->levels = message_list(arena, POOL_LEVELS_MAX);
	for (int i = 0; i < s->level_count; i++) {
		Bursar__V1__PoolLevel *level = message_new(arena, PoolLevel, pool_level);
		level->priority = s->level[i].priority;
		level->weight = s->level[i].weight;
		level->queue_limit = s->level[i].queue_limit;
		message->levels[message->n_levels++] = level;
	}
	return message;
}

/* A change in progress, in its call's arena. */
struct edit_call {
	struct pool_edit edit;
	struct call *call;
	const Bursar__V1__PutPoolRequest *put;
};

static void edit_done(struct flow *flow)
{
	struct pool_edit *edit = container_of(flow, struct pool_edit, flow);
	struct call *call = container_of(edit, struct edit_call, edit)->call;
	Bursar__V1__Pool *message;

	if (!flow->ok) {
		call_fail(call, &flow->err);
		return;
	}
	message = admin_pool_message(call_arena(call), &edit->op.row);
	message->pending = edit->pending;
	call_reply_message(call, &message->base);
}

void admin_pool_levels_read(Bursar__V1__PoolLevel *const *levels, size_t count, struct pool_settings *s)
{
	s->level_count = (int)count;
	for (size_t i = 0; i < count; i++)
		s->level[i] = (struct pool_level){
			.priority = levels[i]->priority,
			.weight = levels[i]->weight ? levels[i]->weight : levels[i]->priority,
			.queue_limit = levels[i]->queue_limit,
		};
}

static bool levels_put(const Bursar__V1__PutPoolRequest *put, struct pool_settings *s, struct err *err)
{
	if (put->clear_levels)
		s->level_count = 0;
	if (put->n_levels == 0)
		return true;
	if (put->n_levels > POOL_LEVELS_MAX)
		return err_invalid(
			err, "levels", "has %zu entries; a pool has at most %d levels", put->n_levels, POOL_LEVELS_MAX);
	admin_pool_levels_read(put->levels, put->n_levels, s);
	return true;
}

/* Settings that the request omits keep their values. Runs on one of the store's threads. */
static bool put_change(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	const struct pool_edit *edit = container_of(op, struct pool_edit, op);
	const Bursar__V1__PutPoolRequest *put = container_of(edit, struct edit_call, edit)->put;
	struct pool_settings *s = &row->settings;
	bool slots = put->slots_given_case == BURSAR__V1__PUT_POOL_REQUEST__SLOTS_GIVEN_SLOTS;

	if (slots && put->slots_from_option)
		return err_invalid(err, "slots", "conflicts with slots_from_option: give only one of them");
	if (!known && !slots && !put->slots_from_option)
		return err_invalid(err, "slots", "is required: there is no pool %s yet", op->name);
	if (slots || put->slots_from_option)
		s->slots_from_option = put->slots_from_option;
	if (slots)
		s->slots = put->slots;
	if (put->paused_given_case == BURSAR__V1__PUT_POOL_REQUEST__PAUSED_GIVEN_PAUSED)
		s->paused = put->paused;
	if (put->available_given_case == BURSAR__V1__PUT_POOL_REQUEST__AVAILABLE_GIVEN_AVAILABLE)
		s->available = put->available;
	if (put->user_queue_limit_given_case == BURSAR__V1__PUT_POOL_REQUEST__USER_QUEUE_LIMIT_GIVEN_USER_QUEUE_LIMIT)
		s->user_queue_limit = put->user_queue_limit;
	if (put->queue_limit)
		s->queue_limit = put->queue_limit;
	if (put->level_queue_limit)
		s->level_queue_limit = put->level_queue_limit;
	if (put->age_every)
		s->age_every = put->age_every;
#define TIME(name) \
	if (put->name) \
		s->name = put->name;
	ADMIN_POOL_TIMES(TIME)
#undef TIME
	return levels_put(put, s, err) && pool_settings_check(s, err);
}

static void edit_start(struct edit_call *edit, void *ctx, const char *reason)
{
	if (admin_job_begin(edit->call, &edit->edit.op.job, reason))
		pool_edit_start(&edit->edit, ctx, call_arena(edit->call), edit_done);
}

void admin_put_pool(struct call *call, void *ctx)
{
	struct edit_call *edit = arena_zalloc(call_arena(call), 1, sizeof(*edit));
	struct err err;

	edit->call = call;
	edit->put = request_read(call, &bursar__v1__put_pool_request__descriptor, &err);
	if (!edit->put) {
		call_fail(call, &err);
		return;
	}
	if (!ref_read(call, edit->put->ref, &edit->edit.op.tenant, &edit->edit.op.name))
		return;
	edit->edit.op.change = put_change;
	edit_start(edit, ctx, edit->put->reason);
}

static bool resume_change(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	if (!known)
		return err_set(err, ERR_NOT_FOUND, "ref.name: tenant %s has no pool %s", op->tenant, op->name) ||
		       err_reason_of(err, "POOL_NOT_FOUND", "%s", op->name);
	row->settings.paused = false;
	return true;
}

void admin_resume_pool(struct call *call, void *ctx)
{
	struct edit_call *edit = arena_zalloc(call_arena(call), 1, sizeof(*edit));
	const Bursar__V1__ResumePoolRequest *request = request_take(call, &bursar__v1__resume_pool_request__descriptor);

	edit->call = call;
	if (!request)
		return;
	if (!ref_read(call, request->ref, &edit->edit.op.tenant, &edit->edit.op.name))
		return;
	edit->edit.resume = true;
	edit->edit.op.change = resume_change;
	edit_start(edit, ctx, request->reason);
}

static void list_answer(struct call *call, const struct pool_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListPoolsResponse *answer = message_new(arena, ListPoolsResponse, list_pools_response);

	admin_rows(arena, op, answer->pools, answer->n_pools, admin_pool_message);
	call_reply_message(call, &answer->base);
}

static void get_answer(struct call *call, const struct pool_list *op)
{
	struct err err;

	if (op->count == 1) {
		call_reply_message(call, &admin_pool_message(call_arena(call), &op->rows[0])->base);
		return;
	}
	err_set(&err, ERR_NOT_FOUND, "ref.name: tenant %s has no pool %s", op->tenant, op->name);
	err_reason_of(&err, "POOL_NOT_FOUND", "%s", op->name);
	call_fail(call, &err);
}

ADMIN_CALL(list_call, pool_list, ListPoolsRequest, list_pools_request, list_done, list_answer)
ADMIN_CALL(get_call, pool_list, GetPoolRequest, get_pool_request, get_done, get_answer)

void admin_list_pools(struct call *call, void *ctx)
{
	struct list_call *list = list_call_new(call);

	if (!list)
		return;
	list->op.job = admin_question(call, list_done);
	list->op.tenant = tenant_or_default(list->request->tenant);
	admin_ask(ctx, pool_list, &list->op);
}

void admin_get_pool(struct call *call, void *ctx)
{
	struct get_call *get = get_call_new(call);

	if (!get)
		return;
	get->op.job = admin_question(call, get_done);
	if (ref_read(call, get->request->ref, &get->op.tenant, &get->op.name))
		admin_ask(ctx, pool_list, &get->op);
}
