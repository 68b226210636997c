/* Shows what providers said that requests cost, beside what the prices say (compare.h). */
#include "cli/report/compare.h"

#include <string.h>

#include "cli/common/view.h"
#include "cli/report/month.h"
#include "cli/report/put.h"

/* What the lines are by. False with cli->err. */
static bool by_read(struct cli *cli, unsigned *by)
{
	*by = option_given(cli, "by") ? 0 : BY_MODEL;
	return *by || report_keys_read(cli, option_text(cli, "by"), "", by);
}

static void put_line(struct table *table, unsigned by, const Bursar__V1__ComparedCosts *line, const char *first)
{
	const char *const keys[] = {line->user, line->day, line->provider, line->model};
	static const unsigned bits[] = {BY_USER, BY_DAY, BY_MODEL, BY_MODEL};

	table_line(table);
	for (int i = 0; i < 4; i++) {
		if (!(by & bits[i]))
			continue;
		if (first)
			table_cell(table, "%s", first);
		else
			table_cell(table, "%s", i == 3 && !keys[i][0] ? NO_MODEL : keys[i]);
		if (first)
			first = "";
	}
	table_count(table, line->requests);
	table_money(table, line->list_cost_nano_usd);
	table_money(table, line->provider_cost_nano_usd);
	table_money(table, line->provider_cost_nano_usd - line->list_cost_nano_usd);
}

static void show_costs(struct cli *cli, const Bursar__V1__CostComparison *answer)
{
	static const char *const titles[] = {"~USER", "DAY", "PROVIDER", "~MODEL"};
	static const unsigned bits[] = {BY_USER, BY_DAY, BY_MODEL, BY_MODEL};
	const char *columns[9];
	int count = 0;
	struct table *table;
	unsigned by = 0;

	by_read(cli, &by);
	for (int i = 0; i < 4; i++)
		if (by & bits[i])
			columns[count++] = titles[i];
	memcpy(&columns[count],
		(const char *const[]){">REQUESTS", ">PRICE SAYS", ">PROVIDER SAYS", ">DIFFERENCE", NULL},
		5 * sizeof(*columns));
	buf_putf(&cli->out, "%s %s, %s to %s\n", kind_name(answer->ref ? answer->ref->kind : 0),
		answer->ref ? answer->ref->id : "?", answer->from_day, answer->to_day);
	table = table_new(columns, cli->colour);
	for (size_t i = 0; i < answer->n_lines; i++)
		put_line(table, by, answer->lines[i], NULL);
	if (answer->n_lines)
		put_line(table, by, answer->total, "total");
	table_put(&cli->out, table, "  no request of which the provider said what it cost");
	table_free(table);
	if (answer->more)
		view_more(cli, answer->n_lines);
}

int costs_compare(struct cli *cli, Bursar__V1__AccountRef *ref)
{
	Bursar__V1__CompareCostsRequest request = BURSAR__V1__COMPARE_COSTS_REQUEST__INIT;
	Bursar__V1__ReportKey by[REPORT_KEYS];
	char from[16], to[16];
	unsigned bits;

	if (!by_read(cli, &bits))
		return cli_usage(cli);
	request.ref = ref;
	request.month = (char *)option_text(cli, "month");
	if (request.month[0] && !month_check(cli, request.month))
		return cli_usage(cli);
	request.from_day = day_text(cli, "from", from);
	request.to_day = day_text(cli, "to", to);
	request.n_by = report_keys(bits, by);
	request.by = by;
	request.limit = (int32_t)option_number(cli, "limit", 100);
	return cli_show(cli, BURSAR_COMPARE_COSTS, &request, show_costs);
}
