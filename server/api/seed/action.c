/* POST /api/quotas: what an admin does to a user. */
#include <jansson.h>
#include <string.h>

#include "api/json/json_message.h"
#include "api/seed/private.h"
#include "api/seed/write.h"
#include "base/clock.h"
#include "base/unconst.h"
#include "base/units.h"

enum { HOURS_DEFAULT = 24, HOURS_MAX = 8784 };

struct acting {
	json_t *body;
	const struct seed_request *request;
	struct seed_call *call;
	struct err *err;
	Bursar__V1__AccountRef *ref;
	char *tier, *reason, *request_id;
};

/* One action: the members that it takes besides userId, action, tenant and reason, and its request. */
struct action {
	const char *name, *takes[4];
	bool (*make)(struct acting *acting);
};

#define NEW(acting, Name, name) \
	({ \
		Bursar__V1__##Name *message_ = arena_alloc((acting)->request->arena, sizeof(*message_)); \
		bursar__v1__##name##__init(message_); \
		(acting)->call->message = &message_->base; \
		message_->ref = (acting)->ref; \
		message_->reason = (acting)->reason; \
		message_; \
	})

static bool make_tier(struct acting *acting)
{
	Bursar__V1__SetTierRequest *message = NEW(acting, SetTierRequest, set_tier_request);

	if (!acting->tier[0])
		return err_invalid(acting->err, "tier", "must be given: the tier that the user gets");
	message->tier = acting->tier;
	acting->call->rpc = "/bursar.v1.Admin/SetTier";
	return true;
}

static bool make_reset(struct acting *acting)
{
	Bursar__V1__ResetRequest *message = NEW(acting, ResetRequest, reset_request);

	message->request_id = acting->request_id;
	acting->call->rpc = SEED_RESET;
	return true;
}

static bool make_suspend(struct acting *acting)
{
	NEW(acting, SuspendRequest, suspend_request);
	acting->call->rpc = "/bursar.v1.Admin/Suspend";
	return true;
}

static bool make_unsuspend(struct acting *acting)
{
	NEW(acting, UnsuspendRequest, unsuspend_request);
	acting->call->rpc = "/bursar.v1.Admin/Unsuspend";
	return true;
}

static bool read_number(struct acting *acting, const char *name, json_int_t least, json_int_t most, json_int_t *out)
{
	const json_t *value = json_object_get(acting->body, name);

	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
		return err_invalid(acting->err, name, "must be a whole number from %lld to %lld", (long long)least,
			(long long)most);
	*out = json_integer_value(value);
	return true;
}

/* Until a time (RFC 3339, or microseconds), or for some hours from now; 0 hours end it. */
static bool make_grace(struct acting *acting)
{
	Bursar__V1__SetGraceRequest *message = NEW(acting, SetGraceRequest, set_grace_request);
	const json_t *until = json_object_get(acting->body, "until");
	json_int_t hours = HOURS_DEFAULT, percent = 0;

	acting->call->rpc = "/bursar.v1.Admin/SetGrace";
	if (!read_number(acting, "hours", 0, HOURS_MAX, &hours) || !read_number(acting, "percent", 1, 1000, &percent))
		return false;
	message->percent = (int32_t)percent;
	if (!until) {
		message->until_us = hours ? clock_wall_us() + hours * HOUR_US : 0;
		return true;
	}
	if (json_object_get(acting->body, "hours"))
		return err_invalid(acting->err, "hours", "must be left out beside until");
	if (!json_is_string(until))
		return err_invalid(acting->err, "until", "must be a time such as \"2026-12-01T00:00:00Z\"");
	return json_set_field(&message->base, "until_us", json_string_value(until), json_string_length(until),
		       acting->request->arena, acting->err) ||
	       err_invalid(acting->err, "until", "must be a time such as \"2026-12-01T00:00:00Z\"");
}

static const struct action actions[] = {
	{"upgrade", {"tier"}, make_tier},
	{"downgrade", {"tier"}, make_tier},
	{"reset", {"requestId"}, make_reset},
	{"suspend", {NULL}, make_suspend},
	{"unsuspend", {NULL}, make_unsuspend},
	{"grace", {"hours", "until", "percent"}, make_grace},
};
enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static bool read_text(struct acting *acting, const char *name, char **out)
{
	const json_t *value = json_object_get(acting->body, name);
	const char *text = value ? json_string_value(value) : "";

	*out = unconst("");
	if (!text)
		return err_invalid(acting->err, name, "must be text");
	if (strlen(text) != (value ? json_string_length(value) : 0))
		return err_invalid(acting->err, name, "contains a NUL character");
	*out = arena_strndup(acting->request->arena, text, strlen(text));
	return true;
}

