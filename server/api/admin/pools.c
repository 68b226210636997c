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
	message->lease_us = s->lease_us;
	message->age_us = s->age_us;
	message->age_every = s->age_every;
	message->starve_us = s->starve_us;
	message->predicted_wait_max_us = s->predicted_wait_max_us;
	message->wait_max_us = s->wait_max_us;
	message->estimate_us = s->estimate_us;
	message->learn_margin_us = s->learn_margin_us;
	message->drain_us = s->drain_us;
	message->generation = s->gen;
	message->updated_at_us = row->updated_at_us;
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

static bool levels_put(const Bursar__V1__PutPoolRequest *put, struct pool_settings *s, struct err *err)
{
	if (put->clear_levels)
		s->level_count = 0;
	if (put->n_levels == 0)
		return true;
	if (put->n_levels > POOL_LEVELS_MAX)
		return err_invalid(
			err, "levels", "has %zu entries; a pool has at most %d levels", put->n_levels, POOL_LEVELS_MAX);
	s->level_count = (int)put->n_levels;
	for (int i = 0; i < s->level_count; i++)
		s->level[i] = (struct pool_level){
			.priority = put->levels[i]->priority,
			.weight = put->levels[i]->weight ? put->levels[i]->weight : put->levels[i]->priority,
			.queue_limit = put->levels[i]->queue_limit,
		};
	return true;
}

static void times_put(const Bursar__V1__PutPoolRequest *put, struct pool_settings *s)
{
	const struct {
		int64_t given, *to;
	} times[] = {
		{put->lease_us, &s->lease_us},
		{put->age_us, &s->age_us},
		{put->starve_us, &s->starve_us},
		{put->predicted_wait_max_us, &s->predicted_wait_max_us},
		{put->wait_max_us, &s->wait_max_us},
		{put->estimate_us, &s->estimate_us},
		{put->learn_margin_us, &s->learn_margin_us},
		{put->drain_us, &s->drain_us},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (times[i].given)
			*times[i].to = times[i].given;
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
	times_put(put, s);
	return levels_put(put, s, err) && pool_settings_check(s, err);
}

static void edit_start(struct edit_call *edit, void *ctx, const char *reason)
{
	edit->edit.op.job.actor = admin_actor(edit->call);
	edit->edit.op.job.reason = reason;
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

struct list_call {
	struct pool_list op;
	struct call *call;
};

static void list_done(struct admin_job *job)
{
	struct pool_list *op = container_of(job, struct pool_list, job);
	struct call *call = container_of(op, struct list_call, op)->call;
	struct arena *arena = call_arena(call);
	Bursar__V1__ListPoolsResponse *answer = message_new(arena, ListPoolsResponse, list_pools_response);

	if (!admin_went_well(call, job))
		return;
	answer->pools = message_list(arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++)
		answer->pools[answer->n_pools++] = admin_pool_message(arena, &op->rows[i]);
	call_reply_message(call, &answer->base);
}

static void get_done(struct admin_job *job)
{
	struct pool_list *op = container_of(job, struct pool_list, job);
	struct call *call = container_of(op, struct list_call, op)->call;
	struct err err;

	if (!admin_went_well(call, job))
		return;
	if (op->count == 1) {
		call_reply_message(call, &admin_pool_message(call_arena(call), &op->rows[0])->base);
		return;
	}
	err_set(&err, ERR_NOT_FOUND, "ref.name: tenant %s has no pool %s", op->tenant, op->name);
	err_reason_of(&err, "POOL_NOT_FOUND", "%s", op->name);
	call_fail(call, &err);
}

static void list_start(
	struct call *call, void *ctx, const char *tenant, const char *name, void (*done)(struct admin_job *job))
{
	struct list_call *list = arena_zalloc(call_arena(call), 1, sizeof(*list));
	struct worker *worker = ctx;

	list->call = call;
	list->op = (struct pool_list){
		.job = {.arena = call_arena(call), .done = done, .actor = "", .reason = ""},
		.tenant = tenant,
		.name = name,
	};
	worker->parts.admin->ops->pool_list(worker->parts.admin, &list->op);
}

void admin_list_pools(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__ListPoolsRequest *request =
		request_read(call, &bursar__v1__list_pools_request__descriptor, &err);

	if (request)
		list_start(call, ctx, tenant_or_default(request->tenant), NULL, list_done);
	else
		call_fail(call, &err);
}

void admin_get_pool(struct call *call, void *ctx)
{
	const char *tenant, *name;
	struct err err;
	const Bursar__V1__GetPoolRequest *request = request_read(call, &bursar__v1__get_pool_request__descriptor, &err);

	if (!request)
		call_fail(call, &err);
	else if (ref_read(call, request->ref, &tenant, &name))
		list_start(call, ctx, tenant, name, get_done);
}
