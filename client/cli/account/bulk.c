/* Runs one change for many accounts (bulk.h). */
#include "cli/account/bulk.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/text/format.h"
#include "cli/text/plain.h"
#include "cli/text/table.h"

enum { IDS_A_CALL = 1000, EXAMPLES = 20, TICK_US = 100000, QUIET_US = 2000000, LINE_US = 10000000 };

/* Appends the part of the account that the change affects. */
static void put_state(struct buf *out, const Bursar__V1__Account *account, Bursar__V1__AccountAction action)
{
	switch ((int)action) {
	case BURSAR__V1__ACCOUNT_ACTION__ACCOUNT_ACTION_SET_TIER:
		buf_put_str(out, account->tier[0] ? account->tier : "(default)");
		break;
	case BURSAR__V1__ACCOUNT_ACTION__ACCOUNT_ACTION_SET_GRACE:
		if (account->grace_until_us) {
			buf_putf(out, "%d%% until ", account->grace_percent);
			put_time(out, account->grace_until_us);
		} else {
			buf_put_str(out, "no grace");
		}
		break;
	case BURSAR__V1__ACCOUNT_ACTION__ACCOUNT_ACTION_OVERRIDE_LIMITS:
		for (size_t i = 0; i < account->n_overrides; i++) {
			buf_put_str(out, i ? " " : "");
			view_limit(out, account->overrides[i]);
			if (account->overrides[i]->until_us) {
				buf_put_str(out, " until ");
				put_time(out, account->overrides[i]->until_us);
			}
		}
		break;
	default:
		buf_put_str(out, account->known || account->deleted || account->suspended || account->bypass
					 ? account_state_name(account)
					 : "unknown");
	}
}

static void example_add(struct bulk *bulk, const Bursar__V1__AccountDifference *example)
{
	static const char *const columns[] = {"~ID", "~NOW", "~AFTER", NULL};
	Bursar__V1__AccountAction action = bulk->request.change->action;
	struct buf text = {0};

	if (!bulk->examples)
		bulk->examples = table_new(columns, bulk->cli->colour);
	table_line(bulk->examples);
	table_cell(bulk->examples, "%s", example->before->ref->id);
	put_state(&text, example->before, action);
	table_cell_buf(bulk->examples, &text);
	put_state(&text, example->after, action);
	table_cell_buf(bulk->examples, &text);
	buf_release(&text);
	bulk->shown++;
}

static void failure_add(struct bulk *bulk, const Bursar__V1__AccountFailure *failure)
{
	struct buf *out = &bulk->failures;

	if (strcmp(failure->field, "id") == 0) {
		if (bulk->strangers < sizeof(bulk->stranger) / sizeof(*bulk->stranger))
			bulk->stranger[bulk->strangers++] = strdup(failure->id);
		return;
	}
	buf_put_str(out, "  ");
	put_plain(out, failure->id);
	buf_put_str(out, ": ");
	put_plain(out, failure->message);
	buf_put_str(out, "\n");
}

static void on_message(void *ctx, void *message)
{
	const Bursar__V1__ChangeAccountsResponse *answer = message;
	struct bulk *bulk = ctx;

	bulk->counts.matched = bulk->before.matched + answer->matched;
	bulk->counts.changed = bulk->before.changed + answer->changed;
	bulk->counts.already = bulk->before.already + answer->already;
	bulk->counts.failed = bulk->before.failed + answer->failed;
	bulk->counts.pending = bulk->before.pending + answer->pending;
	bulk->counts.unknown = bulk->before.unknown + answer->unknown;
	for (size_t i = 0; i < answer->n_examples; i++)
		example_add(bulk, answer->examples[i]);
	for (size_t i = 0; i < answer->n_failures && bulk->failures.len < 4096; i++)
		failure_add(bulk, answer->failures[i]);
	bursar_free(message);
}

