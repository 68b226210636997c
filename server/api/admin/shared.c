/* Helpers for the handlers of bursar.v1.Admin (api/admin/private.h). */
#include <string.h>

#include "api/admin/private.h"
#include "api/auth/auth.h"
#include "base/crypto/random.h"
#include "domain/limit/name.h"

bool admin_model_id(const struct catalog *catalog, const char *tenant, const char **id, const char *field,
	struct arena *arena, struct err *err)
{
	char *name = arena_strndup(arena, *id, strlen(*id));

	if (name_is_blank(name))
		return err_invalid(err, field, "contains only spaces");
	name_trim(name);
	if (!id_check(name, strlen(name), field, err))
		return false;
	*id = catalog_model_account_id(catalog, tenant, name, arena);
	return id_check(*id, strlen(*id), field, err);
}

/* Uses prices alone: a model without a price is searched for by its own name, not as the fallback model. */
const char *admin_model_wanted(
	const struct catalog *catalog, const char *tenant, const char *name, bool provider, struct arena *arena)
{
	char *wanted = arena_strndup(arena, name, strlen(name));
	const struct price *price;
	size_t len;

	interface_fold(wanted);
	name = arena_strndup(arena, name + strspn(name, " "), strlen(wanted));
	price = wanted[0] ? price_find(catalog_prices(catalog), tenant, "", name, catalog_names_at(catalog)) : NULL;
	if (!price)
		return wanted;
	len = strlen(price->provider);
	if (provider && strncmp(name, price->provider, len) == 0 && name[len] == '/')
		return arena_printf(arena, "%s/%s", price->provider, price->model);
	return arena_strndup(arena, price->model, strlen(price->model));
}

static bool model_key(struct call *call, struct worker *worker, struct account_key *key, struct err *err)
{
	struct snapshot *snapshot = snapshot_take(worker, err);
	bool ok = snapshot && admin_model_id(snapshot->catalog, key->tenant, &key->id, "ref.id", call_arena(call), err);

	snapshot_give(worker, snapshot);
	return ok;
}

bool admin_key(struct call *call, struct worker *worker, const Bursar__V1__AccountRef *ref, struct account_key *key)
{
	struct err err;

	*key = (struct account_key){
		.kind = ref->kind ? (enum account_kind)ref->kind : ACCOUNT_USER,
		.tenant = tenant_or_default(ref->tenant),
		.id = ref->id,
	};
	if (key->kind == ACCOUNT_TENANT && !key->id[0])
		key->id = key->tenant;
	if (!key->id[0])
		err_invalid(&err, "ref.id", "is required: the id of the %s", account_kind_name(key->kind));
	else if (key->kind == ACCOUNT_TENANT && strcmp(key->id, key->tenant) != 0)
		err_invalid(&err, "ref.id", "must be the tenant's own id, %s, for a tenant's account", key->tenant);
	else if (key->kind != ACCOUNT_MODEL || model_key(call, worker, key, &err))
		return true;
	call_fail(call, &err);
	return false;
}

Bursar__V1__AccountRef *admin_ref(struct arena *arena, const struct account_key *key)
{
	Bursar__V1__AccountRef *ref = message_new(arena, AccountRef, account_ref);

	ref->tenant = unconst(key->tenant);
	ref->kind = (Bursar__V1__AccountKind)key->kind;
	ref->id = unconst(key->id);
	return ref;
}

const char *admin_actor(struct call *call)
{
	return caller_text(call);
}

bool admin_job_begin(struct call *call, struct admin_job *job, const char *reason)
{
	struct err err;
	const char *list;
	size_t len;

	job->actor = admin_actor(call);
	job->reason = reason;
	if (!call_metadata(call, "if-match", &list, &len))
		return true;
	job->if_match = arena_strndup(call_arena(call), list, len);
	if (etag_list_check(job->if_match, "If-Match", &err))
		return true;
	call_fail(call, &err);
	return false;
}

bool admin_went_well(struct call *call, const struct admin_job *job)
{
	if (!job->ok)
		call_fail(call, &job->err);
	return job->ok;
}

struct snapshot *admin_snapshot(struct call *call, struct worker *worker)
{
	struct err err;
	struct snapshot *snapshot = snapshot_take(worker, &err);

	if (!snapshot)
		call_fail(call, &err);
	return snapshot;
}

const char *admin_change_id(struct call *call, const char *given)
{
	char id[33];

	if (given[0])
		return given;
	random_id(id);
	return arena_strndup(call_arena(call), id, 32);
}

struct admin_job admin_question(struct call *call, void (*done)(struct admin_job *job))
{
	return (struct admin_job){.arena = call_arena(call), .done = done, .actor = "", .reason = ""};
}

static void stream_cancelled(struct call *call, void *arg)
{
	(void)call;
	((struct admin_stream *)arg)->gone = true;
}

static void stream_drained(struct call *call, void *arg)
{
	(void)call;
	((struct admin_stream *)arg)->draining = true;
}

void admin_stream_watch(struct admin_stream *stream, struct call *call)
{
	call_on_cancel(call, stream_cancelled, stream);
	call_on_drain(call, stream_drained, stream);
}

bool admin_all_tenants(struct call *call, bool all, struct err *err)
{
	if (!all || !caller_tenant(call)[0])
		return true;
	err_set(err, ERR_PERMISSION, "all_tenants: is for operators only");
	return err_reason(err, "OTHER_TENANT");
}

int admin_page(int asked, int usual, int most)
{
	if (asked <= 0)
		return usual;
	return asked < most ? asked : most;
}

struct admin_edit *admin_edit_new(struct call *call, enum catalog_edit_kind kind)
{
	struct admin_edit *edit = arena_zalloc(call_arena(call), 1, sizeof(*edit));

	edit->call = call;
	edit->edit.kind = kind;
	return edit;
}

void admin_edit_start(struct admin_edit *edit, void *ctx, const char *reason, void (*done)(struct flow *flow))
{
	if (admin_job_begin(edit->call, &edit->edit.op.job, reason))
		catalog_edit_start(&edit->edit, ctx, call_arena(edit->call), done);
}
