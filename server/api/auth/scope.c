/* auth_scope() of api/auth/auth.h: walks over a message by its descriptor and restricts every part to the caller. */
#include <string.h>

#include "api/auth/private.h"
#include "base/unconst.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "domain/record/entry.h"
#include "domain/limit/name.h"
#include "service/pool/pool.h"

struct scope {
	const struct caller *caller;
	struct arena *arena;
};

static bool other_tenant(const char *field, struct err *err)
{
	err_set(err, ERR_PERMISSION, "%s: does not belong to the key's tenant", field);
	return err_reason(err, "OTHER_TENANT");
}

static bool tenant_hold(const struct scope *scope, char **tenant, const char *field, struct err *err)
{
	if (!(*tenant)[0])
		*tenant = unconst(scope->caller->tenant);
	return strcmp(*tenant, scope->caller->tenant) == 0 || other_tenant(field, err);
}

static bool user_hold(const struct scope *scope, char **user, struct err *err)
{
	const char *account = scope->caller->account;

	if (!account[0])
		return true;
	if (!(*user)[0])
		*user = unconst(account);
	if (strcmp(*user, account) == 0)
		return true;
	err_set(err, ERR_PERMISSION, "user: the key belongs to another user");
	return err_reason(err, "OTHER_USER");
}

/* A request without an interface counts as coming from the first one that the key allows. */
static bool interface_hold(const struct scope *scope, char **interface, struct err *err)
{
	const char *allowed = scope->caller->interfaces;

	if (!allowed[0])
		return true;
	if (!(*interface)[0])
		*interface = arena_strndup(scope->arena, allowed, strcspn(allowed, "\n"));
	interface_fold(*interface);
	if (key_list_has(allowed, *interface, strlen(*interface)))
		return true;
	err_set(err, ERR_PERMISSION, "interface: the key does not allow %.64s", *interface);
	return err_reason(err, "OTHER_INTERFACE");
}

/* Accepts unreadable handles: the code that uses them refuses them and names their field. */
static bool handle_hold(const struct scope *scope, const char *text, bool lease, struct err *err)
{
	struct handle handle = {.tenant = ""};
	struct lease_handle slot = {.tenant = ""};

	if (!text[0])
		return true;
	if (lease ? !lease_parse(text, "lease", scope->arena, &slot, NULL)
		  : !handle_parse(text, strlen(text), "handle", scope->arena, &handle, NULL))
		return true;
	if (strcmp(lease ? slot.tenant : handle.tenant, scope->caller->tenant) == 0)
		return true;
	return other_tenant(lease ? "lease" : "handle", err);
}

static bool text_hold(const struct scope *scope, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
	char **text, struct err *err)
{
	const ProtobufCMessageDescriptor *type = message->descriptor;
	const char *name = field->name;

	/* A handle already carries its tenant: filling in another beside it would be an error (handle_of_ref). */
	if (type == &bursar__v1__reservation_ref__descriptor && strcmp(name, "tenant") == 0 &&
		((const Bursar__V1__ReservationRef *)message)->handle[0])
		return !(*text)[0] || tenant_hold(scope, text, name, err);
	if (strcmp(name, "tenant") == 0)
		return tenant_hold(scope, text, name, err);
	if (strcmp(name, "id") == 0 &&
		(type == &bursar__v1__tenant__descriptor || type == &bursar__v1__get_tenant_request__descriptor))
		return tenant_hold(scope, text, name, err);
	if (strcmp(name, "lease") == 0 || strcmp(name, "handle") == 0)
		return handle_hold(scope, *text, name[0] == 'l', err);
	if (strcmp(name, "user") == 0)
		return user_hold(scope, text, err);
	if (strcmp(name, "interface") == 0 &&
		(type == &bursar__v1__check_request__descriptor || type == &bursar__v1__record_request__descriptor))
		return interface_hold(scope, text, err);
	return true;
}

static bool message_hold(const struct scope *scope, ProtobufCMessage *message, struct err *err);

static bool list_hold(const struct scope *scope, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
	struct err *err)
{
	size_t count = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
	ProtobufCMessage **parts = *(ProtobufCMessage ***)(void *)((char *)(uintptr_t)message + field->offset);

	for (size_t i = 0; i < count; i++)
		if (!message_hold(scope, parts[i], err))
			return err_prefix(err, "%s[%zu].", field->name, i);
	return true;
}

/* Without a PoolRef the request means agent-execution of the caller's tenant, not that of the tenant `default`. */
static void pool_fill(const struct scope *scope, const ProtobufCFieldDescriptor *field, ProtobufCMessage **part)
{
	Bursar__V1__PoolRef *ref;

	if (*part || field->descriptor != &bursar__v1__pool_ref__descriptor)
		return;
	ref = arena_alloc(scope->arena, sizeof(*ref));
	bursar__v1__pool_ref__init(ref);
	*part = &ref->base;
}

static bool message_hold(const struct scope *scope, ProtobufCMessage *message, struct err *err)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		void *at = (char *)message + field->offset;

		if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label == PROTOBUF_C_LABEL_REPEATED) {
			if (!list_hold(scope, message, field, err))
				return false;
		} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
			ProtobufCMessage **part = at;
			pool_fill(scope, field, part);
			if (*part && !message_hold(scope, *part, err))
				return err_prefix(err, "%s.", field->name);
		} else if (field->type == PROTOBUF_C_TYPE_STRING && field->label != PROTOBUF_C_LABEL_REPEATED) {
			if (!text_hold(scope, message, field, at, err))
				return false;
		}
	}
	return true;
}

bool auth_scope(struct call *call, ProtobufCMessage *message, struct arena *arena, struct err *err)
{
	const struct caller *caller = call_caller(call);

	if (!caller || !caller->tenant[0])
		return true;
	return message_hold(&(struct scope){.caller = caller, .arena = arena}, message, err);
}
