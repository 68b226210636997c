/* bulk: one change for many accounts. What is so already is left alone, so an interrupted run is repeated as it was. */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/file.h"
#include "cli/table.h"

enum { IN_FLIGHT = 64, FAILURES_MOST = 100, SHOWN = 20, PROGRESS_US = 1000000, TICK_US = 100000 };
#define TARGETS_MOST INT64_C(1000000)

enum change { SET_TIER, SUSPEND, UNSUSPEND, DELETE };

struct target {
	char *id;
	char *tier;
	bool suspended, deleted, known;
	struct bulk *bulk;
};

struct bulk {
	struct cli *cli;
	enum change change;
	const char *tier;
	size_t count;
	struct target *target;
	size_t already, changed, failed, ended, open;
	bool reading; /* GetAccount of each, instead of the change */
	struct bursar_error first; /* failure */
	const char *first_id;
	bool terminal;
	int64_t shown_us;
};

static bool is_so(const struct bulk *bulk, const struct target *target)
{
	switch (bulk->change) {
	case SET_TIER:
		return target->known && strcmp(target->tier, bulk->tier) == 0;
	case SUSPEND:
		return target->suspended;
	case UNSUSPEND:
		return !target->suspended;
	case DELETE:
		return target->deleted || !target->known;
	}
	return false;
}

static struct target *target_add(struct bulk *bulk, const char *id, size_t len)
{
	if (bulk->count % 1024 == 0) {
		bulk->target = realloc(bulk->target, (bulk->count + 1024) * sizeof(*bulk->target));
		if (!bulk->target)
			abort();
	}
	struct target *target = &bulk->target[bulk->count++];
	*target = (struct target){.id = strndup(id, len)};
	if (!target->id)
		abort();
	return target;
}

static void target_is(struct target *target, const Bursar__V1__Account *account)
{
	free(target->tier);
	target->tier = strdup(account->tier);
	target->suspended = account->suspended;
	target->deleted = account->deleted;
	target->known = account->known;
}

static void bulk_release(struct bulk *bulk)
{
	for (size_t i = 0; i < bulk->count; i++) {
		free(bulk->target[i].id);
		free(bulk->target[i].tier);
	}
	free(bulk->target);
}

/* The first column of each line; a line of "user" or "id" is the heading. */
static bool read_ids(struct bulk *bulk, const char *path)
{
	struct buf text = {0};
	bool ok = file_read(path, &text, &bulk->cli->err);

	for (const char *line = buf_str(&text); ok && *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, ",;\t\r\n");
		bool heading = line == buf_str(&text) &&
			       ((len == 4 && memcmp(line, "user", 4) == 0) || (len == 2 && memcmp(line, "id", 2) == 0));

		if (len == 0 || heading)
			continue;
		if (len > 128 || (int64_t)bulk->count == TARGETS_MOST)
			ok = err_set(&bulk->cli->err, ERR_INVALID, "--file: %s",
				len > 128 ? "an id has at most 128 bytes" : "has more than a million ids");
		else
			target_add(bulk, line, len);
	}
	buf_release(&text);
	return ok;
}

static bool list_ids(struct bulk *bulk, int *code)
{
	struct cli *cli = bulk->cli;
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;
	Bursar__V1__AccountRef ref;

	read_account_ref(cli, &ref);
	request.tenant = ref.tenant;
	request.kind = ref.kind;
	request.tier = (char *)option_text(cli, "tier");
	request.id_prefix = (char *)option_text(cli, "prefix");
	request.suspended_only = option_given(cli, "suspended");
	Bursar__V1__ListAccountsResponse *answer =
		cli_call_pages(cli, BURSAR_LIST_ACCOUNTS, &request, TARGETS_MOST, code);
	if (!answer)
		return false;
	for (size_t i = 0; i < answer->n_accounts; i++) {
		const char *id = answer->accounts[i]->ref->id;
		target_is(target_add(bulk, id, strlen(id)), answer->accounts[i]);
	}
	bursar_free(answer);
	return true;
}

static void show_progress(struct bulk *bulk)
{
	int64_t now_us = clock_mono_us();

	if (!bulk->terminal || now_us - bulk->shown_us < PROGRESS_US)
		return;
	bulk->shown_us = now_us;
	fprintf(stderr, "\r%s %zu of %zu", bulk->reading ? "read" : "changed", bulk->ended, bulk->count);
}

