/* record: records what a request really used (record.h). */
#include "cli/request/record.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/request/reservation.h"
#include "cli/text/file.h"
#include "cli/text/format.h"
#include "cli/text/table.h"

/* The token options, the fields that they set, and their names for people. */
static const struct usage_field {
	const char *option, *field, *label;
	size_t offset;
} usage_fields[] = {
	{"input-tokens", "usage.input_tokens", "input tokens", offsetof(Bursar__V1__TokenUsage, input_tokens)},
	{"cached-tokens", "usage.cached_input_tokens", "cached tokens",
		offsetof(Bursar__V1__TokenUsage, cached_input_tokens)},
	{"cache-write-tokens", "usage.cache_write_tokens", "cache write tokens",
		offsetof(Bursar__V1__TokenUsage, cache_write_tokens)},
	{"output-tokens", "usage.output_tokens", "output tokens", offsetof(Bursar__V1__TokenUsage, output_tokens)},
	{"reasoning-tokens", "usage.reasoning_tokens", "reasoning tokens",
		offsetof(Bursar__V1__TokenUsage, reasoning_tokens)},
	{"audio-input-tokens", "usage.audio_input_tokens", "audio input tokens",
		offsetof(Bursar__V1__TokenUsage, audio_input_tokens)},
	{"audio-output-tokens", "usage.audio_output_tokens", "audio output tokens",
		offsetof(Bursar__V1__TokenUsage, audio_output_tokens)},
};
enum { USAGE_FIELDS = sizeof(usage_fields) / sizeof(usage_fields[0]) };

static int64_t *usage_value(Bursar__V1__TokenUsage *usage, const struct usage_field *field)
{
	return (int64_t *)(void *)((char *)usage + field->offset);
}

static bool read_provider(struct cli *cli, struct usage_options *out)
{
	if (!option_given(cli, "usage"))
		return err_set(&cli->err, ERR_INVALID, "--provider NAME is the format of --usage FILE: give it too");
	if (option_given(cli, "meter"))
		return err_set(&cli->err, ERR_INVALID, "--meter: is in --usage FILE already, if the provider says so");
	if (!file_read(option_text(cli, "usage"), &out->json, &cli->err))
		return false;
	out->from_provider = true;
	out->provider.provider = (char *)option_text(cli, "provider");
	out->provider.json = out->json.data;
	return true;
}

bool usage_given(const struct cli *cli)
{
	bool given = option_given(cli, "usage") || option_given(cli, "provider") || option_given(cli, "meter");

	for (int i = 0; i < USAGE_FIELDS; i++)
		given |= option_given(cli, usage_fields[i].option);
	return given;
}

bool read_usage(struct cli *cli, struct usage_options *out)
{
	*out = (struct usage_options){
		.usage = BURSAR__V1__TOKEN_USAGE__INIT, .provider = BURSAR__V1__PROVIDER_USAGE__INIT};
	if (option_given(cli, "usage") || option_given(cli, "provider"))
		return read_provider(cli, out);
	for (int i = 0; i < USAGE_FIELDS; i++)
		*usage_value(&out->usage, &usage_fields[i]) = option_number(cli, usage_fields[i].option, 0);
	return meters_read(cli, &out->usage.base);
}

void usage_options_release(struct usage_options *options)
{
	buf_release(&options->json);
}

static void show_record(struct cli *cli, const Bursar__V1__RecordResponse *answer)
{
	struct buf text = {0};

	cli_put_coloured(cli, "1;32", "recorded");
	if (answer->n_differs)
		buf_put_str(&cli->out, "  (a repeat with different figures: what was recorded before still counts)\n");
	else
		buf_put_str(&cli->out, answer->repeat ? "  (a repeat: nothing was charged again)\n" : "\n");
	put_count(&text, answer->tokens);
	view_field_buf(cli, "tokens", &text);
	if (answer->cost)
		view_cost(cli, answer->cost);
	if (answer->usage_problem[0])
		view_field(cli, "usage", "%s", answer->usage_problem);
	if (answer->late)
		view_field(cli, "late", "the reservation had ended, or there was none");
	if (answer->released_tokens > 0 || answer->released_cost_nano_usd > 0) {
		put_count(&text, answer->released_tokens);
		buf_put_str(&text, " tokens, ");
		put_money(&text, answer->released_cost_nano_usd);
		view_field_buf(cli, "returned", &text);
	}
	if (answer->n_limits > 0)
		view_limits(cli, answer->limits, answer->n_limits, clock_wall_us());
	buf_release(&text);
}

static bool is_usage_field(const char *field)
{
	for (int i = 0; i < USAGE_FIELDS; i++)
		if (strcmp(usage_fields[i].field, field) == 0)
			return true;
	return false;
}

static bool differs(const Bursar__V1__RecordResponse *answer, const char *field)
{
	for (size_t i = 0; i < answer->n_differs; i++)
		if (strcmp(answer->differs[i], field) == 0)
			return true;
	return false;
}

static void text_line(struct table *table, const char *label, const char *recorded, const char *given)
{
	table_line(table);
	table_cell(table, "%s", label);
	table_cell(table, "%s", recorded);
	table_cell(table, "%s", given);
}

