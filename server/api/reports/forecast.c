/* GetForecast: where the current month is heading (api/admin/private.h). */
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/units.h"
#include "domain/time/date.h"
#include "service/reports/forecast.h"

static void forecast_answer(struct call *call, const struct account_forecast *forecast)
{
	const struct forecast *result = &forecast->result;
	struct arena *arena = call_arena(call);
	Bursar__V1__Forecast *answer = message_new(arena, Forecast, forecast);
	char day[DATE_TEXT];

	answer->ref = admin_ref(arena, &forecast->key);
	answer->month = arena_printf(arena, "%.7s", date_format(floor_div(result->now_us, DAY_US), day));
	answer->now_us = result->now_us;
	answer->cost_nano_usd = result->cost;
	answer->requests = result->requests;
	answer->projected_cost_nano_usd = result->projected_cost;
	answer->projected_requests = result->projected_requests;
	answer->basis = (Bursar__V1__ForecastBasis)result->basis;
	answer->basis_days = result->basis_days;
	answer->basis_cost_nano_usd = result->basis_cost;
	answer->basis_requests = result->basis_requests;
	answer->budget_nano_usd = result->budget;
	answer->budget_name = unconst(forecast->budget_name);
	if (result->runs_out_day >= 0)
		answer->runs_out_on = arena_printf(arena, "%s", date_format(result->runs_out_day, day));
	call_reply_message(call, &answer->base);
}

ADMIN_FLOW_CALL(
	forecast_call, account_forecast, GetForecastRequest, get_forecast_request, forecast_done, forecast_answer)

void admin_get_forecast(struct call *call, void *ctx)
{
	struct forecast_call *self = forecast_call_new(call);

	if (!self)
		return;
	if (admin_bill_key(call, ctx, self->request->ref, &self->op.key))
		forecast_start(&self->op, ctx, call_arena(call), forecast_done);
}