static void one_done(void *ctx, void *answer, const struct bursar_error *error)
{
	struct target *target = ctx;
	struct bulk *bulk = target->bulk;

	bulk->open--;
	bulk->ended++;
	if (!answer) {
		if (bulk->failed++ == 0) {
			bulk->first = *error;
			bulk->first_id = target->id;
		}
	} else if (bulk->reading) {
		target_is(target, answer);
	} else {
		bulk->changed++;
	}
	bursar_free(answer);
}

static void submit(struct bulk *bulk, struct target *target)
{
	Bursar__V1__GetAccountRequest get = BURSAR__V1__GET_ACCOUNT_REQUEST__INIT;
	Bursar__V1__SetTierRequest tier = BURSAR__V1__SET_TIER_REQUEST__INIT;
	Bursar__V1__SuspendRequest suspend = BURSAR__V1__SUSPEND_REQUEST__INIT;
	Bursar__V1__UnsuspendRequest unsuspend = BURSAR__V1__UNSUSPEND_REQUEST__INIT;
	Bursar__V1__DeleteAccountRequest delete = BURSAR__V1__DELETE_ACCOUNT_REQUEST__INIT;
	struct bursar *bursar = cli_bursar(bulk->cli);
	Bursar__V1__AccountRef ref;

	read_account_ref(bulk->cli, &ref);
	ref.id = target->id;
	get.ref = tier.ref = suspend.ref = unsuspend.ref = delete.ref = &ref;
	tier.tier = (char *)bulk->tier;
	tier.reason = suspend.reason = unsuspend.reason = delete.reason = (char *)option_text(bulk->cli, "reason");
	target->bulk = bulk;
	bulk->open++;
	if (bulk->reading)
		bursar_submit(bursar, BURSAR_GET_ACCOUNT, &get, one_done, target);
	else if (bulk->change == SET_TIER)
		bursar_submit(bursar, BURSAR_SET_TIER, &tier, one_done, target);
	else if (bulk->change == SUSPEND)
		bursar_submit(bursar, BURSAR_SUSPEND, &suspend, one_done, target);
	else if (bulk->change == UNSUSPEND)
		bursar_submit(bursar, BURSAR_UNSUSPEND, &unsuspend, one_done, target);
	else
		bursar_submit(bursar, BURSAR_DELETE_ACCOUNT, &delete, one_done, target);
}

/* One call for each target that needs it, some at a time. */
static void run_all(struct bulk *bulk, bool reading)
{
	size_t next = 0;

	bulk->reading = reading;
	bulk->ended = 0;
	while ((next < bulk->count && bulk->failed < FAILURES_MOST) || bulk->open > 0) {
		while (next < bulk->count && bulk->open < IN_FLIGHT && bulk->failed < FAILURES_MOST) {
			struct target *target = &bulk->target[next++];
			if (reading || !is_so(bulk, target))
				submit(bulk, target);
			else
				bulk->ended++;
		}
		if (bulk->open > 0)
			bursar_poll(cli_bursar(bulk->cli), TICK_US);
		show_progress(bulk);
	}
	if (bulk->terminal)
		fputs("\r\033[K", stderr);
}

static void show_plan(struct bulk *bulk)
{
	static const char *const columns[] = {"ID", "TIER", "STATE", NULL};
	struct table *table = table_new(columns, bulk->cli->colour);
	size_t shown = 0;

	for (size_t i = 0; i < bulk->count && shown < SHOWN; i++) {
		const struct target *target = &bulk->target[i];
		if (is_so(bulk, target))
			continue;
		table_line(table);
		table_cell(table, "%s", target->id);
		table_cell(table, "%s", target->tier && target->tier[0] ? target->tier : "(default)");
		table_cell(table, "%s",
			target->deleted	    ? "deleted"
			: target->suspended ? "suspended"
			: target->known	    ? "open"
					    : "unknown");
		shown++;
	}
	table_put(&bulk->cli->out, table, "nothing would change");
	if (bulk->count - bulk->already > shown)
		buf_putf(&bulk->cli->out, "... and %zu more\n", bulk->count - bulk->already - shown);
	table_free(table);
}

