/* The methods of bursar.v1.Admin, and what their handlers share. */
#include "api/admin.h"

#include <string.h>

#include "api/admin_private.h"
#include "api/doors.h"

#define ADMIN(Name, name, kind_, access_) \
	{.path = "/bursar.v1.Admin/" #Name, .handle = admin_##name, .kind = kind_, .access = access_},
#define HANDLER(Name, name, access) ADMIN(Name, name, RPC_UNARY, access)
#define STREAM(Name, name, access) ADMIN(Name, name, RPC_SERVER_STREAM, access)
const struct rpc_method admin_methods[] = {
#include "api/admin_methods.def"
	{0},
};
#undef HANDLER
#undef STREAM

bool admin_key(struct call *call, const Bursar__V1__AccountRef *ref, struct account_key *key)
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
		err_invalid(&err, "ref.id", "is needed: the id of the %s", account_kind_name(key->kind));
	else if (key->kind == ACCOUNT_TENANT && strcmp(key->id, key->tenant) != 0)
		err_invalid(&err, "ref.id", "of a tenant's account is the tenant's own id, %s", key->tenant);
	else
		return true;
	call_fail(call, &err);
	return false;
}

Bursar__V1__AccountRef *admin_ref(struct arena *arena, const struct account_key *key)
{
	Bursar__V1__AccountRef *ref = message_new(arena, AccountRef, account_ref);

	ref->tenant = admin_text(key->tenant);
	ref->kind = (Bursar__V1__AccountKind)key->kind;
	ref->id = admin_text(key->id);
	return ref;
}

const char *admin_actor(struct call *call)
{
	return caller_text(call);
}

bool admin_went_well(struct call *call, const struct admin_job *job)
{
	if (!job->ok)
		call_fail(call, &job->err);
	return job->ok;
}

bool admin_all_tenants(struct call *call, bool all, struct err *err)
{
	if (!all || !caller_tenant(call)[0])
		return true;
	err_set(err, ERR_PERMISSION, "all_tenants: is for operators");
	return err_reason(err, "OTHER_TENANT");
}

int admin_page(int asked, int usual, int most)
{
	if (asked <= 0)
		return usual;
	return asked < most ? asked : most;
}
