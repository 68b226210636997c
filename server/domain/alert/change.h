/* What an admin's change makes of a channel: secrets are kept unless they are given, and never go to a destination that they were not given for. */
#ifndef BURSAR_DOMAIN_ALERT_CHANGE_H
#define BURSAR_DOMAIN_ALERT_CHANGE_H

#include "base/arena.h"
#include "domain/alert/alert.h"

/*
 * Completes a channel as it is wanted with the secrets of the one that is stored (`now`; NULL: there is none), but not with its headers
 * if clear_headers. ERR_INVALID ("token", "headers") when a secret that is sent along would go to another destination than before. Texts
 * point into both, or into the arena.
 */
bool alert_channel_complete(struct alert_channel *wanted, const struct alert_channel *now, bool clear_headers,
	struct arena *arena, struct err *err) __attribute__((warn_unused_result));

/*
 * Refuses a new destination of a complete channel, which has passed alert_channel_check, when it can be seen that no message will ever
 * go there (base/net/destination.h). `allow`: the option alert_allow. ERR_INVALID: "target" or "url".
 */
bool alert_channel_may_go(const struct alert_channel *wanted, const struct alert_channel *now, const char *allow,
	struct err *err) __attribute__((warn_unused_result));

/* Whether its kind needs a secret that it does not have; *field: the one of AlertChannel. */
bool alert_channel_lacks(const struct alert_channel *channel, const char **field);

/* The host of a URL, in the arena: what may be shown of one that is a secret. "" when there is none. */
const char *alert_url_host(const char *url, struct arena *arena);

#endif
