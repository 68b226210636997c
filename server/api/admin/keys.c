/* API keys and the audit log (api/admin/private.h). */
#include <stdlib.h>
#include <string.h>

#include "api/admin/private.h"
#include "api/auth/auth.h"
#include "api/message/validate.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/units.h"
#include "base/utf8.h"
#include "domain/limit/name.h"
#include "service/cache/keys.h"

enum { LOOK_US = 5000, LOOK_MAX_US = 2000000 };
#define OVERLAP_US DAY_US

struct key_call {
	struct call *call;
	struct worker *worker;
	struct new_key made;
	/* The answer waits until this process's catalog has the change. */
	struct wait wait;
	int64_t give_up_us;
	bool gone; /* waits until the key is gone rather than present */
	uint8_t hash[KEY_HASH_BYTES];
	void (*reply)(struct key_call *own);
	union {
		struct admin_job job;
		struct key_create create;
		struct key_revoke revoke;
	} op;
};

char **admin_lines(struct arena *arena, const char *lines, size_t *count)
{
	char **list = message_list(arena, KEY_LIST_MAX);

	for (*count = 0; *lines && *count < KEY_LIST_MAX; ++*count) {
		size_t len = strcspn(lines, "\n");
		list[*count] = arena_strndup(arena, lines, len);
		lines += len + (lines[len] == '\n');
	}
	return list;
}

static Bursar__V1__ApiKey *key_message(struct arena *arena, const struct api_key *key)
{
	Bursar__V1__ApiKey *message = message_new(arena, ApiKey, api_key);

	message->id = key->id;
	message->tenant = unconst(key->tenant);
	message->role = (Bursar__V1__Role)key->role;
	message->account = unconst(key->account);
	message->label = unconst(key->label);
	message->prefix = unconst(key->prefix);
	message->interfaces = admin_lines(arena, key->interfaces, &message->n_interfaces);
	message->addresses = admin_lines(arena, key->networks, &message->n_addresses);
	message->created_at_us = key->created_at_us;
	message->expires_at_us = key->expires_at_us;
	message->revoked_at_us = key->revoked_at_us;
	message->last_used_at_us = key->used_at_us;
	message->last_used_from = unconst(key->used_from);
	message->rotated_to = key->rotated_to;
	return message;
}

/* Reads the request, restricted to the caller's tenant; NULL when the call has already been failed. */
static struct key_call *key_call_new(
	struct call *call, void *ctx, const ProtobufCMessageDescriptor *descriptor, const void **request)
{
	struct key_call *own = arena_zalloc(call_arena(call), 1, sizeof(*own));
	struct err err;

	own->call = call;
	own->worker = ctx;
	*request = request_read(call, descriptor, &err);
	if (*request)
		return own;
	call_fail(call, &err);
	return NULL;
}

static struct admin_job job_of(struct call *call, void (*done)(struct admin_job *job), const char *reason)
{
	return (struct admin_job){
		.arena = call_arena(call), .done = done, .actor = admin_actor(call), .reason = reason};
}

static struct key_call *own_of(struct admin_job *job)
{
	return container_of(job, struct key_call, op.job);
}

static void look_again(struct wait *wait)
{
	struct key_call *own = container_of(wait, struct key_call, wait);
	struct timers *timers = own->worker->parts.timers;
	struct err err;
	struct snapshot *snapshot = snapshot_take(own->worker, &err);
	bool there = snapshot && catalog_key(snapshot->catalog, own->hash);

	snapshot_give(own->worker, snapshot);
	if (there != own->gone || clock_mono_us() >= own->give_up_us)
		own->reply(own);
	else
		timers->start(timers, &own->wait, LOOK_US);
}

/*
 * Replies once the change is effective in this process: a new key works at once, a revoked one is refused. Other
 * processes follow within a second.
 */
static void reply_when_known(
	struct key_call *own, const struct api_key *key, bool gone, void (*reply)(struct key_call *own))
{
	own->reply = reply;
	own->gone = gone;
	memcpy(own->hash, key->hash, KEY_HASH_BYTES);
	own->give_up_us = clock_mono_us() + LOOK_MAX_US;
	own->wait = (struct wait){.due = look_again};
	catalog_source_poke(own->worker->parts.catalog);
	look_again(&own->wait);
}

static void reply_created(struct key_call *own)
{
	struct arena *arena = call_arena(own->call);
	Bursar__V1__CreateKeyResponse *answer = message_new(arena, CreateKeyResponse, create_key_response);

	answer->key = key_message(arena, &own->op.create.key);
	answer->secret = own->made.text;
	call_reply_message(own->call, &answer->base);
}

