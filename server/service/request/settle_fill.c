/* Builds what a settlement sends to the store (service/request/settle_private.h). */
#include "service/request/settle_private.h"

#include <string.h>

void settle_models(struct settle *settle)
{
	const struct handle *handle = &settle->question.handle;
	const char *checked = settle->checked ? settle->checked : "", *served = settle->question.served;

	catalog_model(
		settle->snapshot->catalog, handle->tenant, handle->user, checked[0] ? checked : served, &settle->model);
	settle->served = settle->model;
	if (checked[0] && served[0] && strcmp(checked, served) != 0)
		catalog_model(settle->snapshot->catalog, handle->tenant, handle->user, served, &settle->served);
}

/* The ledger stores the standard mode as "". */
static const char *mode_plain(const char *mode)
{
	return strcmp(mode, "standard") == 0 ? "" : mode;
}

/* If the record names no mode, the provider's usage may; else the check's applies. */
static const char *mode_of(const struct settle *settle)
{
	const struct settle_question *question = &settle->question;

	if (question->mode[0])
		return mode_plain(question->mode);
	if (question->reading)
		return mode_plain(usage_purchase(question->reading, settle->checked_mode, settle->arena));
	return mode_plain(settle->checked_mode);
}

/* The ledger keeps the sum only: it does not tell afterwards what each of them cost. */
static uint32_t rounds_flags(const struct settle_question *question)
{
	const struct usage_reading *reading = question->reading;
	uint32_t flags = reading->rounds > 1 ? FLAG_ROUNDS : 0;

	for (int i = 0; i < reading->rounds; i++)
		if (reading->round[i].model[0] && strcmp(reading->round[i].model, question->served) != 0)
			flags = FLAG_ROUNDS | FLAG_ROUNDS_MIXED;
	return flags;
}

static uint32_t reading_flags(const struct settle_question *question)
{
	if (!question->reading)
		return 0;
	return (question->reading->estimated ? FLAG_ESTIMATED | FLAG_UNPRICED : 0) |
	       (question->reading->inconsistent ? FLAG_INCONSISTENT | FLAG_UNPRICED : 0) | rounds_flags(question);
}

/* Each round by itself: with context tiers, their sum costs other than one request of that size. */
static void price_rounds(struct settle *settle, const struct pricing *pricing, struct purchase purchase)
{
	struct settle_question *question = &settle->question;
	const struct usage_reading *reading = question->reading;
	struct priced *sum = &settle->answer.priced;
	const char *checked = settle->checked ? settle->checked : "";
	struct meters all = {{0}};

	price_for_record(pricing, question->served, checked, &all, purchase, sum);
	sum->cost = (struct cost){0};
	all = (struct meters){{0}};
	for (int i = 0; i < reading->rounds; i++) {
		const char *model = reading->round[i].model[0] ? reading->round[i].model : question->served;
		struct meters meters = reading->round[i].meters;
		struct priced priced;

		price_for_record(pricing, model, checked, &meters, purchase, &priced);
		priced_add(sum, &priced);
		for (int k = 0; k < METER_COUNT; k++)
			all.count[k] += meters.count[k];
	}
	question->meters = all;
}

/* The provider said what it cost: one of the two is charged, and both are kept. */
static void provider_charge(struct settle *settle)
{
	struct cost *cost = &settle->answer.priced.cost;

	settle->answer.list_nano = cost->nano;
	if (settle->accounts.settings->cost_source != COST_PROVIDER)
		return;
	cost->nano = settle->question.provider_cost_nano;
	/* The charge is right, whatever the price lacks; an estimate of what was used stays one. */
	if (!(cost->flags & (FLAG_ESTIMATED | FLAG_INCONSISTENT)))
		cost->flags &= ~(uint32_t)FLAG_UNPRICED;
	cost->flags |= FLAG_PROVIDER_COST;
}

void settle_price(struct settle *settle)
{
	struct settle_question *question = &settle->question;
	struct pricing pricing = {
		.call = true,
		.catalog = settle->snapshot->catalog,
		.settings = settle->accounts.settings,
		.tenant = question->handle.tenant,
		.user = question->handle.user,
	};
	struct purchase purchase = {.mode = mode_of(settle), .at_us = question->handle.started_at_us};

	if (question->reading && question->reading->rounds)
		price_rounds(settle, &pricing, purchase);
	else
		price_for_record(&pricing, question->served, settle->checked ? settle->checked : "", &question->meters,
			purchase, &settle->answer.priced);
	settle->answer.priced.cost.flags |= reading_flags(question);
	/* The check may have known that some of its input is cached; the tokens that it holds do not tell. */
	if (settle_held_cost(settle))
		settle->answer.priced.cost.nano = settle_held_cost(settle);
	if (question->provider_cost_known)
		provider_charge(settle);
}

