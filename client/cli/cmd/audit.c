/* audit (commands.h): who changed what. */
#include "cli/cmd/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/encoding/json.h"
#include "cli/report/audit_change.h"
#include "cli/text/format.h"
#include "cli/text/table.h"

enum { PAGE = 1000, LAST_MAX = 24 };
#define PATIENCE_US INT64_C(2000000) /* from then on it is said how far it has come */

static void audit_table(struct cli *cli, const Bursar__V1__ListAuditResponse *answer)
{
	static const char *const columns[] = {"WHEN", "~TENANT", "~WHO", "WHAT", "~OF", "~CHANGE", "~WHY", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < answer->n_entries; i++) {
		const Bursar__V1__AuditEntry *entry = answer->entries[i];

		table_line(table);
		put_time(&text, entry->at_us);
		table_cell_buf(table, &text);
		table_cell(table, "%s", entry->tenant[0] ? entry->tenant : "all");
		table_cell(table, "%s", entry->actor);
		table_cell(table, "%s", entry->action);
		table_cell(table, "%s", entry->target);
		audit_change_put(&text, entry->before, entry->details);
		table_cell_buf(table, &text);
		table_cell(table, "%s", entry->reason);
	}
	table_put(&cli->out, table, "no entries");
	table_free(table);
	buf_release(&text);
}

/* How many entries are out, on a terminal, every so often. */
static void tell(int64_t count, int64_t *next_us)
{
	if (!isatty(STDERR_FILENO) || clock_mono_us() < *next_us)
		return;
	fprintf(stderr, "\r%" PRId64 " entries", count);
	*next_us = clock_mono_us() + PATIENCE_US / 4;
}

/* A page is written before the next is asked for: a log of any length takes the memory of one page. */
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
				fprintf(stderr, "  Go on with --after %" PRId64 ".\n", last);
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

static int list(struct cli *cli, Bursar__V1__ListAuditRequest *request)
{
	Bursar__V1__ListAuditResponse *answer;
	int code;

	answer = cli_call_pages(cli, BURSAR_LIST_AUDIT, request, option_number(cli, "limit", 100), &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer))
		audit_table(cli, answer);
	bursar_free(answer);
	return EXIT_DONE;
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
	return list(cli, &request);
}

static const struct command commands[] = {
	{
		.name = "audit",
		.args = "",
		.summary = "show who changed what, the newest first",
		.about = "CHANGE is what became of each field that changed. With --json each entry has all of it, as "
			 "JSON: "
			 "`before`, what it was, and `details`, what it was changed to. --export "
			 "writes all that match, an entry a line of JSON, page by page: a log of any length. What "
			 "broke off goes "
			 "on behind the last entry that came with --after.",
		.options = {OPTION_TENANT,
			{'\0', "all-tenants", OPTION_FLAG, NULL, "of all tenants; for operators", NULL},
			{'\0', "actor", OPTION_TEXT, "TEXT", "of whom, or how he begins: 'key 7'", NULL},
			{'\0', "action", OPTION_TEXT, "TEXT", "which changes, or how they begin: key, tier.put", NULL},
			{'\0', "target", OPTION_TEXT, "TEXT",
				"of what, or how it begins: user/alice, team/, a tier's name", NULL},
			{'\0', "reason", OPTION_TEXT, "TEXT", "whose reason has this in it", NULL},
			{'\0', "from", OPTION_TIME, "TIME", "from then on", NULL},
			{'\0', "to", OPTION_TIME, "TIME", "until then", NULL},
			{'\0', "oldest-first", OPTION_FLAG, NULL, "begin with the oldest", NULL},
			{'\0', "after", OPTION_COUNT, "ID", "those behind the entry of this id", NULL},
			{'\0', "limit", OPTION_SOME, "N", "at most so many (default: 100; of an export all)", NULL},
			{'\0', "export", OPTION_FLAG, NULL, "all that match, as lines of JSON", NULL}},
		.examples = {"audit", "audit --target user/alice --from -7d", "audit --action key --all-tenants --json",
			"audit --export --oldest-first > audit.jsonl",
			"audit --export --oldest-first --after 4711 >> audit.jsonl"},
		.run = run_audit,
	},
};

const struct command_group audit_commands = {"Audit", commands, sizeof(commands) / sizeof(*commands)};
