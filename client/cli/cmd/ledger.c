/* ledger ... (commands.h): corrects what was recorded, or credits or charges a user; prices records again. */
#include "cli/cmd/commands.h"
#include "cli/text/format.h"
#include "cli/common/view.h"

#include "cli/common/meters.h"
#include "cli/report/rerate.h"
#include "cli/request/reservation.h"

static bool tokens_given(const Bursar__V1__TokenChange *usage)
{
	return usage->input_tokens || usage->cached_input_tokens || usage->cache_write_tokens || usage->output_tokens ||
	       usage->reasoning_tokens || usage->audio_input_tokens || usage->audio_output_tokens ||
	       meters_any(&usage->base);
}

static bool read_change(struct cli *cli, Bursar__V1__TokenChange *usage)
{
	bursar__v1__token_change__init(usage);
	usage->input_tokens = option_number(cli, "input-tokens", 0);
	usage->cached_input_tokens = option_number(cli, "cached-tokens", 0);
	usage->cache_write_tokens = option_number(cli, "cache-write-tokens", 0);
	usage->output_tokens = option_number(cli, "output-tokens", 0);
	usage->reasoning_tokens = option_number(cli, "reasoning-tokens", 0);
	usage->audio_input_tokens = option_number(cli, "audio-input-tokens", 0);
	usage->audio_output_tokens = option_number(cli, "audio-output-tokens", 0);
	return meters_read(cli, &usage->base);
}

/* Reads the target: a request (sets `ref`), or a user. */
static bool read_target(struct cli *cli, Bursar__V1__AdjustLedgerRequest *request, Bursar__V1__ReservationRef *ref)
{
	bool of_request = *cli_arg(cli, 0) || option_given(cli, "id");

	if (of_request && !read_reservation(cli, ref))
		return false;
	if (!of_request && !option_given(cli, "user"))
		return err_set(&cli->err, ERR_INVALID,
			"HANDLE is missing: give it, or the request's --user, --id and --started-at; --user alone "
			"credits or charges that user now");
	if (of_request && !ref->handle[0] && !ref->started_at_us)
		return err_set(&cli->err, ERR_INVALID,
			"--started-at is missing: give the day on which the request was checked");
	if (of_request && (option_given(cli, "model") || option_given(cli, "interface")))
		return err_set(&cli->err, ERR_INVALID, "--model and --interface come from the request: leave them out");
	if (of_request) {
		request->reservation = ref;
	} else {
		request->tenant = (char *)option_text(cli, "tenant");
		request->user = (char *)option_text(cli, "user");
		request->model = (char *)option_text(cli, "model");
		request->interface = (char *)option_text(cli, "interface");
	}
	return true;
}

static bool read_adjustment(
	struct cli *cli, Bursar__V1__AdjustLedgerRequest *request, const Bursar__V1__TokenChange *usage)
{
	request->attempt = (int32_t)option_number(cli, "attempt", 0);
	request->requests = option_number(cli, "requests", 0);
	request->cost_nano_usd = option_number(cli, "cost", 0);
	request->price_tokens = tokens_given(usage) && !option_given(cli, "cost");
	request->ledger_only = option_given(cli, "ledger-only");
	request->adjustment_id = (char *)option_text(cli, "adjustment-id");
	request->reason = (char *)option_text(cli, "reason");
	if (option_number(cli, "attempt", 0) > 31)
		return err_set(&cli->err, ERR_INVALID, "--attempt: must be 0 to 31");
	if (!tokens_given(usage) && !request->requests && !request->cost_nano_usd)
		return err_set(&cli->err, ERR_INVALID,
			"the change is missing: give --input-tokens +N, --output-tokens -N, --cost -0.50, --requests "
			"-1 ...");
	if (request->price_tokens && !request->reservation && !request->model[0])
		return err_set(&cli->err, ERR_INVALID,
			"the cost of the tokens is missing: give --cost, or --model to use its price");
	if (!request->reason[0])
		return err_set(
			&cli->err, ERR_INVALID, "--reason is missing: it is kept in the ledger and in the audit log");
	return true;
}

static void put_change(struct buf *out, int64_t change, void (*put)(struct buf *, int64_t))
{
	buf_put_str(out, change < 0 ? "-" : "+");
	put(out, change < 0 ? -change : change);
}

static void show_adjustment(struct cli *cli, const Bursar__V1__AdjustLedgerResponse *answer)
{
	const struct {
		const char *label;
		int64_t change;
		void (*put)(struct buf *, int64_t);
	} rows[] = {{"requests", answer->requests, put_count}, {"input", answer->input_tokens, put_count},
		{"output", answer->output_tokens, put_count}, {"cost", answer->cost_nano_usd, put_money}};
	struct buf text = {0};

	cli_put_coloured(cli, "1;32", "adjusted");
	buf_put_str(&cli->out, answer->repeat ? " already: nothing was added again\n" : "\n");
	view_field(cli, "user", "%s", answer->user);
	if (answer->request_id[0])
		view_field(cli, "request", "%s", answer->request_id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].change)
			continue;
		put_change(&text, rows[i].change, rows[i].put);
		view_field_buf(cli, rows[i].label, &text);
	}
	view_field(cli, "adjustment", "%s", answer->adjustment_id);
	buf_release(&text);
}

