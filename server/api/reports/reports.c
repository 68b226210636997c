/* GetStats and GetProof (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/units.h"
#include "domain/time/date.h"
#include "service/reports/proof.h"

static Bursar__V1__NamedUse *named_to_message(struct arena *arena, const char *name, const struct amounts *use)
{
	Bursar__V1__NamedUse *message = message_new(arena, NamedUse, named_use);

	message->name = unconst(name);
#define ROW(NAME, name, api, ...) message->api = use->name;
	AMOUNTS(ROW)
#undef ROW
	return message;
}

static size_t named_list(struct arena *arena, const struct named_use *named, int count, Bursar__V1__NamedUse ***out)
{
	*out = message_list(arena, (size_t)count);
	for (int i = 0; i < count; i++)
		(*out)[i] = named_to_message(arena, named[i].name, &named[i].use);
	return (size_t)count;
}

static void tiers_fill(struct arena *arena, const struct stats_query *op, Bursar__V1__GetStatsResponse *answer)
{
	answer->accounts_by_tier = message_list(arena, (size_t)op->tiers);
	for (int i = 0; i < op->tiers; i++) {
		Bursar__V1__TierCount *tier = message_new(arena, TierCount, tier_count);

		tier->tier = unconst(op->tier[i].tier);
		tier->accounts = op->tier[i].accounts;
		tier->suspended = op->tier[i].suspended;
		answer->accounts_by_tier[answer->n_accounts_by_tier++] = tier;
	}
}

static void users_fill(struct arena *arena, const struct stats_query *op, Bursar__V1__GetStatsResponse *answer)
{
	answer->top_users = message_list(arena, (size_t)op->users);
	for (int i = 0; i < op->users; i++) {
		Bursar__V1__UserCost *user = message_new(arena, UserCost, user_cost);
		const struct amounts *use = &op->user[i].use;

		user->user = unconst(op->user[i].name);
		user->cost_nano_usd = use->cost;
		user->requests = use->requests;
		user->tokens = use->input + use->output;
		answer->top_users[answer->n_top_users++] = user;
	}
}

static void days_fill(struct arena *arena, const struct stats_query *op, Bursar__V1__GetStatsResponse *answer)
{
	answer->days = message_list(arena, (size_t)op->days);
	for (int i = 0; i < op->days; i++) {
		Bursar__V1__DayUse *day = message_new(arena, DayUse, day_use);
		const struct amounts *use = &op->day[i].use;

		day->day = unconst(op->day[i].name);
		day->requests = use->requests;
		day->tokens = use->input + use->output;
		day->cost_nano_usd = use->cost;
		answer->days[answer->n_days++] = day;
	}
}

static void stats_answer(struct call *call, const struct stats_query *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__GetStatsResponse *answer = message_new(arena, GetStatsResponse, get_stats_response);

	tiers_fill(arena, op, answer);
	users_fill(arena, op, answer);
	days_fill(arena, op, answer);
	answer->n_by_model = named_list(arena, op->model, op->models, &answer->by_model);
	answer->n_by_interface = named_list(arena, op->interface, op->interfaces, &answer->by_interface);
	answer->n_by_team = named_list(arena, op->team, op->teams, &answer->by_team);
	answer->n_by_org = named_list(arena, op->org, op->orgs, &answer->by_org);
	answer->n_by_tier = named_list(arena, op->tier_used, op->tiers_used, &answer->by_tier);
	answer->total = named_to_message(arena, "", &op->total);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(stats_call, stats_query, GetStatsRequest, get_stats_request, stats_done, stats_answer)

void admin_get_stats(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	struct stats_call *stats = stats_call_new(call);
	struct err err;
	int64_t now_us, to_day, from_day;

	if (!stats)
		return;
	now_us = worker_now_us(worker);
	to_day = floor_div(stats->request->to_us ? stats->request->to_us : now_us, DAY_US);
	from_day = stats->request->from_us ? floor_div(stats->request->from_us, DAY_US) : date_month(to_day);
	if (from_day > to_day || to_day - from_day >= REPORT_DAYS_MAX) {
		err_invalid(&err, "from_us",
			from_day > to_day ? "is later than to_us" : "is more than 366 days before to_us");
		call_fail(call, &err);
		return;
	}
	stats->op = (struct stats_query){
		.job = admin_question(call, stats_done),
		.tenant = tenant_or_default(stats->request->tenant),
		.from_day = from_day,
		.to_day = to_day,
		.today = floor_div(now_us, DAY_US),
		.top = admin_page(stats->request->top, 10, 100),
		.by_tier = stats->request->by_tier,
	};
	admin_ask(worker, stats, &stats->op);
}

static Bursar__V1__ProofSum *sum_to_message(struct arena *arena, int64_t rows, const struct amounts *use)
{
	Bursar__V1__ProofSum *message = message_new(arena, ProofSum, proof_sum);

	message->rows = rows;
	message->requests = use->requests;
	message->tokens = use->input + use->output;
	message->cost_nano_usd = use->cost;
	return message;
}

static void put_differences(struct arena *arena, const struct proof *proof, Bursar__V1__Proof *answer)
{
	answer->differences = message_list(arena, PROOF_DIFFERENCES);
	for (int i = 0; i < PROOF_DIFFERENCES && i < proof->differing; i++) {
		const struct proof_difference *from = &proof->difference[i];
		const struct account_key key = {.kind = ACCOUNT_USER, .tenant = proof->tenant, .id = from->user};
		Bursar__V1__ProofDifference *to = message_new(arena, ProofDifference, proof_difference);

		to->ref = admin_ref(arena, &key);
		to->limit = unconst(from->limit);
		to->counted = from->counted;
		to->ledger = from->ledger;
		answer->differences[answer->n_differences++] = to;
	}
}

static void proof_answer(struct call *call, const struct proof *proof)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__Proof *answer = message_new(arena, Proof, proof);

	answer->ledger = sum_to_message(arena, proof->query.ledger_rows, &proof->query.ledger);
	answer->rollups = sum_to_message(arena, proof->query.rollup_rows, &proof->query.rollup);
	answer->shared = sum_to_message(arena, proof->query.shared_rows, &proof->query.shared);
	answer->counters = sum_to_message(arena, proof->counted, &proof->counters);
	answer->windows = sum_to_message(arena, proof->counted, &proof->windows);
	answer->differing = proof->differing;
	put_differences(arena, proof, answer);
	answer->undrained = (int64_t)proof->undrained;
	answer->equal = proof->equal;
	call_reply_message(call, &answer->base);
}

ADMIN_FLOW_CALL(proof_call, proof, GetProofRequest, get_proof_request, proof_done, proof_answer)

void admin_get_proof(struct call *call, void *ctx)
{
	struct proof_call *proof = proof_call_new(call);

	if (!proof)
		return;
	proof->op.tenant = tenant_or_default(proof->request->tenant);
	proof_start(&proof->op, ctx, call_arena(call), proof_done);
}
