/* alert channel ... (commands.h): where alerts go. */
#include "cli/cmd/admin/admin.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/alert/alert.h"
#include "cli/common/view.h"

enum { LOOK_US = 200000, LOOKS = 75 };

static int run_list(struct cli *cli)
{
	Bursar__V1__ListAlertChannelsRequest request = BURSAR__V1__LIST_ALERT_CHANNELS_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	return cli_show(cli, BURSAR_LIST_ALERT_CHANNELS, &request, alert_show_channels);
}

static void show_put(struct cli *cli, const Bursar__V1__PutAlertChannelResponse *answer)
{
	alert_show_channel(cli, answer->channel);
	for (size_t i = 0; i < answer->n_signing_secrets; i++)
		buf_putf(&cli->out, "\n  %s\n", answer->signing_secrets[i]);
	if (answer->n_signing_secrets)
		buf_put_str(&cli->out,
			"\nThe signing secret is shown only this once. Give it to whoever checks the messages' signatures.\n");
}

/* What is not given stays as it is. */
static void begin(
	struct cli *cli, const Bursar__V1__ListAlertChannelsResponse *known, Bursar__V1__AlertChannel *channel)
{
	for (size_t i = 0; i < known->n_channels; i++)
		if (strcmp(known->channels[i]->name, cli_arg(cli, 0)) == 0)
			*channel = *known->channels[i];
	channel->base.n_unknown_fields = 0;
	channel->name = (char *)cli_arg(cli, 0);
	channel->tenant = (char *)option_text(cli, "tenant");
}

static int run_put(struct cli *cli)
{
	Bursar__V1__ListAlertChannelsRequest list = BURSAR__V1__LIST_ALERT_CHANNELS_REQUEST__INIT;
	Bursar__V1__PutAlertChannelRequest request = BURSAR__V1__PUT_ALERT_CHANNEL_REQUEST__INIT;
	Bursar__V1__AlertChannel channel = BURSAR__V1__ALERT_CHANNEL__INIT;
	Bursar__V1__ListAlertChannelsResponse *known;
	struct arena arena = {0};
	int code;

	list.tenant = (char *)option_text(cli, "tenant");
	known = cli_call(cli, BURSAR_LIST_ALERT_CHANNELS, &list, &code);
	if (!known)
		return code;
	begin(cli, known, &channel);
	request.channel = &channel;
	request.reason = (char *)option_text(cli, "reason");
	code = alert_channel_read(cli, &arena, &request) ? cli_show(cli, BURSAR_PUT_ALERT_CHANNEL, &request, show_put)
							 : cli_usage(cli);
	bursar_free(known);
	arena_release(&arena);
	return code;
}

static void show_deleted(struct cli *cli, const Bursar__V1__DeleteAlertChannelResponse *answer)
{
	buf_putf(&cli->out, "deleted channel %s", cli_arg(cli, 0));
	if (answer->cancelled)
		buf_putf(&cli->out, "; %" PRId64 " that waited for it will not be sent", answer->cancelled);
	buf_put_str(&cli->out, "\n");
	if (!answer->n_silent_rules)
		return;
	buf_put_str(&cli->out, "rules that now tell nobody: ");
	alert_put_words(&cli->out, answer->silent_rules, answer->n_silent_rules);
	buf_put_str(&cli->out, "\n");
}

static int run_delete(struct cli *cli)
{
	Bursar__V1__DeleteAlertChannelRequest request = BURSAR__V1__DELETE_ALERT_CHANNEL_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.name = (char *)cli_arg(cli, 0);
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_DELETE_ALERT_CHANNEL, &request, show_deleted);
}

/* The delivery when it has ended or its first attempt has failed, or has waited long enough. NULL: see `code`. */
static Bursar__V1__AlertDelivery *follow(struct cli *cli, int64_t id, int *code)
{
	Bursar__V1__GetAlertDeliveryRequest request = BURSAR__V1__GET_ALERT_DELIVERY_REQUEST__INIT;
	Bursar__V1__AlertDelivery *delivery = NULL;

	request.tenant = (char *)option_text(cli, "tenant");
	request.id = id;
	for (int i = 0; i < (option_given(cli, "no-wait") ? 1 : LOOKS); i++) {
		if (i)
			usleep(LOOK_US);
		bursar_free(delivery);
		delivery = cli_call(cli, BURSAR_GET_ALERT_DELIVERY, &request, code);
		if (!delivery || delivery->attempts ||
			delivery->state != BURSAR__V1__ALERT_DELIVERY_STATE__ALERT_DELIVERY_STATE_WAITING)
			break;
	}
	return delivery;
}

static int run_test(struct cli *cli)
{
	Bursar__V1__TestAlertChannelRequest request = BURSAR__V1__TEST_ALERT_CHANNEL_REQUEST__INIT;
	Bursar__V1__TestAlertChannelResponse *answer;
	Bursar__V1__AlertDelivery *delivery;
	int code;
	bool failed;

	request.tenant = (char *)option_text(cli, "tenant");
	request.name = (char *)cli_arg(cli, 0);
	request.reason = (char *)option_text(cli, "reason");
	answer = cli_call(cli, BURSAR_TEST_ALERT_CHANNEL, &request, &code);
	if (!answer)
		return code;
	delivery = follow(cli, answer->delivery->id, &code);
	failed = delivery && delivery->error[0];
	bursar_free(answer);
	code = cli_end(cli, delivery, code, alert_show_delivery);
	return code == EXIT_DONE && failed ? EXIT_REFUSED : code;
}

