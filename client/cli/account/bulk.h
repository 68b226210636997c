/* One change for many accounts: calls, progress and results. */
#ifndef BURSAR_CLI_BULK_H
#define BURSAR_CLI_BULK_H

#include "cli/core/command.h"

struct bulk_counts {
	int64_t matched, changed, already, failed, unknown, pending;
};

struct bulk {
	struct cli *cli;
	/* The request, without the ids and dry_run. */
	Bursar__V1__ChangeAccountsRequest request;
	bool by_ids; /* the ids, sorted and unique; otherwise request.filter selects */
	char **id;
	size_t ids;
	char first[129]; /* the first line, if it is not a heading */
	/* The results. */
	struct bulk_counts counts;
	struct table *examples; /* of a dry run */
	size_t shown;
	struct buf failures; /* the first failures, one per line */
	char *stranger[8]; /* the first unknown ids */
	size_t strangers;
	/* Private. */
	struct bulk_counts before; /* counts of finished calls */
	int64_t expected, started_us, told_us;
	bool ended, terminal;
	struct bursar_error error;
};

/* Reads the ids of a CSV file (bulk_ids.c): the column "user" or "id", or the only column. False with cli->err. */
bool bulk_read_ids(struct bulk *bulk, const char *path);

/*
 * Changes the accounts, or with `dry` counts what would change. Reports errors on standard error; returns the exit
 * code.
 */
int bulk_run(struct bulk *bulk, bool dry);

/* Reports unknown ids on standard error (bulk_ids.c); returns the exit code. */
int bulk_tell_unknown(const struct bulk *bulk);

/* Appends to the output what was done, or would be done. */
void bulk_show(struct bulk *bulk, bool dry);

void bulk_release(struct bulk *bulk);

#endif
