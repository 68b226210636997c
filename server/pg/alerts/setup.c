/* Reads all rules and channels, as one snapshot shows them. */
#include "pg/alerts/alerts.h"

enum { STATEMENTS = 4 };

static void read_rules(const PGresult *result, struct alerts_setup *op)
{
	op->setup.rules = PQntuples(result);
	op->setup.rule = arena_zalloc(op->op.arena, (size_t)op->setup.rules + 1, sizeof(*op->setup.rule));
	for (int i = 0; i < op->setup.rules; i++)
		row_alert_rule(result, i, 0, op->op.arena, &op->setup.rule[i]);
}

static void read_channels(const PGresult *result, struct alerts_setup *op)
{
	op->setup.channels = PQntuples(result);
	op->setup.channel = arena_zalloc(op->op.arena, (size_t)op->setup.channels + 1, sizeof(*op->setup.channel));
	for (int i = 0; i < op->setup.channels; i++)
		row_alert_channel(result, i, 0, op->op.arena, &op->setup.channel[i]);
}

bool alerts_run_setup(struct alerts_setup *op, struct pg_link *link, struct err *err)
{
	static const struct pg_statement statements[STATEMENTS] = {
		{.sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
		/* A tenant's disabled rule switches the shipped one of its name off. */
		{.sql = "SELECT " ALERT_RULE_COLUMNS " FROM alert_rules r WHERE r.enabled OR r.tenant <> '' "
			"ORDER BY r.tenant, r.name"},
		{.sql = "SELECT " ALERT_CHANNEL_COLUMNS " FROM alert_channels c WHERE c.enabled "
			"ORDER BY c.tenant, c.name"},
		{.sql = "COMMIT"},
	};
	PGresult *results[STATEMENTS];

	if (!pg_pipeline(link, statements, STATEMENTS, results, err))
		return false;
	read_rules(results[1], op);
	read_channels(results[2], op);
	pg_results_clear(results, STATEMENTS);
	return true;
}