static int run_adjust(struct cli *cli)
{
	Bursar__V1__AdjustLedgerRequest request = BURSAR__V1__ADJUST_LEDGER_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;
	Bursar__V1__TokenChange usage;

	request.usage = &usage;
	if (!read_change(cli, &usage) || !read_target(cli, &request, &ref) || !read_adjustment(cli, &request, &usage))
		return cli_usage(cli);
	return cli_show(cli, BURSAR_ADJUST_LEDGER, &request, show_adjustment);
}

static const struct command commands[] = {
	{
		COMMAND("ledger adjust", "[HANDLE]", "correct what was recorded, or credit or charge a user",
			run_adjust),
		.about = "Adds differences of either sign as a separate entry: rows of the ledger never change. For a "
			 "request (HANDLE, or --user, --id and --started-at) they count where the request counted: on "
			 "its day, for its model, and in the windows that are still running. For a user alone they "
			 "count now. Reports and counters follow. Tokens cost what the price says, unless --cost is "
			 "given.",
		.options = {OPTION_TENANT,
			{'u', "user", OPTION_TEXT, "USER",
				"without HANDLE: the request's user, or the user to credit or charge", NULL},
			{'\0', "id", OPTION_TEXT, "ID", "without HANDLE: the request's id", NULL},
			{'\0', "started-at", OPTION_TIME, "TIME",
				"without HANDLE: when the request was checked; its day counts (UTC)", NULL},
			{'\0', "attempt", OPTION_COUNT, "N", "the attempt of the request, 0 to 31 (default: 0)", NULL},
			{'\0', "input-tokens", OPTION_CHANGE, "+N|-N", "fresh input", NULL},
			{'\0', "output-tokens", OPTION_CHANGE, "+N|-N", "output without reasoning", NULL},
			{'\0', "cached-tokens", OPTION_CHANGE, "+N|-N", "input read from the provider's cache", NULL},
			{'\0', "cache-write-tokens", OPTION_CHANGE, "+N|-N", "input written to the provider's cache",
				NULL},
			{'\0', "reasoning-tokens", OPTION_CHANGE, "+N|-N", "reasoning output", NULL},
			{'\0', "audio-input-tokens", OPTION_CHANGE, "+N|-N", "audio input", NULL},
			{'\0', "audio-output-tokens", OPTION_CHANGE, "+N|-N", "audio output", NULL},
			{'\0', "meter", OPTION_LIST, "NAME=+N|-N",
				"anything else the provider bills, such as web_searches=+2 (may be repeated)", NULL},
			{'\0', "requests", OPTION_CHANGE, "+N|-N", "requests", NULL},
			{'\0', "cost", OPTION_USD_CHANGE, "+USD|-USD", "money (default: what the tokens cost)", NULL},
			{'m', "model", OPTION_TEXT, "MODEL", "for a user alone: the model whose limits and price apply",
				NULL},
			{'i', "interface", OPTION_TEXT, "NAME", "for a user alone: the interface (default: api)", NULL},
			{'\0', "ledger-only", OPTION_FLAG, NULL, "correct the bill, but leave the counters alone",
				NULL},
			{'\0', "adjustment-id", OPTION_TEXT, "ID",
				"an id, so that repeating it does nothing (default: random)", NULL},
			OPTION_REASON},
		.examples =
			{"ledger adjust HANDLE --input-tokens +1180 --output-tokens +310 --reason 'was recorded as 0'",
				"ledger adjust --user alice --id msg-4711 --started-at 2026-11-23 --cost -0.02 "
				"--reason 'wrong model'",
				"ledger adjust --user alice --cost -5 --ledger-only --reason 'credit for the outage'"},
	},
	{
		COMMAND("ledger rerate", "", "price recorded requests again, and correct what that changes",
			ledger_rerate),
		.about =
			"Prices the records of some days (UTC) again, at the price that is in force now for the time of "
			"their check: after a price was added for a model that had none, or was corrected for the past. "
			"Shows what would change, and asks. Each correction is a separate entry: reports and the "
			"counters of running windows follow. What somebody corrected by hand is left alone. A command "
			"that was interrupted can be repeated: nothing is corrected twice.",
		.options = {OPTION_TENANT, {'\0', "from", OPTION_DAY, "DAY", "the first day", NULL},
			{'\0', "to", OPTION_DAY, "DAY", "the last day (default: today)", NULL},
			{'m', "model", OPTION_TEXT, "MODEL", "only requests of this model, or charged at its price",
				NULL},
			{'\0', "flagged", OPTION_FLAG, NULL, "only requests that are counted as unpriced", NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, even with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "do not ask", NULL}, OPTION_REASON},
		.examples = {"ledger rerate --from 2026-11-01 --dry-run",
			"ledger rerate --from 2026-11-01 --flagged --reason 'prices of the new models'",
			"ledger rerate --from 2026-11-10 --to 2026-11-14 --model gpt-5.6 --reason 'price of 10 November' "
			"--yes"},
	},
};

const struct command_group ledger_commands = {"The ledger", commands, sizeof(commands) / sizeof(*commands)};
