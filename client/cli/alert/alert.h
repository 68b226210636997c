/* Rules, channels, events and deliveries of alerts: read from the command line, and shown to people. */
#ifndef BURSAR_CLI_ALERT_H
#define BURSAR_CLI_ALERT_H

#include "base/arena.h"
#include "cli/core/command.h"

#define ALERT_KINDS \
	"threshold|projected|anomaly|denial|suspended|tier|starving|ledger_lag|drift|prices_old|unpriced|key_ends"
#define ALERT_CHANNEL_KINDS "webhook|email|slack|discord|teams|telegram|command"
#define ALERT_SEVERITIES "info|warning|critical"

/* Sets what the options give, and leaves the rest. Texts live in the arena. False with cli->err. */
bool alert_rule_read(struct cli *cli, struct arena *arena, Bursar__V1__AlertRule *rule);
bool alert_channel_read(struct cli *cli, struct arena *arena, Bursar__V1__PutAlertChannelRequest *request);

void alert_show_rule(struct cli *cli, const Bursar__V1__AlertRule *rule);
void alert_show_rules(struct cli *cli, const Bursar__V1__ListAlertRulesResponse *answer);
void alert_show_channel(struct cli *cli, const Bursar__V1__AlertChannel *channel);
void alert_show_channels(struct cli *cli, const Bursar__V1__ListAlertChannelsResponse *answer);
void alert_show_delivery(struct cli *cli, const Bursar__V1__AlertDelivery *delivery);
void alert_show_deliveries(struct cli *cli, const Bursar__V1__ListAlertDeliveriesResponse *answer);

/* A list of words separated by commas, without empty ones, in the arena. */
char **alert_words(struct arena *arena, const char *text, size_t *count);
/* Appends "ops, boss". */
void alert_put_words(struct buf *out, char *const *words, size_t count);

#endif
