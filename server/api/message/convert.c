/* Limits, statuses, tokens and costs as messages. */
#include "api/message/convert.h"

#include <string.h>

#include "base/unconst.h"
#include "rpc/status.h"

const char *tenant_or_default(const char *tenant)
{
	return tenant[0] ? tenant : "default";
}

const char *price_mode(const char *mode)
{
	return strcmp(mode, "standard") == 0 ? "" : mode;
}

void *message_list(struct arena *arena, size_t count)
{
	return arena_alloc(arena, sizeof(void *) * (count + 1));
}

void *message_made(struct arena *arena, size_t size, const ProtobufCMessageDescriptor *descriptor)
{
	void *message = arena_alloc(arena, size);

	protobuf_c_message_init(descriptor, message);
	return message;
}

Bursar__V1__Limit *limit_to_message(struct arena *arena, const struct limit *limit)
{
	Bursar__V1__Limit *message = message_new(arena, Limit, limit);

	message->name = unconst(limit->name);
	message->dimension = (Bursar__V1__Dimension)(limit->dimension + 1);
	message->kind = (Bursar__V1__LimitKind)(limit->kind + 1);
	message->amount = limit->amount;
	if (limit->kind == KIND_BUCKET) {
		message->period_us = limit->period_us;
		message->burst = limit->burst;
	}
	if (limit->kind == KIND_CALENDAR) {
		message->window = (Bursar__V1__CalendarWindow)(limit->unit + 1);
		message->notify_off = !limit->notify;
	}
	message->interface = unconst(limit->interface);
	message->model = unconst(limit->model);
	message->shadow = limit->shadow;
	message->warn_percent = limit->warn_percent;
	message->until_us = limit->until_us;
	return message;
}

static bool window_from_message(const Bursar__V1__Limit *message, struct limit *limit, struct err *err)
{
	bool calendar = limit->kind == KIND_CALENDAR;

	if (calendar && message->window == BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_UNSPECIFIED)
		return err_invalid(err, "window", "is required for calendar limits: day, week or month");
	if (!calendar && message->window != BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_UNSPECIFIED)
		return err_invalid(err, "window", "applies to calendar limits only");
	if (limit->kind != KIND_BUCKET && (message->period_us || message->burst))
		return err_invalid(err, message->period_us ? "period_us" : "burst", "applies to bucket limits only");
	limit->unit = calendar ? (enum window_unit)(message->window - 1) : WINDOW_DAY;
	return true;
}

bool limit_from_message(const Bursar__V1__Limit *message, int warn_percent, struct limit *out, struct err *err)
{
	struct limit limit = {
		.dimension = (enum dimension)(message->dimension - 1),
		.kind = (enum limit_kind)(message->kind - 1),
		.amount = message->amount,
		.period_us = message->period_us,
		.burst = message->burst,
		.shadow = message->shadow,
		.warn_percent = message->warn_percent ? message->warn_percent : warn_percent,
		.until_us = message->until_us,
	};

	limit.notify = limit.kind == KIND_CALENDAR && !message->notify_off;
	memcpy(limit.name, message->name, strlen(message->name) + 1);
	memcpy(limit.interface, message->interface, strlen(message->interface) + 1);
	memcpy(limit.model, message->model, strlen(message->model) + 1);
	if (!window_from_message(message, &limit, err) || !limit_prepare(&limit, err))
		return false;
	*out = limit;
	return true;
}

Bursar__V1__LimitStatus *row_to_message(struct arena *arena, const struct rows *rows, const struct limit_row *row)
{
	Bursar__V1__LimitStatus *message = message_new(arena, LimitStatus, limit_status);
	const struct figures *figures = &row->figures;

	message->account_kind = (Bursar__V1__AccountKind)row->account_kind;
	message->account_id = unconst(row->account_id);
	message->limit = limit_to_message(arena, row->limit);
	message->used = figures->used;
	message->held = figures->held;
	message->effective_amount = figures->effective;
	message->remaining = figures->remaining;
	message->resets_at_us = figures->resets_at_us;
	message->requested = figures->requested;
	message->retry_after_us = row->failed ? figures->retry_after_us : 0;
	message->failed = row->failed;
	message->permanent = row->failed && figures->permanent;
	message->warning = figures->warning;
	message->notify = row->notify;
	message->would_fail = row->would_fail;
	message->used_percent = figures->used_percent;
	if (row->failed)
		message->shared_by = rows_account(rows, row)->shared_by;
	message->only_held = figures->only_held;
	if (figures->only_held)
		message->open_reservations = row_running(rows, row);
	message->first_end_us = figures->first_end_us;
	return message;
}

Bursar__V1__LimitStatus *closed_to_message(struct arena *arena, const struct rows *rows)
{
	Bursar__V1__LimitStatus *message = message_new(arena, LimitStatus, limit_status);
	const struct request_account *account = rows->closed->account;

	message->account_kind = (Bursar__V1__AccountKind)account->kind;
	if (account->kind == ACCOUNT_USER || !rows->names_hidden)
		message->account_id = unconst(account->id);
	message->failed = message->permanent = true;
	message->shared_by = rows->closed->shared_by;
	return message;
}

static bool is_wanted(const struct limit_row *row, enum wanted_rows wanted)
{
	if (wanted == ROWS_ALL)
		return true;
	if (!row->matched)
		return false;
	return wanted == ROWS_MATCHED || row->failed || row->would_fail || row->notify || row->figures.warning;
}

size_t rows_to_messages(
	struct arena *arena, const struct rows *rows, enum wanted_rows wanted, Bursar__V1__LimitStatus ***out)
{
	size_t n = 0;