static void created(struct admin_job *job)
{
	struct key_call *own = own_of(job);

	if (admin_went_well(own->call, job))
		reply_when_known(own, &own->op.create.key, false, reply_created);
}

static const char *lines_of(struct arena *arena, char **list, size_t count)
{
	struct buf lines = {0};
	const char *text;

	for (size_t i = 0; i < count; i++)
		buf_putf(&lines, "%s%s", i ? "\n" : "", list[i]);
	text = arena_strndup(arena, buf_str(&lines), lines.len);
	buf_release(&lines);
	return text;
}

static bool lists_check(const Bursar__V1__CreateKeyRequest *request, struct err *err)
{
	for (size_t i = 0; i < request->n_interfaces; i++) {
		if (name_is_blank(request->interfaces[i]))
			return err_invalid(err, "interfaces", "contains an entry with only spaces");
		interface_fold(request->interfaces[i]);
		if (!id_check(request->interfaces[i], strlen(request->interfaces[i]), "interfaces", err))
			return false;
	}
	for (size_t i = 0; i < request->n_addresses; i++)
		if (!network_check(request->addresses[i], "addresses", err))
			return false;
	return true;
}

static bool create_check(struct call *call, const Bursar__V1__CreateKeyRequest *request, struct err *err)
{
	bool user = request->role == BURSAR__V1__ROLE__ROLE_USER;

	if ((enum role)request->role > caller_role(call)) {
		err_set(err, ERR_PERMISSION, "role: a key with the role %s cannot create one with the role %s",
			role_name(caller_role(call)), role_name((enum role)request->role));
		return err_reason(err, "ROLE");
	}
	if (request->role == BURSAR__V1__ROLE__ROLE_OPERATOR && request->tenant[0])
		return err_invalid(err, "tenant",
			"an operator's key covers all tenants: leave it empty, or create a key with the "
			"role admin");
	if (user && !request->account[0])
		return err_invalid(err, "account", "is required: the user that the key belongs to");
	if (!user && request->account[0])
		return err_invalid(err, "account", "is only for keys with the role user");
	if (request->expires_at_us && request->expires_at_us <= clock_wall_us())
		return err_invalid(err, "expires_at_us", "is in the past");
	return lists_check(request, err);
}

void admin_create_key(struct call *call, void *ctx)
{
	const void *read;
	struct key_call *own = key_call_new(call, ctx, &bursar__v1__create_key_request__descriptor, &read);
	const Bursar__V1__CreateKeyRequest *request = read;
	struct arena *arena = call_arena(call);
	struct err err = {0};
	bool operator_key;

	if (!own)
		return;
	if (!create_check(call, request, &err)) {
		call_fail(call, &err);
		return;
	}
	key_make(&own->made);
	operator_key = request->role == BURSAR__V1__ROLE__ROLE_OPERATOR;
	own->op.create = (struct key_create){
		.job = job_of(call, created, request->reason),
		.key = {.role = (enum role)request->role,
			.tenant = operator_key ? "" : tenant_or_default(request->tenant),
			.account = request->account,
			.label = request->label,
			.prefix = own->made.prefix,
			.interfaces = lines_of(arena, request->interfaces, request->n_interfaces),
			.networks = lines_of(arena, request->addresses, request->n_addresses),
			.expires_at_us = request->expires_at_us},
		.tenant = "",
	};
	memcpy(own->op.create.key.hash, own->made.hash, KEY_HASH_BYTES);
	admin_ask(own->worker, key_create, &own->op.create);
}

void admin_rotate_key(struct call *call, void *ctx)
{
	const void *read;
	struct key_call *own = key_call_new(call, ctx, &bursar__v1__rotate_key_request__descriptor, &read);
	const Bursar__V1__RotateKeyRequest *request = read;
	int64_t overlap_us;

	if (!own)
		return;
	overlap_us = request->overlap_given_case == BURSAR__V1__ROTATE_KEY_REQUEST__OVERLAP_GIVEN_OVERLAP_US
			     ? request->overlap_us
			     : OVERLAP_US;
	key_make(&own->made);
	own->op.create = (struct key_create){
		.job = job_of(call, created, request->reason),
		.rotate = true,
		.key = {.id = request->id, .prefix = own->made.prefix, .expires_at_us = request->expires_at_us},
		.old_ends_at_us = clock_wall_us() + overlap_us,
		.tenant = caller_tenant(call),
	};
	memcpy(own->op.create.key.hash, own->made.hash, KEY_HASH_BYTES);
	admin_ask(own->worker, key_create, &own->op.create);
}