static const uint8_t *keep(struct arena *arena, struct buf *buf, size_t *len)
{
	const uint8_t *bytes = (const uint8_t *)arena_strndup(arena, buf_str(buf), buf->len);

	*len = buf->len;
	buf_release(buf);
	return bytes;
}

void settle_usage_make(struct settle *settle)
{
	const struct priced *priced = &settle->answer.priced;
	struct entry_usage usage = {
		.model = settle->question.served[0] ? settle->question.served
			 : settle->checked	    ? settle->checked
						    : "",
		.provider = priced->price ? priced->price->provider : "",
		.price_model = priced->price ? priced->price->model : settle->served.model,
		.mode = mode_of(settle),
		.price_from_us = priced->price ? priced->price->from_us : 0,
		.flags = priced->cost.flags,
		.meters = settle->question.meters,
		.provider_cost_known = settle->question.provider_cost_known,
		.provider_cost_nano = settle->question.provider_cost_nano,
		.list_cost_nano = settle->answer.list_nano,
	};
	struct buf buf = {0};

	entry_usage_pack(&usage, &buf);
	settle->op.usage = keep(settle->arena, &buf, &settle->op.usage_len);
}

/* For a request that the store does not know: user, interface, model and accounts. */
void settle_info_make(struct settle *settle)
{
	const struct settle_question *question = &settle->question;
	struct entry_info info = {
		.tenant = question->handle.tenant,
		.user = question->handle.user,
		.request_id = question->handle.request_id,
		.interface = question->interface,
		.model = settle->checked && settle->checked[0] ? settle->checked : question->served,
		.tier = settle->accounts.count ? request_tier_name(&settle->accounts.account[0]) : "",
		.provider = settle->model.provider,
		.price_model = settle->model.model,
		.mode = settle->checked_mode,
		.reason = "",
		.actor = "",
		.groups_unknown = accounts_groups_unknown(&settle->accounts),
		.accounts = settle->accounts.count,
	};
	struct buf buf = {0};

	for (int i = 0; i < info.accounts; i++)
		info.account[i] = (struct entry_account){
			.kind = settle->accounts.account[i].kind, .id = settle->accounts.account[i].id};
	entry_info_pack(&info, &buf);
	settle->op.info = keep(settle->arena, &buf, &settle->op.info_len);
}

void settle_op_fill(struct settle *settle, void (*done)(struct limits_op *op))
{
	const struct settle_question *question = &settle->question;
	settle->op = (struct limits_settle){
		.op = {.arena = settle->arena, .done = done},
		.tenant = question->handle.tenant,
		.user = question->handle.user,
		.request_id = question->handle.request_id,
		.count = settle->accounts.count,
		.attempt = question->attempt,
		.final = !question->keep_open,
		.forget = question->forget,
		.unless_repeated = question->unless_repeated,
		.owed = question->owed,
		.latest_us = worker_now_us(settle->worker) + settle->worker->parts.conf->redis_timeout_ms * 1000,
		.even_if_unknown = settle->unknown_ok && settle->accounts.count > 0,
		.counted = settle->counted,
		.used = {.requests = 1,
			.input = tokens_input(&question->meters),
			.output = tokens_output(&question->meters),
			.cost = settle->answer.priced.cost.nano},
		.interface_hash = selector_hash(question->interface, strlen(question->interface)),
		.model_hash = settle->model.hash,
		.started_at_us = question->handle.started_at_us,
	};
	settle->op.used.counted = meters_counted(&question->meters, settle->arena);
	accounts_expect(&settle->accounts, settle->op.expected);
}

const struct entry_usage *settle_recorded(struct settle *settle)
{
	struct entry_usage *usage = arena_alloc(settle->arena, sizeof(*usage));
	const struct limits_settle *op = &settle->op;

	return entry_usage_unpack(op->recorded, op->recorded_len, settle->arena, usage) ? usage : NULL;
}

unsigned settle_differs(const struct settle_question *question, const struct entry_usage *recorded)
{
	unsigned differs = 0;

	/* A repeat that does not tell its use is no different from one that did not. */
	for (int i = 0; i < METER_COUNT && !(settle_is_estimated(question) && recorded->flags & FLAG_ESTIMATED); i++)
		if (question->meters.count[i] != recorded->meters.count[i])
			differs |= 1U << i;
	if (question->served[0] && strcmp(question->served, recorded->model) != 0)
		differs |= RECORD_FIELD_MODEL;
	if (question->mode[0] && strcmp(mode_plain(question->mode), recorded->mode) != 0)
		differs |= RECORD_FIELD_MODE;
	if (question->provider_cost_known &&
		(!recorded->provider_cost_known || question->provider_cost_nano != recorded->provider_cost_nano))
		differs |= RECORD_FIELD_PROVIDER_COST;
	return differs;
}
