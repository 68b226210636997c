/* One change of many accounts, as it runs: calls, progress, what it did. */
#ifndef BURSAR_CLI_BULK_H
#define BURSAR_CLI_BULK_H

#include "cli/core/command.h"

struct bulk_counts {
	int64_t matched, changed, already, failed, unknown, pending;
};

struct bulk {
	struct cli *cli;
	/* What is asked for, but the ids and dry_run. */
	Bursar__V1__ChangeAccountsRequest request;
	bool by_ids; /* these, sorted, each once; else those of request.filter */
	char **id;
	size_t ids;
	char first[129]; /* the first line's, where that is no heading */
	/* What came of it. */
	struct bulk_counts counts;
	struct table *examples; /* of a dry run */
	size_t shown;
	struct buf failures; /* the first of them, a line each */
	char *stranger[8]; /* the first of the unknown ids */
	size_t strangers;
	/* Its own. */
	struct bulk_counts before; /* of calls that have ended */
	int64_t expected, started_us, told_us;
	bool ended, terminal;
	struct bursar_error error;
};

/* Reads the ids of a CSV file (bulk_ids.c): the column "user" or "id", or the only column. False with cli->err. */
bool bulk_read_ids(struct bulk *bulk, const char *path);

/* Changes them, or with `dry` counts what would change. The exit code, after saying on standard error what went wrong. */
int bulk_run(struct bulk *bulk, bool dry);

/* Says on standard error which of the ids are unknown (bulk_ids.c); answers the exit code. */
int bulk_tell_unknown(const struct bulk *bulk);

/* Appends what it did, or would do, to the output. */
void bulk_show(struct bulk *bulk, bool dry);

void bulk_release(struct bulk *bulk);

#endif
