/* check, record, cancel, renew: one request from its permission to its bill. */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/denied.h"
#include "cli/file.h"
#include "cli/format.h"
#include "cli/known.h"
#include "cli/view.h"

static void put_reason(struct buf *out, Bursar__V1__Reason reason)
{
	put_enum(out, &bursar__v1__reason__descriptor, (int)reason, "REASON_");
	for (char *p = out->data; p && *p; p++)
		if (*p == '_')
			*p = ' ';
}

static void show_allowed(struct cli *cli, const Bursar__V1__CheckResponse *answer, int64_t now_us)
{
	struct buf text = {0};

	if (answer->reservation[0])
		view_field(cli, "handle", "%s", answer->reservation);
	if (answer->request_id[0])
		view_field(cli, "id", "%s", answer->request_id);
	put_count(&text, answer->held_tokens);
	buf_put_str(&text, " tokens, ");
	put_money(&text, answer->held_cost_nano_usd);
	view_field_buf(cli, "holds", &text);
	if (answer->expires_at_us) {
		put_time_from(&text, answer->expires_at_us, now_us);
		view_field_buf(cli, "expires", &text);
	}
	if (answer->repeat) {
		put_enum(&text, &bursar__v1__reservation_state__descriptor, (int)answer->state, "RESERVATION_STATE_");
		buf_put_str(&text, ": this id was allowed before, nothing was counted again");
		view_field_buf(cli, "repeat", &text);
	}
	if (answer->bypassed)
		view_field(cli, "note", "the account is bypassed: counted, never denied");
	if (answer->unpriced)
		view_field(cli, "note", "the model's price is not known");
	buf_release(&text);
}

int show_decision(struct cli *cli, const Bursar__V1__CheckResponse *answer)
{
	int64_t now_us = answer->started_at_us ? answer->started_at_us : cli_now_us();
	struct buf reason = {0};

	if (answer->allowed) {
		cli_put_coloured(cli, "1;32", "allowed");
	} else {
		cli_put_coloured(cli, "1;31", "denied");
		put_reason(&reason, answer->reason);
		buf_putf(&cli->out, ": %s", buf_str(&reason));
		buf_release(&reason);
	}
	if (answer->tier[0])
		buf_putf(&cli->out, "  (tier %s)", answer->tier);
	if (answer->quality == BURSAR__V1__QUALITY__QUALITY_LOCAL)
		cli_put_coloured(cli, "33", "  local: the store could not decide");
	if (answer->quality == BURSAR__V1__QUALITY__QUALITY_BLIND)
		cli_put_coloured(cli, "33", "  blind: the store could not decide");
	if (answer->quality == BURSAR__V1__QUALITY__QUALITY_PROVISIONAL)
		cli_put_coloured(cli, "33", "  provisional: PostgreSQL did not answer");
	buf_put_str(&cli->out, "\n");
	if (answer->cause[0])
		view_field(cli, "cause", "%s", answer->cause);
	if (answer->allowed)
		show_allowed(cli, answer, now_us);
	else
		view_denied(cli, answer, now_us);
	if (answer->n_limits > 0)
		view_limits(cli, answer->limits, answer->n_limits, now_us);
	return answer->allowed ? EXIT_DONE : EXIT_DENIED;
}

void read_check(struct cli *cli, Bursar__V1__CheckRequest *request)
{
	bursar__v1__check_request__init(request);
	request->user = (char *)cli_arg(cli, 0);
	request->tenant = (char *)option_text(cli, "tenant");
	request->interface = (char *)option_text(cli, "interface");
	request->model = (char *)option_text(cli, "model");
	request->input_tokens = option_number(cli, "input-tokens", 0);
	request->max_output_tokens = option_number(cli, "max-output-tokens", 0);
	request->language = (char *)option_text(cli, "language");
	request->mode = (char *)option_text(cli, "mode");
}

