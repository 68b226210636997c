/* A tenant's figures (pg/admin/admin.h): users by tier, top groups, and use by day, model and interface. */
#include "pg/admin/admin.h"

#include "base/units.h"

#define SHARED \
	" FROM usage_shared_daily WHERE tenant = $1 AND day >= ($2::date[])[1] AND day <= ($2::date[])[2] AND kind "
#define OF_TENANT SHARED "= 5 AND id = $1 "

/* Teams and orgs in one pass, and of each kind those that cost most. */
static const char groups_sql[] =
	"SELECT id" AMOUNT_NAMES ", kind FROM (SELECT kind, id" AMOUNT_SUMS
	", row_number() OVER (PARTITION BY kind ORDER BY sum(cost_nano) DESC, id) AS place" SHARED
	"IN (2, 3) GROUP BY kind, id) g WHERE place <= $3 ORDER BY kind, place";

/* Counts by the rows' tier first, so that the default tier is looked up for a few groups, not for each account. */
static const char tiers_sql[] =
	"SELECT CASE WHEN tier <> '' THEN tier ELSE (SELECT default_tier FROM tenants WHERE id IN ($1, 'default') "
	"ORDER BY id <> $1 LIMIT 1) END, sum(accounts)::bigint, sum(suspended)::bigint FROM (SELECT tier, count(*) AS "
	"accounts, count(*) FILTER (WHERE suspended) AS suspended FROM accounts WHERE tenant = $1 AND kind = 1 AND NOT "
	"deleted GROUP BY tier) a GROUP BY 1 ORDER BY 1";

/* '' is what no tier is known of: a tier of its own, unless nothing is left for it. */
static const char tiers_used_sql[] =
	"SELECT tier" AMOUNT_SUMS " FROM usage_tiers_daily WHERE tenant = $1 AND day >= ($2::date[])[1] AND "
	"day <= ($2::date[])[2] GROUP BY 1 HAVING sum(rows) <> 0 OR sum(cost_nano) <> 0 ORDER BY sum(cost_nano) DESC, 1";

enum { STATS_TIERS, STATS_GROUPS, STATS_DAYS, STATS_MODELS, STATS_INTERFACES, STATS_TOTAL, STATS_COUNT };

void admin_days_add(struct pg_args *args, const int64_t *days, int count)
{
	int array = pg_arg_array(args, PG_DATE);

	for (int i = 0; i < count; i++)
		pg_array_int(args, array, days[i] * DAY_US);
}

static struct named_use *read_range(struct admin_job *job, const PGresult *result, int first, int count)
{
	struct named_use *named = arena_zalloc(job->arena, (size_t)count + 1, sizeof(*named));

	for (int i = 0; i < count; i++) {
		named[i].name = admin_text(job, result, first + i, 0);
		named[i].use = pg_amounts(result, first + i, 1);
	}
	return named;
}

struct named_use *admin_named_uses(struct admin_job *job, const PGresult *result, int *count)
{
	*count = PQntuples(result);
	return read_range(job, result, 0, *count);
}

/* The teams come first. */
static void read_groups(struct stats_query *op, const PGresult *result)
{
	int rows = PQntuples(result);

	op->teams = 0;
	while (op->teams < rows && pg_i64(result, op->teams, 1 + AMOUNT_COUNT) == ACCOUNT_TEAM)
		op->teams++;
	op->orgs = rows - op->teams;
	op->team = read_range(&op->job, result, 0, op->teams);
	op->org = read_range(&op->job, result, op->teams, op->orgs);
}

static void read_tiers(struct stats_query *op, const PGresult *result)
{
	op->tiers = PQntuples(result);
	op->tier = arena_zalloc(op->job.arena, (size_t)op->tiers + 1, sizeof(*op->tier));
	for (int i = 0; i < op->tiers; i++) {
		op->tier[i].tier = admin_text(&op->job, result, i, 0);
		op->tier[i].accounts = pg_i64(result, i, 1);
		op->tier[i].suspended = pg_i64(result, i, 2);
	}
}

static void read_stats(struct stats_query *op, PGresult **results)
{
	read_tiers(op, results[STATS_TIERS]);
	read_groups(op, results[STATS_GROUPS]);
	op->day = admin_named_uses(&op->job, results[STATS_DAYS], &op->days);
	op->model = admin_named_uses(&op->job, results[STATS_MODELS], &op->models);
	op->interface = admin_named_uses(&op->job, results[STATS_INTERFACES], &op->interfaces);
	op->total = pg_amounts(results[STATS_TOTAL], 0, 1);
}

static bool ask_tiers_used(struct stats_query *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	admin_days_add(&args, (const int64_t[]){op->from_day, op->to_day}, 2);
	if (!pg_read(link, tiers_used_sql, &args, &result, err))
		return false;
	op->tier_used = admin_named_uses(&op->job, result, &op->tiers_used);
	return true;
}

static bool ask(struct stats_query *op, struct pg_link *link, PGresult **results, struct err *err)
{
	PG_ARGS tenant = {0}, range = {0}, top = {0};
	struct pg_args *all[] = {&tenant, &range, &top};
	const struct pg_statement statements[STATS_COUNT] = {
		[STATS_TIERS] = {tiers_sql, &tenant},
		[STATS_GROUPS] = {groups_sql, &top},
		[STATS_DAYS] = {"SELECT day" AMOUNT_SUMS OF_TENANT "GROUP BY 1 ORDER BY 1", &range},
		[STATS_MODELS] = {"SELECT concat_ws('/', nullif(provider, ''), model)" AMOUNT_SUMS OF_TENANT
				  "GROUP BY 1 ORDER BY sum(cost_nano) DESC, 1",
			&range},
		[STATS_INTERFACES] = {"SELECT interface" AMOUNT_SUMS OF_TENANT
				      "GROUP BY 1 ORDER BY sum(cost_nano) DESC, 1",
			&range},
		[STATS_TOTAL] = {"SELECT count(*)" AMOUNT_SUMS OF_TENANT, &range},
	};

	for (int i = 0; i < 3; i++)
		pg_arg_text(all[i], op->tenant);
	admin_days_add(&range, (const int64_t[]){op->from_day, op->to_day}, 2);
	admin_days_add(&top, (const int64_t[]){op->from_day, op->to_day}, 2);
	pg_arg_int(&top, op->top);
	return pg_pipeline(link, statements, STATS_COUNT, results, err);
}

bool admin_stats(struct stats_query *op, struct pg_link *link, struct err *err)
{
	PGresult *results[STATS_COUNT];

	/* Compiling a query that runs once takes longer than running it. */
	if (!pg_begin(link, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err) ||
		!pg_exec(link, "SET LOCAL jit = off", NULL, err) || !admin_top_users(op, link, err) ||
		(op->by_tier && !ask_tiers_used(op, link, err)) || !ask(op, link, results, err))
		return false;
	read_stats(op, results);
	pg_results_clear(results, STATS_COUNT);
	return pg_commit(link, err);
}
