/* Converts rules and channels of alerts between protobuf and domain structs. Results point into their source. */
#ifndef BURSAR_API_MESSAGE_ALERT_ADMIN_H
#define BURSAR_API_MESSAGE_ALERT_ADMIN_H

#include "api/message/convert.h"
#include "domain/alert/alert.h"

/* A rule in force in the tenant. */
Bursar__V1__AlertRule *alert_rule_to_message(struct arena *arena, const char *tenant, const struct alert_rule *rule);
/* The rule, checked, with what is left out filled in. ERR_INVALID names the field of AlertRule. */
bool alert_rule_from_message(const Bursar__V1__AlertRule *message, const char *tenant, struct alert_rule *out,
	struct err *err) __attribute__((warn_unused_result));

/* Of secrets only which are set. */
Bursar__V1__AlertChannel *alert_channel_to_message(struct arena *arena, const struct alert_channel *channel);
/* What the message says, not checked, with the secrets that it gives. */
bool alert_channel_from_message(const Bursar__V1__AlertChannel *message, const char *tenant, struct alert_channel *out,
	struct err *err) __attribute__((warn_unused_result));

#endif