	*out = message_list(arena, (size_t)rows->count);
	for (int i = 0; i < rows->count; i++)
		if (is_wanted(&rows->row[i], wanted))
			(*out)[n++] = row_to_message(arena, rows, &rows->row[i]);
	return n;
}

size_t kept_windows_to_messages(
	struct arena *arena, const struct zone *zone, int64_t now_us, Bursar__V1__KeptWindow ***out)
{
	size_t n = 0;

	*out = message_list(arena, WINDOW_COUNT);
	for (int u = 0; u < WINDOW_COUNT; u++) {
		int64_t ends_at_us = zone_kept_until(zone, (enum window_unit)u, now_us);

		if (!ends_at_us)
			continue;
		(*out)[n] = message_new(arena, KeptWindow, kept_window);
		(*out)[n]->window = (Bursar__V1__CalendarWindow)(u + 1);
		(*out)[n++]->ends_at_us = ends_at_us;
	}
	return n;
}

static Bursar__V1__AccountStatus *account_to_message(
	struct arena *arena, const struct rows *rows, const struct account_rows *account, int64_t now_us)
{
	Bursar__V1__AccountStatus *message = message_new(arena, AccountStatus, account_status);
	const struct account_profile *profile = account->account->profile;

	message->kind = (Bursar__V1__AccountKind)account->account->kind;
	if (account->account->kind == ACCOUNT_USER || !rows->names_hidden)
		message->id = unconst(account->account->id);
	message->shared_by = account->shared_by;
	message->tier = unconst(request_tier_name(account->account));
	message->suspended = account->state->suspended;
	message->deleted = account->state->deleted;
	message->bypass = account->state->bypass;
	if (account->state->grace_until_us > now_us) {
		message->grace_until_us = account->state->grace_until_us;
		message->grace_percent = account->state->grace_percent;
	}
	message->time_zone = unconst(profile->zone.name[0] ? profile->zone.name : "UTC");
	message->n_kept_windows = kept_windows_to_messages(arena, &profile->zone, now_us, &message->kept_windows);
	message->open_reservations = account->state->open;
	message->has_overrides = profile->override_count > 0;
	message->limits = message_list(arena, (size_t)account->count);
	for (int i = 0; i < account->count; i++)
		message->limits[message->n_limits++] = row_to_message(arena, rows, &rows->row[account->first + i]);
	return message;
}

size_t accounts_to_messages(
	struct arena *arena, const struct rows *rows, int64_t now_us, Bursar__V1__AccountStatus ***out)
{
	*out = message_list(arena, ACCOUNTS_MAX);
	for (int i = 0; i < rows->accounts; i++)
		(*out)[i] = account_to_message(arena, rows, &rows->account[i], now_us);
	return (size_t)rows->accounts;
}

bool meters_from_message(const Bursar__V1__TokenUsage *message, struct meters *out, struct err *err)
{
	struct meters meters = {0};

#define ROW(NAME, name, field, ...) meters.count[METER_##NAME] = message->field;
	if (message) {
		METERS(ROW)
	}
#undef ROW
	if (!meters_check(&meters, "usage", err))
		return false;
	*out = meters;
	return true;
}

Bursar__V1__TokenUsage *meters_to_message(struct arena *arena, const struct meters *meters)
{
	Bursar__V1__TokenUsage *message = message_new(arena, TokenUsage, token_usage);

#define ROW(NAME, name, field, ...) message->field = meters->count[METER_##NAME];
	METERS(ROW)
#undef ROW
	return message;
}

Bursar__V1__CostBreakdown *cost_to_message(
	struct arena *arena, const struct priced *priced, const struct meters *tokens)
{
	Bursar__V1__CostBreakdown *message = message_new(arena, CostBreakdown, cost_breakdown);
	const struct cost *cost = &priced->cost;

	message->cost_nano_usd = cost->nano;
	message->unpriced = cost->flags & FLAG_UNPRICED;
	message->parent_rate = cost->flags & FLAG_PARENT_RATE;
	message->above_context = cost->flags & FLAG_ABOVE_CONTEXT;
	message->standard_rate = cost->flags & FLAG_STANDARD_RATE;
	message->capped = cost->flags & FLAG_CAPPED;
	message->provider_cost = cost->flags & FLAG_PROVIDER_COST;
	if (priced->unpriced)
		message->served_model = unconst(priced->named);
	if (!priced->price)
		return message;
	message->provider = unconst(priced->price->provider);
	message->model = unconst(priced->price->model);
	message->price_from_us = priced->price->from_us;
	message->lines = message_list(arena, METER_COUNT);
	for (int i = 0; i < METER_COUNT; i++) {
		Bursar__V1__CostLine *line;

		if (!tokens->count[i])
			continue;
		line = message_new(arena, CostLine, cost_line);
		line->token_class = unconst(meter_name((enum meter)i));
		line->tokens = tokens->count[i];
		line->price_pico_usd_per_token = cost->rate[i];
		line->cost_pico_usd = cost->pico_line[i];
		if (meter_rows[i].unit != UNIT_TOKENS) {
			line->unit = unconst(meter_unit_rows[meter_rows[i].unit].noun);
			line->price_per = meter_unit_rows[meter_rows[i].unit].per;
		}
		message->lines[message->n_lines++] = line;
	}
	return message;
}

Bursar__V1__ItemError *error_to_message(struct arena *arena, const struct err *err)
{
	Bursar__V1__ItemError *message = message_new(arena, ItemError, item_error);

	message->code = status_code(err->code);
	message->message = arena_strndup(arena, err->text, strlen(err->text));
	message->field = arena_strndup(arena, err->field, strlen(err->field));
	return message;
}
