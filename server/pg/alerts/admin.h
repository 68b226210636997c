/* What admins change of alerts, for the transaction that changes it: inside catalog_begin, each with its audit row. */
#ifndef BURSAR_PG_ALERTS_ADMIN_H
#define BURSAR_PG_ALERTS_ADMIN_H

#include "pg/admin/admin.h"
#include "pg/alerts/alerts.h"

/* Of a rule that has been checked; fills in its time. ERR_INVALID ("channels[1]"), ERR_PRECONDITION at ALERT_RULES_MAX. */
bool alert_rule_write(struct admin_job *job, struct pg_link *link, struct alert_rule *rule, struct err *err)
	__attribute__((warn_unused_result));
/* ERR_NOT_FOUND. */
bool alert_rule_remove(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name,
	struct err *err) __attribute__((warn_unused_result));
/* The tenant's rules by name; `shipped`: and the shipped ones of other names. */
bool alert_rules_read(struct admin_job *job, struct pg_link *link, const char *tenant, bool shipped,
	struct alert_rule **rules, int *count, struct err *err) __attribute__((warn_unused_result));

/* Of a channel that has been checked, with its secrets; fills in its time. A new destination begins with a closed circuit. */
bool alert_channel_write(struct admin_job *job, struct pg_link *link, struct alert_channel *channel, struct err *err)
	__attribute__((warn_unused_result));
/* ERR_NOT_FOUND. `gone`: what it leaves behind. */
bool alert_channel_remove(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name,
	struct alert_channel_gone *gone, struct err *err) __attribute__((warn_unused_result));
/* The tenant's channels by name, with their secrets; `name` NULL: all. */
bool alert_channels_read(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name,
	struct alert_channel **channels, int *count, struct err *err) __attribute__((warn_unused_result));
/* ERR_NOT_FOUND with its reason, for a channel that the tenant does not have. */
bool alert_channel_missing(const char *tenant, const char *name, struct err *err);

#endif
