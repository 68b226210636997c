/* What the files of the judge share. */
#ifndef BURSAR_DOMAIN_ALERT_JUDGE_PRIVATE_H
#define BURSAR_DOMAIN_ALERT_JUDGE_PRIVATE_H

#include "domain/alert/judge.h"

/* judge.c */

/* Finds the rules in force and the channels of a tenant. Events of the tenant "" may go to any channel. */
void judge_tenant(struct alert_judge *judge, const char *tenant);

/* judge_fire.c */

bool judge_concerns(const struct alert_rule *rule, const struct alert_account *account);
/* NULL: it has not fired in this window. */
const struct alert_fired *judge_fired(
	const struct alert_account *account, const struct alert_rule *rule, const char *key, int64_t window_us);
struct alert_event judge_event(
	const struct alert_judge *judge, enum alert_kind kind, const struct alert_account *account);
/* A firing that happens once a day (UTC), or once an hour. */
struct alert_firing judge_once_in(const struct alert_event *event, const char *key, int64_t span_us);
/* Lists what fires by the rule, unless the account says that it has. `account` may be NULL. */
void judge_fire(struct alert_judge *judge, const struct alert_rule *rule, const struct alert_account *account,
	const struct alert_firing *what);
void judge_rearm(struct alert_judge *judge, const struct alert_account *account, const struct alert_fired *fired);

/* judge_limits.c: rules of the kinds THRESHOLD and PROJECTED. */
void judge_limits(struct alert_judge *judge, const struct alert_rule *rule, const struct alert_account *account);

#endif