/* Appends the command for `ledger adjust`. */
static void put_reservation(struct buf *out, const Bursar__V1__ReservationRef *ref)
{
	buf_put_str(out, "bursar ledger adjust ");
	if (ref->handle[0]) {
		buf_put_str(out, ref->handle);
		return;
	}
	if (ref->tenant[0])
		buf_putf(out, "--tenant %s ", ref->tenant);
	buf_putf(out, "--user %s --id %s --started-at ", ref->user, ref->request_id);
	put_time_exact(out, ref->started_at_us);
}

/* The rows of the meters that have no option of their own. */
static void show_meters(struct table *table, struct buf *command, const Bursar__V1__RecordRequest *request,
	const Bursar__V1__RecordResponse *answer)
{
	for (size_t i = 0; i < answer->n_differs; i++) {
		const char *field = answer->differs[i] + strcspn(answer->differs[i], ".");
		int64_t was, is;

		if (*field != '.' || is_usage_field(answer->differs[i]))
			continue;
		was = meters_count(&answer->recorded->usage->base, ++field);
		is = meters_count(&request->usage->base, field);
		table_line(table);
		table_cell(table, "%s", field);
		table_count(table, was);
		table_count(table, is);
		buf_putf(command, " --meter %s=%+" PRId64, field, is - was);
	}
}

/* Shows the differences field by field, and the command that corrects the record by them. */
static void show_difference(
	struct cli *cli, const Bursar__V1__RecordRequest *request, const Bursar__V1__RecordResponse *answer)
{
	static const char *const columns[] = {"FIELD", ">RECORDED", ">GIVEN", NULL};
	struct table *table = table_new(columns, cli->colour);
	const Bursar__V1__RecordedUsage *recorded = answer->recorded;
	struct buf command = {0};

	put_reservation(&command, request->reservation);
	if (request->attempt)
		buf_putf(&command, " --attempt %d", request->attempt);
	for (int i = 0; i < USAGE_FIELDS; i++) {
		const struct usage_field *field = &usage_fields[i];
		int64_t was = *usage_value(recorded->usage, field), is = *usage_value(request->usage, field);

		if (!differs(answer, field->field))
			continue;
		table_line(table);
		table_cell(table, "%s", field->label);
		table_count(table, was);
		table_count(table, is);
		buf_putf(&command, " --%s %+" PRId64, field->option, is - was);
	}
	show_meters(table, &command, request, answer);
	if (differs(answer, "model"))
		text_line(table, "model", recorded->model[0] ? recorded->model : NO_MODEL, request->model);
	if (differs(answer, "mode"))
		text_line(table, "mode", recorded->mode[0] ? recorded->mode : "standard",
			request->mode[0] ? request->mode : "standard");
	table_put(&cli->out, table, "");
	table_free(table);
	buf_put_str(&command, " --reason TEXT");
	view_field_buf(cli, "correction", &command);
	buf_release(&command);
}

/* What a provider's file says is known to the server alone. */
static void show_fields(struct cli *cli, const Bursar__V1__RecordResponse *answer)
{
	struct buf fields = {0};

	for (size_t i = 0; i < answer->n_differs; i++)
		buf_putf(&fields, "%s%s", i ? ", " : "", answer->differs[i]);
	view_field_buf(cli, "differs in", &fields);
	buf_release(&fields);
}

static int record_send(struct cli *cli, const Bursar__V1__RecordRequest *request)
{
	int code;
	Bursar__V1__RecordResponse *answer = cli_call(cli, BURSAR_RECORD, request, &code);

	if (!answer)
		return code;
	code = answer->n_differs && answer->recorded ? EXIT_DENIED : EXIT_DONE;
	if (!cli_json(cli, answer)) {
		show_record(cli, answer);
		if (code == EXIT_DENIED && request->usage)
			show_difference(cli, request, answer);
		else if (code == EXIT_DENIED)
			show_fields(cli, answer);
	}
	bursar_free(answer);
	return code;
}

static bool record_check(struct cli *cli)
{
	if (!usage_given(cli))
		return err_set(&cli->err, ERR_INVALID,
			"the tokens used are missing: give --input-tokens N and --output-tokens N, or --usage FILE. "
			"--input-tokens 0 records that none were used; 'bursar cancel' returns the reservation of a "
			"request that did not run");
	return option_number(cli, "attempt", 0) <= 31 || err_set(&cli->err, ERR_INVALID, "--attempt: must be 0 to 31");
}

int record_run(struct cli *cli)
{
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef ref;
	struct usage_options usage = {.from_provider = false};
	int code;

	if (!read_reservation(cli, &ref) || !read_usage(cli, &usage) || !record_check(cli)) {
		usage_options_release(&usage);
		return cli_usage(cli);
	}
	request.reservation = &ref;
	request.usage = usage.from_provider ? NULL : &usage.usage;
	request.provider_usage = usage.from_provider ? &usage.provider : NULL;
	request.model = (char *)option_text(cli, "model");
	request.interface = (char *)option_text(cli, "interface");
	request.attempt = (int32_t)option_number(cli, "attempt", 0);
	request.keep_open = option_given(cli, "keep-open");
	request.mode = (char *)option_text(cli, "mode");
	code = record_send(cli, &request);
	usage_options_release(&usage);
	return code;
}
