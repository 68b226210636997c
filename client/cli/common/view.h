/* Shows messages to people. All functions append to cli->out. */
#ifndef BURSAR_CLI_VIEW_H
#define BURSAR_CLI_VIEW_H

#include "cli/core/command.h"
#include "cli/text/table.h"

/* Shown for a request without a model. */
#define NO_MODEL "(none)"
/* Of a request from before its tier was kept. */
#define NO_TIER "(not known)"

/* "  label      text" on its own line. */
void view_field(struct cli *cli, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with the contents of `text`, which is emptied. */
void view_field_buf(struct cli *cli, const char *label, struct buf *text);

/*
 * Shows an answer's list of messages as a table with these columns (table_new): `cells` adds the cells of one message's
 * line. Without messages, shows only `none` and a line end.
 */
void view_rows(struct cli *cli, const char *const *columns, const void *messages, size_t count,
	void (*cells)(struct table *table, const void *message), const char *none);
/* The same below an empty line; nothing without messages. */
void view_more_rows(struct cli *cli, const char *const *columns, const void *messages, size_t count,
	void (*cells)(struct table *table, const void *message));

/* Says that only the first `count` rows are shown. */
void view_more(struct cli *cli, size_t count);

/* The status of limits, one per line; `now_us` is the answer's time. */
void view_limits(struct cli *cli, Bursar__V1__LimitStatus *const *limits, size_t count, int64_t now_us);

/* Appends a limit like limit_spec_put, but without its name, its end and defaults. */
void view_limit(struct buf *out, const Bursar__V1__Limit *limit);

/* The definitions of limits, one per line. */
void view_policy(struct cli *cli, Bursar__V1__Limit *const *limits, size_t count, const char *none);

/* The cost of one request. */
void view_cost(struct cli *cli, const Bursar__V1__CostBreakdown *cost);

/* What a cancelled reservation gave back. */
void view_returned(struct cli *cli, const Bursar__V1__CancelResponse *answer);

/* "active", "suspended": the most important state. */
const char *account_state_name(const Bursar__V1__Account *account);

/* An account from the Admin service, with its overrides; `note` is added if not NULL. */
void view_account(struct cli *cli, const Bursar__V1__Account *account, const char *note);

/* The accounts of a status, each with a heading and its limits. */
void view_accounts(struct cli *cli, Bursar__V1__AccountStatus *const *accounts, size_t count, int64_t now_us);

/* "user", "team" for an account's kind; "user" when it is unspecified. */
const char *kind_name(Bursar__V1__AccountKind kind);

#endif
