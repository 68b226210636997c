/* Messages on their way to channels (alert.h). */
#include "cli/alert/alert.h"

#include <inttypes.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/text/format.h"

static void put_state(struct buf *out, const Bursar__V1__AlertDelivery *delivery)
{
	put_enum(out, &bursar__v1__alert_delivery_state__descriptor, (int)delivery->state, "ALERT_DELIVERY_STATE_");
}

/* "test", "3 events" */
static void put_what(struct buf *out, const Bursar__V1__AlertDelivery *delivery)
{
	if (delivery->test)
		buf_put_str(out, "test");
	else
		buf_putf(out, "%zu event%s", delivery->n_events, delivery->n_events == 1 ? "" : "s");
}

static void attempt_cells(struct table *table, const void *message)
{
	const Bursar__V1__AlertAttempt *attempt = message;

	table_cell(table, "%d", attempt->attempt);
	table_time(table, attempt->at_us);
	table_duration(table, attempt->took_us);
	table_cell(table, "%d", attempt->status);
	table_cell(table, "%s", attempt->error[0] ? attempt->error : "delivered");
}

static void view_when(struct cli *cli, const char *label, int64_t us)
{
	struct buf text = {0};

	if (!us)
		return;
	put_time_from(&text, us, clock_wall_us());
	view_field_buf(cli, label, &text);
	buf_release(&text);
}

void alert_show_delivery(struct cli *cli, const Bursar__V1__AlertDelivery *delivery)
{
	static const char *const columns[] = {">ATTEMPT", "WHEN", ">TOOK", ">STATUS", "~RESULT", NULL};
	struct buf text = {0};

	buf_putf(&cli->out, "delivery %" PRId64 "\n", delivery->id);
	view_field(cli, "channel", "%s", delivery->channel);
	put_what(&text, delivery);
	view_field_buf(cli, "message", &text);
	put_state(&text, delivery);
	if (delivery->attempts)
		buf_putf(&text, " after %d attempt%s", delivery->attempts, delivery->attempts == 1 ? "" : "s");
	view_field_buf(cli, "state", &text);
	view_when(cli, "made", delivery->created_at_us);
	view_when(cli, "next", delivery->next_at_us);
	view_when(cli, "ended", delivery->ended_at_us);
	if (delivery->status)
		view_field(cli, "status", "%d", delivery->status);
	if (delivery->error[0])
		view_field(cli, "error", "%s", delivery->error);
	view_field(cli, "webhook-id", "%s", delivery->message_id);
	view_more_rows(cli, columns, delivery->log, delivery->n_log, attempt_cells);
	buf_release(&text);
}

static void delivery_cells(struct table *table, const void *message)
{
	const Bursar__V1__AlertDelivery *delivery = message;
	struct buf text = {0};

	table_cell(table, "%" PRId64, delivery->id);
	table_time(table, delivery->created_at_us);
	table_cell(table, "%s", delivery->channel);
	put_what(&text, delivery);
	table_cell_buf(table, &text);
	put_state(&text, delivery);
	table_cell_buf(table, &text);
	if (delivery->state == BURSAR__V1__ALERT_DELIVERY_STATE__ALERT_DELIVERY_STATE_DEAD)
		table_colour(table, "red");
	table_cell(table, "%d", delivery->attempts);
	if (delivery->next_at_us)
		put_time(&text, delivery->next_at_us);
	table_cell_buf(table, &text);
	table_cell(table, "%s", delivery->error);
	buf_release(&text);
}

void alert_show_deliveries(struct cli *cli, const Bursar__V1__ListAlertDeliveriesResponse *answer)
{
	static const char *const columns[] = {
		">DELIVERY", "MADE", "~CHANNEL", "MESSAGE", "STATE", ">ATTEMPTS", "~NEXT", "~ERROR", NULL};

	view_rows(cli, columns, answer->deliveries, answer->n_deliveries, delivery_cells, "no deliveries");
}