static const struct command commands[] = {
	{
		COMMAND("alert channel list", "", "list a tenant's channels, and how each fares", run_list),
		.about =
			"Secrets are never shown: SECRETS SET says which there are. A destination that fails again and again is "
			"paused for up to ten minutes at a time; what waits for it is kept.",
		.options = {OPTION_TENANT},
		.examples = {"alert channel list", "alert channel list --json"},
	},
	{
		COMMAND("alert channel put", "CHANNEL", "create a channel, or change one", run_put),
		.about =
			"One of --webhook, --email, --slack, --discord, --teams, --telegram and --command says where its messages "
			"go. Settings that are not given stay as they are, secrets too. Keep secrets out of the shell's history: "
			"with --secret-file, the URL of a chat's webhook, a bot's token or signing secrets, one a line, come from "
			"a file or from standard input (-); --kind then says what the channel is. A new webhook without a signing "
			"secret gets one, which is shown once. To rotate it, give the new and the old one, then the new one alone.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'k', "kind", OPTION_CHOICE, "KIND", "what it is, if no other option says so",
				ALERT_CHANNEL_KINDS},
			{'\0', "webhook", OPTION_TEXT, "URL", "posts JSON, signed as Standard Webhooks has it", NULL},
			{'\0', "email", OPTION_TEXT, "ADDRESS,...", "sends e-mail to up to 20 addresses", NULL},
			{'\0', "slack", OPTION_TEXT, "URL", "an incoming webhook of Slack, Mattermost and the like",
				NULL},
			{'\0', "discord", OPTION_TEXT, "URL", "a webhook of Discord", NULL},
			{'\0', "teams", OPTION_TEXT, "URL", "a Workflows webhook of Teams", NULL},
			{'\0', "telegram", OPTION_TEXT, "TOKEN", "the token of a Telegram bot; with --chat", NULL},
			{'\0', "chat", OPTION_TEXT, "ID", "the Telegram chat", NULL},
			{'\0', "server", OPTION_TEXT, "URL", "another server than api.telegram.org", NULL},
			{'\0', "command", OPTION_TEXT, "NAME", "runs a program of the server's option alert_commands",
				NULL},
			{'\0', "secret-file", OPTION_FILE, "FILE",
				"a file with the URL, token or signing secrets (- is standard input)", NULL},
			{'\0', "signing-secret", OPTION_LIST, "SECRET",
				"signs webhooks (whsec_...); replaces those that are stored; may be repeated", NULL},
			{'\0', "header", OPTION_LIST, "'NAME: VALUE'",
				"a header of webhooks; replaces those that are stored; may be repeated; none: no header",
				NULL},
			{'\0', "header-file", OPTION_FILE, "FILE",
				"a file with such headers, one a line (- is standard input)", NULL},
			{'\0', "least", OPTION_CHOICE, "SEVERITY", "send nothing below it (default: info)",
				ALERT_SEVERITIES},
			{'\0', "digest", OPTION_TEXT, "DURATION",
				"gather alerts for so long, at most a day; none: send each at once", NULL},
			{'\0', "quiet", OPTION_TEXT, "FROM-TO[ZONE]",
				"hours without messages, such as 22:00-07:00[Europe/Berlin], except critical ones; none",
				NULL},
			{'\0', "rate", OPTION_TEXT, "N/min", "messages per minute at most; 0: what the kind bears",
				NULL},
			{'\0', "ordered", OPTION_CHOICE, "YES", "send one message after the other", "yes|no"},
			{'\0', "language", OPTION_TEXT, "LANGUAGE", "en, de, ru or es (default: the tenant's)", NULL},
			{'\0', "title", OPTION_TEXT, "TEMPLATE", "the title of messages", NULL},
			{'\0', "body", OPTION_TEXT, "TEMPLATE", "the text of messages", NULL},
			{'\0', "system", OPTION_CHOICE, "YES",
				"also send what concerns the whole installation (operators only)", "yes|no"},
			{'\0', "enabled", OPTION_CHOICE, "YES", "whether anything is sent", "yes|no"}},
		.examples = {"alert channel put ops --webhook https://example.org/hooks/bursar --least warning",
			"alert channel put money --email ops@example.org,cfo@example.org --digest 15min",
			"alert channel put chat --kind slack --secret-file slack.url --quiet '22:00-07:00[Europe/Berlin]'",
			"alert channel put phone --kind telegram --chat -1001234567890 --secret-file -",
			"alert channel put ops --enabled no"},
	},
	{
		COMMAND("alert channel delete", "CHANNEL", "delete a channel and its secrets", run_delete),
		.about =
			"What waits for it is not sent, and rules that name it no longer do. Those that named no other channel are "
			"listed: they tell nobody until they are given one.",
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"alert channel delete chat"},
	},
	{
		COMMAND("alert channel test", "CHANNEL", "send a test message, and show what became of it", run_test),
		.about =
			"Waits up to 15 seconds for the first attempt. The exit code is 4 when it failed; it is then repeated like "
			"every message.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'\0', "no-wait", OPTION_FLAG, NULL,
				"do not wait: 'alert delivery show' shows what became of it", NULL}},
		.examples = {"alert channel test ops"},
	},
};

const struct command_group alert_channel_commands = {
	"Alerts: channels", commands, sizeof(commands) / sizeof(*commands)};