static void reply_revoked(struct key_call *own)
{
	call_reply_message(own->call, &key_message(call_arena(own->call), &own->op.revoke.key)->base);
}

static void revoked(struct admin_job *job)
{
	struct key_call *own = own_of(job);

	if (admin_went_well(own->call, job))
		reply_when_known(own, &own->op.revoke.key, true, reply_revoked);
}

void admin_revoke_key(struct call *call, void *ctx)
{
	const void *read;
	struct key_call *own = key_call_new(call, ctx, &bursar__v1__revoke_key_request__descriptor, &read);
	const Bursar__V1__RevokeKeyRequest *request = read;

	if (!own)
		return;
	own->op.revoke = (struct key_revoke){
		.job = job_of(call, revoked, request->reason),
		.id = request->id,
		.tenant = caller_tenant(call),
	};
	admin_ask(own->worker, key_revoke, &own->op.revoke);
}

/* An empty token is the first page. */
static bool token_read(const char *token, int64_t *out, struct err *err)
{
	char *end;

	*out = strtoll(token, &end, 10);
	return (*end == '\0' && *out >= 0) ||
	       err_invalid(err, "page_token", "is not valid: pass next_page_token from the previous page");
}

static char *token_make(struct arena *arena, int64_t last)
{
	return arena_printf(arena, "%lld", (long long)last);
}

static void keys_answer(struct call *call, const struct key_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListKeysResponse *answer = message_new(arena, ListKeysResponse, list_keys_response);

	admin_rows(arena, op, answer->keys, answer->n_keys, key_message);
	if (op->more)
		answer->next_page_token = token_make(arena, op->rows[op->count - 1].id);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(keys_call, key_list, ListKeysRequest, list_keys_request, keys_listed, keys_answer)

void admin_list_keys(struct call *call, void *ctx)
{
	struct keys_call *list = keys_call_new(call);
	const Bursar__V1__ListKeysRequest *request;
	struct err err = {0};

	if (!list)
		return;
	request = list->request;
	if (!admin_all_tenants(call, request->all_tenants, &err) ||
		!token_read(request->page_token, &list->op.after, &err)) {
		call_fail(call, &err);
		return;
	}
	list->op.job = admin_question(call, keys_listed);
	list->op.tenant = tenant_or_default(request->tenant);
	list->op.all_tenants = request->all_tenants;
	list->op.ended_too = request->ended_too;
	list->op.limit = admin_page(request->page_size, 100, 1000);
	admin_ask(ctx, key_list, &list->op);
}

static Bursar__V1__AuditEntry *entry_message(struct arena *arena, const struct audit_row *row)
{
	Bursar__V1__AuditEntry *entry = message_new(arena, AuditEntry, audit_entry);

	entry->id = row->id;
	entry->at_us = row->at_us;
	entry->tenant = unconst(row->tenant);
	entry->actor = unconst(row->actor);
	entry->action = unconst(row->action);
	entry->target = unconst(row->target);
	entry->reason = unconst(row->reason);
	entry->details = unconst(row->details);
	entry->before = unconst(row->before);
	return entry;
}

static void audit_answer(struct call *call, const struct audit_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListAuditResponse *answer = message_new(arena, ListAuditResponse, list_audit_response);

	admin_rows(arena, op, answer->entries, answer->n_entries, entry_message);
	if (op->more)
		answer->next_page_token = token_make(arena, op->rows[op->count - 1].id);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(audit_call, audit_list, ListAuditRequest, list_audit_request, audit_listed, audit_answer)

void admin_list_audit(struct call *call, void *ctx)
{
	struct audit_call *list = audit_call_new(call);
	const Bursar__V1__ListAuditRequest *request;
	struct err err = {0};
	int64_t after;

	if (!list)
		return;
	request = list->request;
	if (request->to_us && request->from_us > request->to_us)
		err_invalid(&err, "from_us", "is later than to_us");
	if (err.code || !admin_all_tenants(call, request->all_tenants, &err) ||
		!token_read(request->page_token, &after, &err)) {
		call_fail(call, &err);
		return;
	}
	list->op = (struct audit_list){
		.job = admin_question(call, audit_listed),
		.tenant = tenant_or_default(request->tenant),
		.all_tenants = request->all_tenants,
		.actor = request->actor,
		.action = request->action,
		.target = request->target,
		.from_us = request->from_us,
		.to_us = request->to_us,
		.reason = request->reason,
		.oldest_first = request->oldest_first,
		.after = after,
		.limit = admin_page(request->page_size, 100, 1000),
	};
	admin_ask(ctx, audit_list, &list->op);
}
