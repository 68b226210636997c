/* reservation list, show, cancel (commands.h): open reservations, for admins. */
#include "cli/cmd/admin/admin.h"

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/text/format.h"

static int64_t held_tokens(const Bursar__V1__Reservation *reservation)
{
	return reservation->held_input_tokens + reservation->held_output_tokens;
}

static void show_list(struct cli *cli, const Bursar__V1__ListReservationsResponse *answer)
{
	static const char *const columns[] = {
		"~USER", "~REQUEST", "MODEL", ">AGE", ">EXPIRES IN", ">TOKENS", ">COST", ">ATTEMPTS", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < answer->n_reservations; i++) {
		const Bursar__V1__Reservation *row = answer->reservations[i];

		table_line(table);
		table_cell(table, "%s", row->user);
		table_cell(table, "%s", row->request_id);
		table_cell(table, "%s", row->model[0] ? row->model : NO_MODEL);
		table_duration(table, answer->now_us - row->started_at_us);
		table_duration(table, row->expires_at_us > answer->now_us ? row->expires_at_us - answer->now_us : 0);
		table_count(table, held_tokens(row));
		table_money(table, row->held_cost_nano_usd);
		table_count(table, row->attempts);
	}
	table_put(&cli->out, table, "no open reservations");
	table_free(table);
	if (answer->next_page_token[0])
		view_more(cli, answer->n_reservations);
}

static int run_list(struct cli *cli)
{
	Bursar__V1__ListReservationsRequest request = BURSAR__V1__LIST_RESERVATIONS_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.user = (char *)cli_arg(cli, 0);
	return cli_show_pages(cli, BURSAR_LIST_RESERVATIONS, &request, 100, show_list);
}

/* Reads HANDLE, or USER and ID. */
static bool read_ref(struct cli *cli, Bursar__V1__ReservationRef *ref)
{
	const char *id = cli_arg(cli, 1);

	bursar__v1__reservation_ref__init(ref);
	if (*id) {
		ref->tenant = (char *)option_text(cli, "tenant");
		ref->user = (char *)cli_arg(cli, 0);
		ref->request_id = (char *)id;
		return true;
	}
	if (option_given(cli, "tenant"))
		return err_set(&cli->err, ERR_INVALID,
			"HANDLE already names the tenant: leave out --tenant, or give USER and the request's ID");
	ref->handle = (char *)cli_arg(cli, 0);
	return true;
}

static void put_amounts(struct cli *cli, const char *label, int64_t input, int64_t output, int64_t cost)
{
	struct buf text = {0};

	put_count(&text, input);
	buf_put_str(&text, " input and ");
	put_count(&text, output);
	buf_put_str(&text, " output tokens, ");
	put_money(&text, cost);
	view_field_buf(cli, label, &text);
	buf_release(&text);
}

static void show_reservation(struct cli *cli, const Bursar__V1__Reservation *row)
{
	struct buf text = {0};

	put_enum(&cli->out, &bursar__v1__reservation_state__descriptor, (int)row->state, "RESERVATION_STATE_");
	buf_putf(&cli->out, "  request %s of %s\n", row->request_id, row->user);
	view_field(cli, "tenant", "%s", row->tenant);
	view_field(
		cli, "from", "%s, model %s, tier %s", row->interface, row->model[0] ? row->model : NO_MODEL, row->tier);
	put_time_from(&text, row->started_at_us, clock_wall_us());
	view_field_buf(cli, "checked", &text);
	put_time_from(&text, row->expires_at_us, clock_wall_us());
	view_field_buf(cli,
		row->state == BURSAR__V1__RESERVATION_STATE__RESERVATION_STATE_OPEN ? "expires" : "would expire",
		&text);
	if (row->state == BURSAR__V1__RESERVATION_STATE__RESERVATION_STATE_OPEN)
		put_amounts(cli, "holds", row->held_input_tokens, row->held_output_tokens, row->held_cost_nano_usd);
	if (row->attempts)
		put_amounts(cli, "recorded", row->used_input_tokens, row->used_output_tokens, row->used_cost_nano_usd);
	for (size_t i = 0; i < row->n_accounts; i++)
		buf_putf(&text, "%s%s %s", i ? ", " : "", kind_name(row->accounts[i]->kind), row->accounts[i]->id);
	view_field_buf(cli, "counts on", &text);
	view_field(cli, "handle", "%s", row->handle);
	buf_release(&text);
}

static int run_show(struct cli *cli)
{
	Bursar__V1__GetReservationRequest request = BURSAR__V1__GET_RESERVATION_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;

	if (!read_ref(cli, &ref))
		return cli_usage(cli);
	request.reservation = &ref;
	return cli_show(cli, BURSAR_GET_RESERVATION, &request, show_reservation);
}
static void show_cancelled(struct cli *cli, const Bursar__V1__CancelResponse *answer)
{
	buf_put_str(&cli->out, answer->repeat ? "already cancelled\n" : "cancelled\n");
	view_returned(cli, answer);
}

static int run_cancel(struct cli *cli)
{
	Bursar__V1__CancelReservationRequest request = BURSAR__V1__CANCEL_RESERVATION_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;

	if (!read_ref(cli, &ref))
		return cli_usage(cli);
	request.reservation = &ref;
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_CANCEL_RESERVATION, &request, show_cancelled);
}

static const struct command commands[] = {
	{
		COMMAND("reservation list", "[USER]",
			"list open reservations: when they began, when they expire, what they hold", run_list),
		.about = "Lists the reservations of USER, or of the whole tenant. Those of one user are ordered by "
			 "when they expire.",
		.options = {OPTION_TENANT, {'\0', "limit", OPTION_SOME, "N",
						   "the maximum number of reservations to show (default: 100)", NULL}},
		.examples = {"reservation list alice", "reservation list --limit 1000 --json"},
	},
	{
		COMMAND("reservation show", "HANDLE|USER [ID]",
			"show one reservation: its state, what it holds, which accounts it counts on", run_show),
		.about = "Takes HANDLE, or USER and the request's ID. Settled reservations stay known for some time.",
		.options = {OPTION_TENANT},
		.examples = {"reservation show alice msg-4711", "reservation show HANDLE"},
	},
	{
		COMMAND("reservation cancel", "HANDLE|USER [ID]", "release what a reservation holds", run_cancel),
		.about =
			"For a request that will not finish: what it holds is released now instead of when it expires. "
			"If a record arrives anyway, it is charged in full. The audit log shows who cancelled it.",
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"reservation cancel alice msg-4711 --reason 'the bot crashed'"},
	},
};

const struct command_group reservation_commands = {"Reservations", commands, sizeof(commands) / sizeof(*commands)};
