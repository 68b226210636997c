/* Reads the options of a check and shows its answer (check.h). */
#include "cli/request/check.h"

#include <string.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/request/denied.h"
#include "cli/text/format.h"
#include "cli/text/limit_spec.h"
#include "cli/text/parse.h"

/* web_searches=2 */
static bool read_expected(struct cli *cli, const char *text, Bursar__V1__ExpectedUse *out)
{
	const char *equals = strchr(text, '=');

	bursar__v1__expected_use__init(out);
	if (!equals)
		return err_set(&cli->err, ERR_INVALID, "--expect: '%s' must look like web_searches=2", text);
	return (limit_dimension_parse(text, (size_t)(equals - text), &out->dimension, &cli->err) &&
		       parse_count(equals + 1, strlen(equals + 1), &out->amount, &cli->err)) ||
	       err_prefix(&cli->err, "--expect: ");
}

bool read_check(struct cli *cli, Bursar__V1__CheckRequest *request)
{
	enum { EXPECTED_MAX = 64 };
	static Bursar__V1__ExpectedUse uses[EXPECTED_MAX], *list[EXPECTED_MAX];
	size_t count;
	const char *const *texts = option_list(cli, "expect", &count);

	bursar__v1__check_request__init(request);
	request->user = (char *)cli_arg(cli, 0);
	request->tenant = (char *)option_text(cli, "tenant");
	request->interface = (char *)option_text(cli, "interface");
	request->model = (char *)option_text(cli, "model");
	request->input_tokens = option_number(cli, "input-tokens", 0);
	request->cached_input_tokens = option_number(cli, "cached-tokens", 0);
	request->max_output_tokens = option_number(cli, "max-output-tokens", 0);
	request->language = (char *)option_text(cli, "language");
	request->mode = (char *)option_text(cli, "mode");
	request->expected = list;
	if (count > EXPECTED_MAX)
		return err_set(&cli->err, ERR_INVALID, "--expect: is given more than %d times", EXPECTED_MAX);
	for (; request->n_expected < count; request->n_expected++) {
		list[request->n_expected] = &uses[request->n_expected];
		if (!read_expected(cli, texts[request->n_expected], list[request->n_expected]))
			return false;
	}
	return true;
}

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
		buf_put_str(&text, ": this id was already allowed; nothing was counted again");
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
	int64_t now_us = answer->started_at_us ? answer->started_at_us : clock_wall_us();
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
	if (answer->quality == BURSAR__V1__QUALITY__QUALITY_REMEMBERED)
		buf_put_str(&cli->out, "  remembered: the store was not asked again");
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