/* The sums; with failures also the first of them. */
static int show_end(struct bulk *bulk, bool done)
{
	struct cli *cli = bulk->cli;
	size_t left = bulk->count - bulk->already;

	if (cli->json)
		buf_putf(&cli->out,
			"{\"matched\": %zu, \"already\": %zu, \"to_change\": %zu, \"changed\": %zu, \"failed\": %zu}\n",
			bulk->count, bulk->already, left, bulk->changed, bulk->failed);
	else if (done)
		buf_putf(&cli->out, "%zu changed, %zu were so already, %zu failed\n", bulk->changed, bulk->already,
			bulk->failed);
	else
		buf_putf(&cli->out, "%zu would change, %zu are so already; nothing was changed\n", left, bulk->already);
	if (!bulk->failed)
		return EXIT_DONE;
	cli_flush(cli);
	fprintf(stderr, "bursar: the first failure was of %s:\n", bulk->first_id);
	int code = cli_failed(cli, &bulk->first);
	fprintf(stderr, "  Repeat the command: what was changed is left alone.\n");
	return code;
}

static bool read_change(struct bulk *bulk)
{
	static const char *const words[] = {"set-tier", "suspend", "unsuspend", "delete"};
	struct cli *cli = bulk->cli;
	const char *word = cli_arg(cli, 0);
	int at = 0;

	while (at < 4 && strcmp(word, words[at]) != 0)
		at++;
	if (at == 4)
		return err_set(&cli->err, ERR_INVALID, "'%s' is none of set-tier, suspend, unsuspend, delete", word);
	bulk->change = (enum change)at;
	bulk->tier = cli_arg(cli, 1);
	if ((bulk->change == SET_TIER) != (cli->args_count == 2))
		return err_set(&cli->err, ERR_INVALID,
			bulk->change == SET_TIER ? "TIER is missing" : "only set-tier has a TIER");
	if (!option_given(cli, "file") && !option_given(cli, "tier") && !option_given(cli, "suspended") &&
		!option_given(cli, "prefix"))
		return err_set(&cli->err, ERR_INVALID, "name which: --tier, --suspended, --prefix, or --file");
	return true;
}

static int run_bulk(struct cli *cli)
{
	struct bulk bulk = {.cli = cli, .terminal = isatty(STDERR_FILENO) != 0};
	bool file = option_given(cli, "file"), go = option_given(cli, "yes") && !option_given(cli, "dry-run");
	int code = EXIT_USAGE;

	if (!read_change(&bulk) || (file && !read_ids(&bulk, option_text(cli, "file"))))
		cli_usage(cli);
	else if (file || list_ids(&bulk, &code)) {
		if (file)
			run_all(&bulk, true);
		for (size_t i = 0; i < bulk.count; i++)
			bulk.already += is_so(&bulk, &bulk.target[i]);
		if (go && !bulk.failed)
			run_all(&bulk, false);
		else if (!cli->json)
			show_plan(&bulk);
		code = show_end(&bulk, go);
		if (code == EXIT_DONE && !go && !option_given(cli, "dry-run") && bulk.already < bulk.count) {
			cli_flush(cli);
			fprintf(stderr, "bursar: repeat it with --yes to change them\n");
			code = EXIT_USAGE;
		}
	}
	bulk_release(&bulk);
	return code;
}

static const struct command commands[] = {
	{
		.name = "bulk",
		.args = "CHANGE [TIER]",
		.summary = "change many accounts: set-tier TIER, suspend, unsuspend or delete",
		.about = "Those that match all of --tier, --suspended and --prefix, or those of a file. Without --yes "
			 "it shows what would "
			 "change. Accounts that are so already are left alone, so a run that was interrupted is "
			 "repeated as it was.",
		.options = {OPTION_TENANT, OPTION_KIND, OPTION_REASON,
			{'\0', "tier", OPTION_TEXT, "TIER", "those on this tier", NULL},
			{'\0', "suspended", OPTION_FLAG, NULL, "those that are suspended", NULL},
			{'\0', "prefix", OPTION_TEXT, "TEXT", "those whose id begins so", NULL},
			{'f', "file", OPTION_FILE, "FILE",
				"those in the first column of this file (- is standard input)", NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, also with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "change them", NULL}},
		.examples = {"bulk set-tier pro --tier trial --reason 'the trial is over'",
			"bulk suspend --file leavers.csv --dry-run", "bulk unsuspend --suspended --prefix test- --yes"},
		.run = run_bulk,
	},
};

const struct command_group bulk_commands = {"Many accounts at once", commands, sizeof(commands) / sizeof(*commands)};
