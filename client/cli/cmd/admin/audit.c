/* audit (commands.h): who changed what. */
#include "cli/cmd/admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/encoding/json.h"
#include "cli/report/audit_change.h"

enum { PAGE = 1000, LAST_MAX = 24 };
#define PATIENCE_US INT64_C(2000000) /* from then on, progress is shown */
static void entry_cells(struct table *table, const void *message)
{
	const Bursar__V1__AuditEntry *entry = message;
	struct buf text = {0};

	table_time(table, entry->at_us);
	table_cell(table, "%s", entry->tenant[0] ? entry->tenant : "all");
	table_cell(table, "%s", entry->actor);
	table_cell(table, "%s", entry->action);
	table_cell(table, "%s", entry->target);
	audit_change_put(&text, entry->before, entry->details);
	table_cell_buf(table, &text);
	table_cell(table, "%s", entry->reason);
	buf_release(&text);
}

static void show_entries(struct cli *cli, const Bursar__V1__ListAuditResponse *answer)
{
	static const char *const columns[] = {
		"WHEN", "~TENANT", "~ACTOR", "ACTION", "~TARGET", "~CHANGE", "~REASON", NULL};

	view_rows(cli, columns, answer->entries, answer->n_entries, entry_cells, "no entries");
}

/* Shows from time to time how many entries were written; only on a terminal. */
static void tell(int64_t count, int64_t *next_us)
{
	if (!isatty(STDERR_FILENO) || clock_mono_us() < *next_us)
		return;
	fprintf(stderr, "\r%" PRId64 " entries", count);
	*next_us = clock_mono_us() + PATIENCE_US / 4;
}

/* Writes each page before asking for the next: a log of any length needs the memory of one page. */
static int export(struct cli *cli, const Bursar__V1__ListAuditRequest *first, int64_t limit)
{
	int64_t begun_us = clock_mono_us(), next_us = begun_us + PATIENCE_US, count = 0, last = 0;
	Bursar__V1__ListAuditRequest request = *first;
	char token[LAST_MAX];
	int code = EXIT_DONE;
	bool more = true;

	while (more && count < limit) {
		Bursar__V1__ListAuditResponse *page;

		request.page_size = (int32_t)(limit - count < PAGE ? limit - count : PAGE);
		page = cli_call(cli, BURSAR_LIST_AUDIT, &request, &code);
		if (!page) {
			if (last)
				fprintf(stderr, "  Continue with --after %" PRId64 ".\n", last);
			return code;
		}
		for (size_t i = 0; i < page->n_entries; i++) {
			json_put_line(&cli->out, &page->entries[i]->base);
			buf_put_str(&cli->out, "\n");
			last = page->entries[i]->id;
		}
		count += (int64_t)page->n_entries;
		more = page->next_page_token[0] != '\0';
		snprintf(token, sizeof(token), "%s", page->next_page_token);
		request.page_token = token;
		bursar_free(page);
		cli_flush(cli);
		tell(count, &next_us);
	}
	if (next_us != begun_us + PATIENCE_US)
		fputs("\r\033[K", stderr);
	return code;
}

static int run_audit(struct cli *cli)
{
	Bursar__V1__ListAuditRequest request = BURSAR__V1__LIST_AUDIT_REQUEST__INIT;
	char after[LAST_MAX];

	request.tenant = (char *)option_text(cli, "tenant");
	request.all_tenants = option_given(cli, "all-tenants");
	request.actor = (char *)option_text(cli, "actor");
	request.action = (char *)option_text(cli, "action");
	request.target = (char *)option_text(cli, "target");
	request.reason = (char *)option_text(cli, "reason");
	request.from_us = option_number(cli, "from", 0);
	request.to_us = option_number(cli, "to", 0);
	request.oldest_first = option_given(cli, "oldest-first");
	if (option_given(cli, "after")) {
		snprintf(after, sizeof(after), "%" PRId64, option_number(cli, "after", 0));
		request.page_token = after;
	}
	if (option_given(cli, "export"))
		return export(cli, &request, option_number(cli, "limit", INT64_MAX));
	return cli_show_pages(cli, BURSAR_LIST_AUDIT, &request, 100, show_entries);
}

static const struct command commands[] = {
	{
		COMMAND("audit", "", "show who changed what, newest first", run_audit),
		.about = "CHANGE shows the old and the new value of each changed field. With --json, each entry has "
			 "everything, as JSON: `before` is the old state, `details` the new one. --export writes all "
			 "matching entries, one line of JSON each, page by page, so the log can be of any length. If "
			 "an export is interrupted, continue it with --after and the id of the last entry received.",
		.options = {OPTION_TENANT,
			{'\0', "all-tenants", OPTION_FLAG, NULL, "all tenants (operators only)", NULL},
			{'\0', "actor", OPTION_TEXT, "TEXT", "the actor, or its beginning: 'key 7'", NULL},
			{'\0', "action", OPTION_TEXT, "TEXT", "the action, or its beginning: key, tier.put", NULL},
			{'\0', "target", OPTION_TEXT, "TEXT",
				"the target, or its beginning: user/alice, team/, a tier's name", NULL},
			{'\0', "reason", OPTION_TEXT, "TEXT", "entries whose reason contains this text", NULL},
			{'\0', "from", OPTION_TIME, "TIME", "entries from this time on", NULL},
			{'\0', "to", OPTION_TIME, "TIME", "entries before this time", NULL},
			{'\0', "oldest-first", OPTION_FLAG, NULL, "show the oldest entries first", NULL},
			{'\0', "after", OPTION_COUNT, "ID", "entries after the one with this id", NULL},
			{'\0', "limit", OPTION_SOME, "N",
				"the maximum number of entries (default: 100; for an export, all)", NULL},
			{'\0', "export", OPTION_FLAG, NULL, "write all matching entries as lines of JSON", NULL}},
		.examples = {"audit", "audit --target user/alice --from -7d", "audit --action key --all-tenants --json",
			"audit --export --oldest-first > audit.jsonl",
			"audit --export --oldest-first --after 4711 >> audit.jsonl"},
	},
};

const struct command_group audit_commands = {"Audit", commands, sizeof(commands) / sizeof(*commands)};
