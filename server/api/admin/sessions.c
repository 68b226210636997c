/* Who is calling, and how the dashboard's sessions begin (api/admin/private.h). */
#include <string.h>

#include "api/admin/private.h"
#include "api/auth/private.h"
#include "base/observe/log.h"
#include "service/cache/keys.h"

static Bursar__V1__CallerBy by_of(const struct caller *caller)
{
	if (caller->session_ends_us)
		return BURSAR__V1__CALLER_BY__CALLER_BY_SESSION;
	return caller->by == BY_KEY	      ? BURSAR__V1__CALLER_BY__CALLER_BY_KEY
	       : caller->by == BY_CERTIFICATE ? BURSAR__V1__CALLER_BY__CALLER_BY_CERTIFICATE
					      : BURSAR__V1__CALLER_BY__CALLER_BY_NOTHING;
}

static Bursar__V1__Caller *caller_message(struct call *call)
{
	struct arena *arena = call_arena(call);
	const struct caller *caller = call_caller(call);
	Bursar__V1__Caller *message = message_new(arena, Caller, caller);

	message->role = (Bursar__V1__Role)caller->role;
	message->tenant = unconst(caller->tenant);
	message->user = unconst(caller->account);
	message->interfaces = admin_lines(arena, caller->interfaces, &message->n_interfaces);
	message->by = by_of(caller);
	message->key_id = caller->key;
	message->label = unconst(caller->label);
	message->expires_at_us = caller->session_ends_us ? caller->session_ends_us : caller->expires_at_us;
	return message;
}

void admin_get_caller(struct call *call, void *ctx)
{
	struct err err = {0};

	if (!request_take(call, &bursar__v1__get_caller_request__descriptor))
		return;
	if (auth_identify(call, ctx, &err))
		call_reply_message(call, &caller_message(call)->base);
	else
		call_fail(call, &err);
}

/* A session must not make another one: it would outlast its end. A certificate has no key that a session could end with. */
static bool needs_key(struct call *call, struct err *err)
{
	const struct caller *caller = call_caller(call);

	if (caller->by == BY_KEY && !caller->session_ends_us)
		return true;
	err_set(err, ERR_PRECONDITION,
		"a login to the dashboard needs a key: send it as 'authorization: Bearer bsk_...'");
	return err_reason(err, "NEEDS_KEY");
}

static void session_answer(struct call *call, struct worker *worker, int64_t key)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__CreateSessionResponse *answer = message_new(arena, CreateSessionResponse, create_session_response);
	char text[SESSION_TEXT_SIZE];
	struct err err = {0};

	if (!auth_session_begin(call, worker, key, text, &err)) {
		call_fail(call, &err);
		return;
	}
	log_info("a session of the dashboard began", FI("key", key), F("from", auth_address(call)));
	answer->session = arena_strndup(arena, text, strlen(text));
	answer->caller = caller_message(call);
	call_reply_message(call, &answer->base);
}

void admin_create_session(struct call *call, void *ctx)
{
	struct err err = {0};

	if (!request_take(call, &bursar__v1__create_session_request__descriptor))
		return;
	if (needs_key(call, &err))
		session_answer(call, ctx, call_caller(call)->key);
	else
		call_fail(call, &err);
}

struct login_call {
	struct login_create op;
	struct call *call;
	struct new_key code;
};

static void login_created(struct admin_job *job)
{
	struct login_call *own = container_of(job, struct login_call, op.job);
	struct arena *arena = call_arena(own->call);
	Bursar__V1__CreateLoginResponse *answer = message_new(arena, CreateLoginResponse, create_login_response);

	if (!admin_went_well(own->call, job))
		return;
	answer->code = own->code.text;
	answer->path = arena_printf(arena, "/login?code=%s", own->code.text);
	answer->expires_at_us = own->op.expires_at_us;
	call_reply_message(own->call, &answer->base);
}

void admin_create_login(struct call *call, void *ctx)
{
	struct arena *arena = call_arena(call);
	const Bursar__V1__CreateLoginRequest *request =
		request_take(call, &bursar__v1__create_login_request__descriptor);
	struct login_call *own;
	struct err err = {0};

	if (!request)
		return;
	if (call_caller(call)->by == BY_NOTHING) {
		Bursar__V1__CreateLoginResponse *answer =
			message_new(arena, CreateLoginResponse, create_login_response);

		answer->path = (char[]){"/"};
		call_reply_message(call, &answer->base);
		return;
	}
	if (!needs_key(call, &err)) {
		call_fail(call, &err);
		return;
	}
	own = arena_zalloc(arena, 1, sizeof(*own));
	own->call = call;
	login_code_make(&own->code);
	own->op = (struct login_create){
		.job = {.arena = arena, .done = login_created, .actor = admin_actor(call), .reason = request->reason},
		.key = call_caller(call)->key,
		.tenant = caller_tenant(call),
	};
	memcpy(own->op.hash, own->code.hash, KEY_HASH_BYTES);
	admin_ask(ctx, login_create, &own->op);
}

struct redeem_call {
	struct login_redeem op;
	struct call *call;
	struct worker *worker;
};

static void redeemed(struct admin_job *job)
{
	struct redeem_call *own = container_of(job, struct redeem_call, op.job);
	struct err err = {0};

	if (!admin_went_well(own->call, job))
		return;
	if (own->op.key) {
		session_answer(own->call, own->worker, own->op.key);
		return;
	}
	auth_refuse(
		auth_address(own->call), "the code is unknown, was used before, or is older than ten minutes", &err);
	call_fail(own->call, &err);
}

/* Before anything is looked up, so that guessing does not keep PostgreSQL busy. */
void admin_redeem_login(struct call *call, void *ctx)
{
	const Bursar__V1__RedeemLoginRequest *request =
		request_take(call, &bursar__v1__redeem_login_request__descriptor);
	struct redeem_call *own;
	struct err err = {0};

	if (!request)
		return;
	if (!auth_may_try(auth_address(call), &err)) {
		call_fail(call, &err);
		return;
	}
	own = arena_zalloc(call_arena(call), 1, sizeof(*own));
	own->call = call;
	own->worker = ctx;
	own->op.job = admin_question(call, redeemed);
	key_hash(request->code, strlen(request->code), own->op.hash);
	admin_ask(ctx, login_redeem, &own->op);
}
