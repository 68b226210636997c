/* account list (account.h): the matching accounts, or their number. */
#include "cli/account/account.h"

#include <inttypes.h>

#include "cli/account/filter.h"
#include "cli/common/view.h"
#include "cli/text/format.h"

/* Appends the number of overrides, and when the first of them ends. */
static void overrides_cell(struct table *table, const Bursar__V1__Account *account)
{
	struct buf text = {0};
	int64_t until_us = 0;

	for (size_t i = 0; i < account->n_overrides; i++) {
		int64_t end_us = account->overrides[i]->until_us;

		if (end_us && (!until_us || end_us < until_us))
			until_us = end_us;
	}
	if (account->n_overrides)
		buf_putf(&text, "%zu", account->n_overrides);
	if (until_us) {
		buf_put_str(&text, account->n_overrides > 1 ? ", one until " : " until ");
		put_time(&text, until_us);
	}
	table_cell_buf(table, &text);
	buf_release(&text);
}
static void account_cells(struct table *table, const void *message)
{
	const Bursar__V1__Account *account = message;

	table_cell(table, "%s", kind_name(account->ref ? account->ref->kind : 0));
	table_cell(table, "%s", account->ref ? account->ref->id : "?");
	table_cell(table, "%s", account->tier[0] ? account->tier : "(default)");
	table_cell(table, "%s", account_state_name(account));
	if (account->suspended || account->deleted)
		table_colour(table, "red");
	table_cell(table, "%s", account->team);
	table_cell(table, "%s", account->org);
	overrides_cell(table, account);
}

static void show_list(struct cli *cli, const Bursar__V1__ListAccountsResponse *answer)
{
	static const char *const columns[] = {"KIND", "~ID", "TIER", "STATE", "~TEAM", "~ORG", "~OVERRIDES", NULL};

	view_rows(cli, columns, answer->accounts, answer->n_accounts, account_cells, "no accounts");
	if (answer->next_page_token[0])
		view_more(cli, answer->n_accounts);
}

static int show_count(struct cli *cli, Bursar__V1__ListAccountsRequest *request)
{
	Bursar__V1__ListAccountsResponse *answer;
	int code;

	request->count_only = true;
	answer = cli_call(cli, BURSAR_LIST_ACCOUNTS, request, &code);
	if (!answer)
		return code;
	if (cli->json)
		buf_putf(&cli->out, "{\"matched\": %" PRId64 "}\n", answer->matched);
	else
		buf_putf(&cli->out, "%" PRId64 "\n", answer->matched);
	bursar_free(answer);
	return EXIT_DONE;
}

int account_list(struct cli *cli)
{
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;
	Bursar__V1__AccountFilter filter;

	if (!read_account_filter(cli, &filter))
		return cli_usage(cli);
	request.tenant = (char *)option_text(cli, "tenant");
	request.filter = &filter;
	request.kind = (Bursar__V1__AccountKind)cli_enum(
		&bursar__v1__account_kind__descriptor, "ACCOUNT_KIND_", option_text(cli, "kind"));
	if (option_given(cli, "count"))
		return show_count(cli, &request);
	return cli_show_pages(cli, BURSAR_LIST_ACCOUNTS, &request, 100, show_list);
}
