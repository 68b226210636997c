/* GetAccount and ListAccounts, and the account as a message (api/admin/private.h). */
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "base/list.h"

Bursar__V1__Account *admin_account_message(struct arena *arena, const struct account_row *row)
{
	Bursar__V1__Account *message = message_new(arena, Account, account);
	const struct account_profile *profile = &row->profile;

	message->ref = admin_ref(arena, &row->key);
	message->tier = unconst(profile->tier);
	message->team = unconst(profile->team);
	message->org = unconst(profile->org);
	message->overrides = message_list(arena, (size_t)profile->override_count);
	for (int i = 0; i < profile->override_count; i++)
		message->overrides[message->n_overrides++] = limit_to_message(arena, &profile->overrides[i]);
	message->suspended = profile->suspended;
	message->suspended_reason = unconst(row->suspended_reason ? row->suspended_reason : "");
	message->bypass = profile->bypass;
	message->grace_until_us = profile->grace_until_us;
	message->grace_percent = profile->grace_percent;
	message->time_zone = unconst(profile->zone.name[0] ? profile->zone.name : "UTC");
	message->n_kept_windows =
		kept_windows_to_messages(arena, &profile->zone, clock_wall_us(), &message->kept_windows);
	message->created_at_us = row->created_at_us;
	message->updated_at_us = row->updated_at_us;
	message->version = profile->version;
	message->deleted = profile->deleted;
	message->known = row->known;
	message->pending = row->pending;
	message->etag = unconst(row->etag);
	return message;
}

static void get_answer(struct call *call, const struct account_get *op)
{
	call_reply_message(call, &admin_account_message(call_arena(call), &op->row)->base);
}

ADMIN_CALL(get_call, account_get, GetAccountRequest, get_account_request, get_done, get_answer)

void admin_get_account(struct call *call, void *ctx)
{
	struct get_call *get = get_call_new(call);

	if (!get)
		return;
	if (!admin_key(call, ctx, get->request->ref, &get->op.key))
		return;
	get->op.job = admin_question(call, get_done);
	get->op.row.key = get->op.key;
	admin_ask(ctx, account_get, &get->op);
}

static void list_answer(struct call *call, const struct account_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListAccountsResponse *answer = message_new(arena, ListAccountsResponse, list_accounts_response);

	answer->matched = op->matched;
	admin_rows(arena, op, answer->accounts, answer->n_accounts, admin_account_message);
	if (op->more && op->count > 0)
		answer->next_page_token = unconst(op->rows[op->count - 1].key.id);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(list_call, account_list, ListAccountsRequest, list_accounts_request, list_done, list_answer)

struct account_filter admin_filter(const Bursar__V1__AccountFilter *filter, int64_t now_us)
{
	static const Bursar__V1__AccountFilter none = BURSAR__V1__ACCOUNT_FILTER__INIT;

	if (!filter)
		filter = &none;
	return (struct account_filter){
		.tier = filter->tier,
		.id_prefix = filter->id_prefix,
		.team = filter->team,
		.org = filter->org,
		.state = (enum account_state_wanted)filter->state,
		.has_overrides = filter->has_overrides,
		.created_since_us = filter->created_since_us,
		.updated_since_us = filter->updated_since_us,
		.now_us = now_us,
	};
}

static bool short_text(const char **text, const char *given, const char *field, struct err *err)
{
	if (!given[0])
		return true;
	if ((*text)[0] && strcmp(*text, given) != 0)
		return err_invalid(err, field, "conflicts with filter.%s: give only one of them", field);
	*text = given;
	return true;
}

/* Adds the fields that the request had before it had a filter. */
static bool shorts_add(const Bursar__V1__ListAccountsRequest *request, struct account_filter *filter, struct err *err)
{
	if (!short_text(&filter->tier, request->tier, "tier", err) ||
		!short_text(&filter->id_prefix, request->id_prefix, "id_prefix", err))
		return false;
	if (!request->suspended_only)
		return true;
	if (filter->state != WANTED_PRESENT && filter->state != WANTED_SUSPENDED)
		return err_invalid(err, "suspended_only", "conflicts with filter.state: give only one of them");
	filter->state = WANTED_SUSPENDED;
	return true;
}

void admin_list_accounts(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	struct list_call *list = list_call_new(call);
	struct account_filter filter;
	struct err err;

	if (!list)
		return;
	filter = admin_filter(list->request->filter, worker_now_us(worker));
	if (!shorts_add(list->request, &filter, &err)) {
		call_fail(call, &err);
		return;
	}
	list->op = (struct account_list){
		.job = admin_question(call, list_done),
		.tenant = tenant_or_default(list->request->tenant),
		.kind = list->request->kind ? (enum account_kind)list->request->kind : ACCOUNT_USER,
		.filter = filter,
		.after = list->request->page_token,
		.count_only = list->request->count_only,
		.limit = admin_page(list->request->page_size, 100, 1000),
	};
	admin_ask(worker, account_list, &list->op);
}