static void on_ended(void *ctx, const struct bursar_error *error)
{
	struct bulk *bulk = ctx;

	bulk->ended = true;
	bulk->error = *error;
}

/* On a terminal one line that is redrawn, elsewhere a line from time to time; nothing if the run is short. */
static void show_progress(struct bulk *bulk)
{
	int64_t now_us = clock_mono_us(), elapsed_us = now_us - bulk->started_us, done = bulk->counts.matched;
	struct buf text = {0};

	if (elapsed_us < QUIET_US || now_us - bulk->told_us < (bulk->terminal ? TICK_US : LINE_US))
		return;
	bulk->told_us = now_us;
	put_count(&text, done);
	buf_put_str(&text, " of ");
	put_count(&text, bulk->expected);
	buf_put_str(&text, ", ");
	put_count(&text, done * 1000000 / elapsed_us);
	buf_put_str(&text, " a second");
	if (done > 0 && bulk->expected > done) {
		buf_put_str(&text, ", ");
		put_duration(&text, (bulk->expected - done) * elapsed_us / done / 1000000 * 1000000 + 1000000);
		buf_put_str(&text, " left");
	}
	fprintf(stderr, bulk->terminal ? "\r\033[K%s" : "%s\n", buf_str(&text));
	buf_release(&text);
}