static int run_check(struct cli *cli)
{
	Bursar__V1__CheckRequest request;
	Bursar__V1__CheckResponse *answer;
	int code;

	read_check(cli, &request);
	request.request_id = (char *)option_text(cli, "id");
	request.reservation_ttl_us = option_number(cli, "ttl", 0);
	request.verbose = option_given(cli, "verbose");
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

/* The handle, or the four fields that stand for it. */
static bool read_reservation(struct cli *cli, Bursar__V1__ReservationRef *ref)
{
	bursar__v1__reservation_ref__init(ref);
	ref->handle = (char *)cli_arg(cli, 0);
	ref->tenant = (char *)option_text(cli, "tenant");
	ref->user = (char *)option_text(cli, "user");
	ref->request_id = (char *)option_text(cli, "id");
	ref->started_at_us = option_number(cli, "started-at", 0);
	if (ref->handle[0] && !option_given(cli, "tenant"))
		ref->tenant = ""; /* the handle names it, whatever the profile says */
	if (ref->handle[0] && (ref->user[0] || ref->request_id[0] || ref->started_at_us || ref->tenant[0]))
		return err_set(&cli->err, ERR_INVALID,
			"HANDLE says it all: leave out --tenant, --user, --id and --started-at");
	if (!ref->handle[0] && !ref->user[0])
		return err_set(&cli->err, ERR_INVALID,
			"HANDLE is missing; it is what 'bursar check' answered (or name --user and --id)");
	return true;
}

static bool read_provider(struct cli *cli, Bursar__V1__TokenUsage *usage)
{
	const char *provider = option_text(cli, "provider"), *path = option_text(cli, "usage");
	struct bursar_error error;
	struct buf text = {0};
	bool right;

	if (!*provider || !*path)
		return err_set(&cli->err, ERR_INVALID, "--usage FILE and --provider NAME belong together");
	if (!file_read(path, &text, &cli->err))
		return false;
	if (strcmp(provider, "openai") == 0)
		right = bursar_usage_from_openai(buf_str(&text), text.len, usage, &error);
	else if (strcmp(provider, "anthropic") == 0)
		right = bursar_usage_from_anthropic(buf_str(&text), text.len, usage, &error);
	else
		right = bursar_usage_from_google(buf_str(&text), text.len, usage, &error);
	buf_release(&text);
	return right || err_set(&cli->err, ERR_INVALID, "%s: %s %s", path, error.field, error.message);
}

bool read_usage(struct cli *cli, Bursar__V1__TokenUsage *usage)
{
	bursar__v1__token_usage__init(usage);
	if (option_given(cli, "usage") || option_given(cli, "provider"))
		return read_provider(cli, usage);
	usage->input_tokens = option_number(cli, "input-tokens", 0);
	usage->cached_input_tokens = option_number(cli, "cached-tokens", 0);
	usage->cache_write_tokens = option_number(cli, "cache-write-tokens", 0);
	usage->output_tokens = option_number(cli, "output-tokens", 0);
	usage->reasoning_tokens = option_number(cli, "reasoning-tokens", 0);
	usage->audio_input_tokens = option_number(cli, "audio-input-tokens", 0);
	usage->audio_output_tokens = option_number(cli, "audio-output-tokens", 0);
	return true;
}

static void show_record(struct cli *cli, const Bursar__V1__RecordResponse *answer)
{
	struct buf text = {0};

	cli_put_coloured(cli, "1;32", "recorded");
	buf_put_str(&cli->out, answer->repeat ? "  (a repeat: nothing was charged again)\n" : "\n");
	put_count(&text, answer->tokens);
	view_field_buf(cli, "tokens", &text);
	if (answer->cost)
		view_cost(cli, answer->cost);
	if (answer->late)
		view_field(cli, "late", "its reservation had ended, or there was none");
	if (answer->released_tokens > 0 || answer->released_cost_nano_usd > 0) {
		put_count(&text, answer->released_tokens);
		buf_put_str(&text, " tokens, ");
		put_money(&text, answer->released_cost_nano_usd);
		view_field_buf(cli, "given back", &text);
	}
	if (answer->n_limits > 0)
		view_limits(cli, answer->limits, answer->n_limits, cli_now_us());
	buf_release(&text);
}

static int run_record(struct cli *cli)
{
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;
	Bursar__V1__TokenUsage usage;
	Bursar__V1__RecordResponse *answer;
	int code;

	if (!read_reservation(cli, &ref) || !read_usage(cli, &usage))
		return cli_usage(cli);
	if (option_number(cli, "attempt", 0) > 31) {
		err_set(&cli->err, ERR_INVALID, "--attempt: must be 0 to 31");
		return cli_usage(cli);
	}
	request.reservation = &ref;
	request.usage = &usage;
	request.model = (char *)option_text(cli, "model");
	request.interface = (char *)option_text(cli, "interface");
	request.attempt = (int32_t)option_number(cli, "attempt", 0);
	request.keep_open = option_given(cli, "keep-open");
	request.mode = (char *)option_text(cli, "mode");
	answer = cli_call(cli, BURSAR_RECORD, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer))
		show_record(cli, answer);
	bursar_free(answer);
	return EXIT_DONE;
}