static const struct action *action_named(struct acting *acting, const char *name)
{
	for (int i = 0; i < ACTIONS; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	err_invalid(acting->err, "action", "must be upgrade, downgrade, reset, suspend, unsuspend or grace%s",
		name[0] ? "" : "; it is missing");
	return NULL;
}

/* A member that the action does not take would be silently without effect. */
static bool check_members(struct acting *acting, const struct action *action)
{
	static const char *const common[] = {"userId", "action", "tenant", "reason"};
	const char *name;
	json_t *value;

	json_object_foreach(acting->body, name, value)
	{
		bool known = false;

		for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
			known |= strcmp(common[i], name) == 0;
		for (size_t i = 0; i < sizeof(action->takes) / sizeof(action->takes[0]) && action->takes[i]; i++)
			known |= strcmp(action->takes[i], name) == 0;
		if (!known) {
			char shown[64];

			snprintf(shown, sizeof(shown), "%.60s", name);
			return err_invalid(acting->err, shown, "%s does not take it", action->name);
		}
	}
	return true;
}

static bool act(struct acting *acting)
{
	const struct action *action;
	char *name, *user, *tenant;

	if (!read_text(acting, "action", &name) || !read_text(acting, "userId", &user) ||
		!read_text(acting, "tenant", &tenant) || !read_text(acting, "tier", &acting->tier) ||
		!read_text(acting, "reason", &acting->reason) || !read_text(acting, "requestId", &acting->request_id) ||
		!(action = action_named(acting, name)) || !check_members(acting, action))
		return false;
	if (!user[0])
		return err_invalid(acting->err, "userId", "must be given");
	if (!acting->request_id[0] && acting->request->request_id)
		acting->request_id = unconst(acting->request->request_id);
	acting->ref = arena_alloc(acting->request->arena, sizeof(*acting->ref));
	bursar__v1__account_ref__init(acting->ref);
	acting->ref->kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER;
	acting->ref->id = user;
	acting->ref->tenant = tenant;
	acting->call->user = user;
	acting->call->action = action->name;
	return action->make(acting);
}

bool seed_action(const struct seed_request *request, struct seed_call *call, struct err *err)
{
	struct acting acting = {.request = request, .call = call, .err = err};
	json_error_t why;
	bool ok;

	if (!request->body_len)
		return err_invalid(err, "body", "is missing: it is a JSON object with userId and action");
	acting.body = json_loadb(request->body, request->body_len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(acting.body)) {
		json_decref(acting.body);
		return err_invalid(err, "body", "must be a JSON object with userId and action");
	}
	ok = act(&acting);
	json_decref(acting.body);
	return ok;
}

static void write_reset(const Bursar__V1__ResetResponse *answer, struct buf *out)
{
	seed_put_open(out, "takenBack", '{');
	seed_put_number(out, "requests", answer->requests);
	seed_put_number(out, "tokens", answer->tokens);
	seed_put_usd(out, "costUsd", answer->cost_nano_usd);
	seed_put_close(out, '}');
	seed_put_flag(out, "repeat", answer->repeat);
}

static void write_account(const Bursar__V1__Account *account, struct buf *out)
{
	seed_put_string(out, "tier", account->tier);
	seed_put_string(out, "status", account->suspended ? "suspended" : "active");
	if (account->suspended)
		seed_put_string(out, "reason", account->suspended_reason);
	if (account->grace_until_us) {
		seed_put_open(out, "grace", '{');
		seed_put_time(out, "until", account->grace_until_us);
		seed_put_number(out, "percent", account->grace_percent);
		seed_put_close(out, '}');
	}
}

void seed_write(const struct seed_call *call, const ProtobufCMessage *answer, struct buf *out)
{
	if (strcmp(call->rpc, SEED_STATUS) == 0) {
		seed_write_status((const Bursar__V1__GetStatusResponse *)answer, out);
		return;
	}
	if (strcmp(call->rpc, SEED_STATS) == 0) {
		seed_write_stats((const Bursar__V1__GetStatsResponse *)answer, out);
		return;
	}
	seed_put_open(out, NULL, '{');
	seed_put_flag(out, "success", true);
	seed_put_string(out, "userId", call->user);
	seed_put_string(out, "action", call->action);
	if (strcmp(call->rpc, SEED_RESET) == 0)
		write_reset((const Bursar__V1__ResetResponse *)answer, out);
	else
		write_account((const Bursar__V1__Account *)answer, out);
	seed_put_close(out, '}');
}