static void counted(struct buf *out, int64_t count, const char *what)
{
	put_count(out, count);
	buf_put_str(out, what);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* The signal then ends the process as usual; the server finishes its current batch when the connection closes. */
static void give_up(const struct bulk *bulk)
{
	struct buf text = {0};

	counted(&text, bulk->counts.changed,
		" were changed, and so may be the batch of 500 that the server is working on.");
	fprintf(stderr, "%sbursar: interrupted: %s\n  Repeat the command to continue: changed accounts are skipped.\n",
		bulk->terminal ? "\r\033[K" : "", bulk->request.dry_run ? "nothing was changed." : buf_str(&text));
	signal(SIGINT, SIG_DFL);
	raise(SIGINT);
}

static bool run_call(struct bulk *bulk, Bursar__V1__ChangeAccountsRequest *request)
{
	struct bursar *bursar = cli_bursar(bulk->cli);

	bulk->before = bulk->counts;
	bulk->ended = false;
	request->examples = request->dry_run ? EXAMPLES - (int32_t)bulk->shown : 0;
	bursar_stream_open(bursar, BURSAR_CHANGE_ACCOUNTS, request, on_message, on_ended, bulk);
	while (!bulk->ended) {
		bursar_poll(bursar, TICK_US);
		if (interrupted)
			give_up(bulk);
		show_progress(bulk);
	}
	return bulk->error.code == BURSAR_OK;
}

static bool run_calls(struct bulk *bulk)
{
	Bursar__V1__ChangeAccountsRequest request = bulk->request;

	if (!bulk->by_ids)
		return run_call(bulk, &request);
	request.filter = NULL;
	for (size_t at = 0; at < bulk->ids; at += IDS_A_CALL) {
		request.ids = bulk->id + at;
		request.n_ids = bulk->ids - at < IDS_A_CALL ? bulk->ids - at : IDS_A_CALL;
		if (!run_call(bulk, &request))
			return false;
	}
	return true;
}

/* The number of accounts to go through, for the progress line. */
static bool expect(struct bulk *bulk, int *code)
{
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;
	Bursar__V1__ListAccountsResponse *answer;

	bulk->expected = (int64_t)bulk->ids;
	if (bulk->by_ids)
		return true;
	request.tenant = bulk->request.tenant;
	request.kind = bulk->request.kind;
	request.filter = bulk->request.filter;
	request.count_only = true;
	answer = cli_call(bulk->cli, BURSAR_LIST_ACCOUNTS, &request, code);
	if (!answer)
		return false;
	bulk->expected = answer->matched;
	bursar_free(answer);
	return true;
}

static int run_all(struct bulk *bulk, bool dry)
{
	bulk->request.dry_run = dry;
	bulk->started_us = bulk->told_us = clock_mono_us();
	bool ok = run_calls(bulk);
	if (bulk->terminal)
		fputs("\r\033[K", stderr);
	if (bulk->failures.len > 0)
		fprintf(stderr, "bursar: the first failures:\n%s", buf_str(&bulk->failures));
	if (!ok) {
		int code = cli_failed(bulk->cli, &bulk->error);

		if (!dry && bulk->counts.matched > 0)
			fprintf(stderr, "  Repeat the command to continue: changed accounts are skipped.\n");
		return code;
	}
	if (bulk->counts.unknown > 0)
		return bulk_tell_unknown(bulk);
	return bulk->counts.failed > 0 ? EXIT_REFUSED : EXIT_DONE;
}

/* If any id is unknown, nothing is changed; so a dry run checks them first. */
static bool all_known(struct bulk *bulk, int *code)
{
	size_t shown = bulk->shown;

	if (!bulk->by_ids || !bulk->request.known_only || bulk->ids == 0)
		return true;
	bulk->request.dry_run = true;
	bulk->started_us = bulk->told_us = clock_mono_us();
	bulk->shown = EXAMPLES; /* shows none */
	if (!run_calls(bulk))
		*code = cli_failed(bulk->cli, &bulk->error);
	else if (bulk->counts.unknown > 0)
		*code = bulk_tell_unknown(bulk);
	else
		*code = EXIT_DONE;
	bulk->shown = shown;
	if (*code == EXIT_DONE) {
		bulk->counts = (struct bulk_counts){0};
		buf_reset(&bulk->failures);
	}
	return *code == EXIT_DONE;
}

int bulk_run(struct bulk *bulk, bool dry)
{
	int code = EXIT_DONE;

	bulk->terminal = isatty(STDERR_FILENO) != 0;
	signal(SIGINT, on_interrupt);
	if (!expect(bulk, &code) || (!dry && !all_known(bulk, &code)))
		return code;
	return run_all(bulk, dry);
}

void bulk_show(struct bulk *bulk, bool dry)
{
	const struct bulk_counts *counts = &bulk->counts;
	struct buf *out = &bulk->cli->out;

	if (bulk->cli->json) {
		buf_putf(out,
			"{\"matched\": %" PRId64 ", \"already\": %" PRId64 ", \"to_change\": %" PRId64
			", \"changed\": %" PRId64 ", \"failed\": %" PRId64 ", \"pending\": %" PRId64 "}\n",
			counts->matched, counts->already, dry ? counts->changed : counts->matched - counts->already,
			dry ? 0 : counts->changed, counts->failed, counts->pending);
		return;
	}
	if (dry) {
		if (bulk->examples)
			table_put(out, bulk->examples, "");
		if (counts->changed > (int64_t)bulk->shown) {
			buf_put_str(out, "... and ");
			counted(out, counts->changed - (int64_t)bulk->shown, " more\n");
		}
		counted(out, counts->changed, " would change, ");
		counted(out, counts->already, " need no change");
		if (counts->failed) {
			buf_put_str(out, ", ");
			counted(out, counts->failed, " would fail");
		}
		buf_put_str(out, "; nothing was changed\n");
		return;
	}
	counted(out, counts->changed, " changed, ");
	counted(out, counts->already, " needed no change, ");
	counted(out, counts->failed, " failed\n");
	if (counts->pending)
		counted(out, counts->pending,
			" of the changed accounts wait for Redis; the server updates it as soon as it is back\n");
}

void bulk_release(struct bulk *bulk)
{
	for (size_t i = 0; i < bulk->ids; i++)
		free(bulk->id[i]);
	free(bulk->id);
	for (size_t i = 0; i < bulk->strangers; i++)
		free(bulk->stranger[i]);
	table_free(bulk->examples);
	buf_release(&bulk->failures);
}
