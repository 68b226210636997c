/* check, record, cancel, renew (commands.h): one request, from its check to its bill. */
#include "cli/cmd/commands.h"

#include <string.h>

#include "base/clock.h"
#include "cli/account/known.h"
#include "cli/common/view.h"
#include "cli/request/check.h"
#include "cli/request/record.h"
#include "cli/request/reservation.h"
#include "cli/text/format.h"

static int run_check(struct cli *cli)
{
	Bursar__V1__CheckRequest request;
	Bursar__V1__CheckResponse *answer;
	int code;

	if (!read_check(cli, &request))
		return cli_usage(cli);
	request.request_id = (char *)option_text(cli, "id");
	request.reservation_ttl_us = option_number(cli, "ttl", 0);
	request.verbose = option_given(cli, "verbose");
	request.headers = true; /* for those who read the answer as JSON */
	answer = cli_call(cli, BURSAR_CHECK, &request, &code);
	if (!answer)
		return code;
	code = answer->allowed ? EXIT_DONE : EXIT_DENIED;
	if (!cli_json(cli, answer)) {
		show_decision(cli, answer);
		if (answer->allowed && cli->colour)
			view_field(cli, "next", "bursar record %s --input-tokens N --output-tokens N",
				answer->reservation);
	}
	tell_if_tenant_unknown(cli);
	tell_if_interface_unseen(cli, request.interface);
	bursar_free(answer);
	return code;
}
static void show_cancelled(struct cli *cli, const Bursar__V1__CancelResponse *answer)
{
	put_enum(&cli->out, &bursar__v1__reservation_state__descriptor, (int)answer->state, "RESERVATION_STATE_");
	buf_put_str(&cli->out, answer->repeat ? "  (a repeat)\n" : "\n");
	view_returned(cli, answer);
}

static int run_cancel(struct cli *cli)
{
	Bursar__V1__CancelRequest request = BURSAR__V1__CANCEL_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;

	if (!read_reservation(cli, &ref))
		return cli_usage(cli);
	request.reservation = &ref;
	return cli_show(cli, BURSAR_CANCEL, &request, show_cancelled);
}
static void show_renewed(struct cli *cli, const Bursar__V1__RenewResponse *answer)
{
	buf_put_str(&cli->out, "renewed until ");
	put_time_from(&cli->out, answer->expires_at_us, clock_wall_us());
	buf_put_str(&cli->out, "\n");
}

static int run_renew(struct cli *cli)
{
	Bursar__V1__RenewRequest request = BURSAR__V1__RENEW_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;

	if (!read_reservation(cli, &ref))
		return cli_usage(cli);
	request.reservation = &ref;
	request.reservation_ttl_us = option_number(cli, "ttl", 0);
	return cli_show(cli, BURSAR_RENEW, &request, show_renewed);
}

#define OPTIONS_REF \
	OPTION_TENANT, {'u', "user", OPTION_TEXT, "USER", "without HANDLE: the request's user", NULL}, \
		{'\0', "id", OPTION_TEXT, "ID", "without HANDLE: the request's id", NULL}, \
	{ \
		'\0', "started-at", OPTION_TIME, "TIME", "without HANDLE: when the request was checked", NULL \
	}

static const struct command commands[] = {
	{
		COMMAND("check", "USER", "ask whether a user's request may run now", run_check),
		.about = "An allowed check holds one request, its tokens and their cost until it is recorded or "
			 "cancelled, or expires. Exit code 0 when allowed, 1 when denied.",
		.options = {OPTION_TENANT, OPTIONS_ASK,
			{'\0', "id", OPTION_TEXT, "ID",
				"the request's id: a repeat gets the same answer and is not counted (default: random)",
				NULL},
			{'\0', "ttl", OPTION_DURATION, "DURATION", "how long the reservation lasts (default: 15min)",
				NULL},
			{'v', "verbose", OPTION_FLAG, NULL, "show every limit, not only those that failed or warn",
				NULL}},
		.examples = {"check alice",
			"check alice -i telegram -m gpt-5.4 --input-tokens 1200 --max-output-tokens 500",
			"check alice --id msg-4711 --json"},
	},
	{
		COMMAND("record", "[HANDLE]", "record what a request really used, and settle it", record_run),
		.about = "HANDLE is what check printed. The meters are disjoint: fresh input, input read from "
			 "the cache, input written to it, output, reasoning, audio. --usage sends what the provider "
			 "said instead: its usage object, or the whole response. Use --input-tokens 0 for a request "
			 "that ran and used nothing. A repeat "
			 "with different figures changes nothing and exits with 1: 'bursar ledger adjust' corrects "
			 "what was recorded.",
		.options = {OPTIONS_REF, OPTIONS_USAGE,
			{'m', "model", OPTION_TEXT, "MODEL", "the model that answered (default: the one checked)",
				NULL},
			{'i', "interface", OPTION_TEXT, "NAME",
				"the interface of a request that was never checked (default: api)", NULL},
			{'\0', "attempt", OPTION_COUNT, "N", "the number of this attempt, 0 to 31 (default: 0)", NULL},
			{'\0', "keep-open", OPTION_FLAG, NULL,
				"this is one attempt of several: keep holding the rest of the reservation", NULL}},
		.examples = {"record HANDLE --input-tokens 1180 --output-tokens 310",
			"record HANDLE --input-tokens 180 --cached-tokens 1000 --output-tokens 310 -m gpt-5.4",
			"record HANDLE --provider anthropic --usage usage.json",
			"record --user alice --id msg-4711 --started-at -2min --output-tokens 310"},
	},
	{
		COMMAND("cancel", "[HANDLE]", "return a reservation: the request did not run", run_cancel),
		.options = {OPTIONS_REF},
		.examples = {"cancel HANDLE"},
	},
	{
		COMMAND("renew", "[HANDLE]", "keep a reservation open longer", run_renew),
		.options = {OPTIONS_REF,
			{'\0', "ttl", OPTION_DURATION, "DURATION", "how long, from now (default: 15min)", NULL}},
		.examples = {"renew HANDLE --ttl 30min"},
	},
};

const struct command_group check_commands = {"Requests", commands, sizeof(commands) / sizeof(*commands)};