static int run_cancel(struct cli *cli)
{
	Bursar__V1__CancelRequest request = BURSAR__V1__CANCEL_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;
	Bursar__V1__CancelResponse *answer;
	struct buf text = {0};
	int code;

	if (!read_reservation(cli, &ref))
		return cli_usage(cli);
	request.reservation = &ref;
	answer = cli_call(cli, BURSAR_CANCEL, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer)) {
		put_enum(&cli->out, &bursar__v1__reservation_state__descriptor, (int)answer->state,
			"RESERVATION_STATE_");
		buf_put_str(&cli->out, answer->repeat ? "  (a repeat)\n" : "\n");
		put_count(&text, answer->released_tokens);
		buf_put_str(&text, " tokens, ");
		put_money(&text, answer->released_cost_nano_usd);
		view_field_buf(cli, "given back", &text);
	}
	buf_release(&text);
	bursar_free(answer);
	return EXIT_DONE;
}

static int run_renew(struct cli *cli)
{
	Bursar__V1__RenewRequest request = BURSAR__V1__RENEW_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;
	Bursar__V1__RenewResponse *answer;
	int code;

	if (!read_reservation(cli, &ref))
		return cli_usage(cli);
	request.reservation = &ref;
	request.reservation_ttl_us = option_number(cli, "ttl", 0);
	answer = cli_call(cli, BURSAR_RENEW, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer)) {
		buf_put_str(&cli->out, "renewed until ");
		put_time_from(&cli->out, answer->expires_at_us, cli_now_us());
		buf_put_str(&cli->out, "\n");
	}
	bursar_free(answer);
	return EXIT_DONE;
}

#define OPTIONS_REF \
	OPTION_TENANT, {'u', "user", OPTION_TEXT, "USER", "without HANDLE: whose request it was", NULL}, \
		{'\0', "id", OPTION_TEXT, "ID", "without HANDLE: the request's id", NULL}, \
	{ \
		'\0', "started-at", OPTION_TIME, "TIME", "without HANDLE: when it was checked", NULL \
	}

static const struct command commands[] = {
	{
		.name = "check",
		.args = "USER",
		.summary = "ask whether a user's request may run now",
		.about = "An allowed check holds one request, the tokens and their cost until it is recorded, "
			 "cancelled or "
			 "expires. Exit code 0 when allowed, 1 when denied.",
		.options = {OPTION_TENANT, OPTIONS_ASK,
			{'\0', "id", OPTION_TEXT, "ID",
				"the request's id: a repeat is answered, not counted (default: random)", NULL},
			{'\0', "ttl", OPTION_DURATION, "DURATION", "how long the reservation lasts (default: 15min)",
				NULL},
			{'v', "verbose", OPTION_FLAG, NULL, "show every limit, not only failed and warning ones",
				NULL}},
		.examples = {"check alice",
			"check alice -i telegram -m gpt-5.4 --input-tokens 1200 --max-output-tokens 500",
			"check alice --id msg-4711 --json"},
		.run = run_check,
	},
	{
		.name = "record",
		.args = "[HANDLE]",
		.summary = "say what a request really used, and settle it",
		.about =
			"HANDLE is what check answered. The token classes are disjoint: fresh input, read from the "
			"cache, "
			"written to it, output, reasoning, audio. --usage reads a provider's own usage object instead.",
		.options = {OPTIONS_REF, OPTIONS_USAGE,
			{'m', "model", OPTION_TEXT, "MODEL", "the model that answered (default: the check's)", NULL},
			{'i', "interface", OPTION_TEXT, "NAME", "of a request that was never checked (default: api)",
				NULL},
			{'\0', "attempt", OPTION_COUNT, "N", "which attempt this is, 0 to 31 (default: 0)", NULL},
			{'\0', "keep-open", OPTION_FLAG, NULL,
				"an attempt among several: keep the rest of the reservation held", NULL}},
		.examples = {"record HANDLE --input-tokens 1180 --output-tokens 310",
			"record HANDLE --input-tokens 180 --cached-tokens 1000 --output-tokens 310 -m gpt-5.4",
			"record HANDLE --provider anthropic --usage usage.json",
			"record --user alice --id msg-4711 --started-at -2min --output-tokens 310"},
		.run = run_record,
	},
	{
		.name = "cancel",
		.args = "[HANDLE]",
		.summary = "give a reservation back: the request did not run",
		.about = "",
		.options = {OPTIONS_REF},
		.examples = {"cancel HANDLE"},
		.run = run_cancel,
	},
	{
		.name = "renew",
		.args = "[HANDLE]",
		.summary = "keep a reservation open for longer",
		.about = "",
		.options = {OPTIONS_REF,
			{'\0', "ttl", OPTION_DURATION, "DURATION", "from now on (default: 15min)", NULL}},
		.examples = {"renew HANDLE --ttl 30min"},
		.run = run_renew,
	},
};

const struct command_group check_commands = {"Requests", commands, sizeof(commands) / sizeof(*commands)};
