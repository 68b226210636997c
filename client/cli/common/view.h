/* How messages look to people. All append to cli->out. */
#ifndef BURSAR_CLI_VIEW_H
#define BURSAR_CLI_VIEW_H

#include "cli/core/command.h"

/* What stands where a request named no model. */
#define NO_MODEL "(none)"

/* "  label      text" on a line of its own. */
void view_field(struct cli *cli, const char *label, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same with what `text` holds, which is emptied. */
void view_field_buf(struct cli *cli, const char *label, struct buf *text);

/* Where limits stand, a line each; `now_us` is the answer's time. */
void view_limits(struct cli *cli, Bursar__V1__LimitStatus *const *limits, size_t count, int64_t now_us);

/* Appends a limit as limit_spec_put does, without its name, its end and what is as usual. */
void view_limit(struct buf *out, const Bursar__V1__Limit *limit);

/* What limits are, a line each. */
void view_policy(struct cli *cli, Bursar__V1__Limit *const *limits, size_t count, const char *none);

/* What a price says of one request. */
void view_cost(struct cli *cli, const Bursar__V1__CostBreakdown *cost);

/* "active", "suspended": the first that counts. */
const char *account_state_name(const Bursar__V1__Account *account);

/* An account of the Admin service, with its overrides; `note`: what else there is to say of it, or NULL. */
void view_account(struct cli *cli, const Bursar__V1__Account *account, const char *note);

/* Each account of a status: its heading and its limits. */
void view_accounts(struct cli *cli, Bursar__V1__AccountStatus *const *accounts, size_t count, int64_t now_us);

/* "user", "team" for an account's kind; "user" when it is not given. */
const char *kind_name(Bursar__V1__AccountKind kind);

#endif
