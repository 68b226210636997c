/* Channels: names of their kinds, what one may hold, and how many messages its destination bears. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto/webhook.h"
#include "base/net/destination.h"
#include "base/text/entries.h"
#include "base/units.h"
#include "domain/alert/message/channel.h"
#include "domain/alert/message/message.h"
#include "domain/text/texts_language.h"

enum {
	ADDRESSES_MAX = 20,
	ADDRESS_BYTES_MAX = 254,
	RATE_MAX = 600,
	MINUTES_OF_DAY = 1440,
	TOKEN_MAX = 200,
	HEADER_MAX = 1000
};
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/*
 * `rate`: messages a minute. After a pause, ten seconds' worth and one more goes at once (pg/alerts/gather.c); also with these, no minute
 * has more than the destination takes:
 *   Slack     an incoming webhook takes one a second, "short bursts > 1 allowed" (docs.slack.dev/apis/web-api/rate-limits)
 *   Discord   30 a minute to a channel and 5 in 2 seconds by a webhook, says its staff (github.com/discord/discord-api-docs/issues/367); its
 *             documentation gives no number (docs.discord.com/developers/topics/rate-limits). 24 are 5 at once and 29 in a minute
 *   Teams     a workflow posts 25 cards in 5 minutes (learn.microsoft.com/connectors/teams, "Throttling Limits"). 4 are 21
 *   Telegram  20 a minute to a group, one a second to a chat with "short bursts" (core.telegram.org/bots/faq; FloodLimit of
 *             python-telegram-bot 22.8). 16 are 3 at once and 19 in a minute
 *   E-mail    what a shared relay and a mailbox take without complaint
 */
static const struct {
	const char *name;
	int rate;
} kinds[CHANNEL_KIND_END] = {
	[CHANNEL_WEBHOOK] = {"webhook", 300},
	[CHANNEL_EMAIL] = {"email", 20},
	[CHANNEL_SLACK] = {"slack", 60},
	[CHANNEL_DISCORD] = {"discord", 24},
	[CHANNEL_TEAMS] = {"teams", 4},
	[CHANNEL_TELEGRAM] = {"telegram", 16},
	[CHANNEL_COMMAND] = {"command", 60},
};

const char *alert_channel_kind_name(enum alert_channel_kind kind)
{
	return kind > 0 && kind < CHANNEL_KIND_END ? kinds[kind].name : NULL;
}

bool alert_channel_kind_parse(const char *text, enum alert_channel_kind *out)
{
	for (int i = CHANNEL_WEBHOOK; i < CHANNEL_KIND_END; i++)
		if (strcmp(kinds[i].name, text) == 0) {
			*out = (enum alert_channel_kind)i;
			return true;
		}
	return false;
}

int alert_channel_rate(const struct alert_channel *channel)
{
	return channel->rate_per_minute ? channel->rate_per_minute : kinds[channel->kind].rate;
}

static bool name_check(const char *name, const char *field, struct err *err)
{
	size_t len = strlen(name);

	return (len >= 1 && len <= ALERT_NAME_MAX && strspn(name, LOWER DIGITS "._-") == len) ||
	       err_invalid(err, field, "must be 1 to %d of a-z 0-9 . _ -", ALERT_NAME_MAX);
}

/* A dotted name of a host, or an address literal in brackets. */
static bool mail_host(const char *host, size_t len)
{
	size_t letters = strspn(host, LOWER UPPER DIGITS "-.");

	return letters >= len && len > 0 && host[0] != '.' && host[0] != '-' && host[len - 1] != '.' &&
	       !memmem(host, len, "..", 2);
}

bool alert_address_valid(const char *address, size_t len)
{
	const char *at = memrchr(address, '@', len);
	size_t local = at ? (size_t)(at - address) : 0;

	return at && len <= ADDRESS_BYTES_MAX && local >= 1 && local <= 64 &&
	       strspn(address, LOWER UPPER DIGITS ".!#$%&'*+-/=?^_`{|}~") == local && address[0] != '.' &&
	       at[-1] != '.' && !memmem(address, local, "..", 2) && mail_host(at + 1, len - local - 1);
}

static bool addresses_check(const char *list, struct err *err)
{
	const char *address;
	size_t len;
	int count = 0;

	while (entries_next(&list, ",", &address, &len)) {
		if (!alert_address_valid(address, len))
			return err_invalid(err, "target",
				"'%.*s' is not an address that mail can be sent to; use a form like ops@example.org, in ASCII",
				(int)(len < 64 ? len : 64), address);
		if (++count > ADDRESSES_MAX)
			return err_invalid(err, "target", "has more than %d addresses", ADDRESSES_MAX);
	}
	return count > 0 || err_invalid(err, "target", "must be 1 to %d addresses, separated by commas", ADDRESSES_MAX);
}

/* -1001234567890 or @channel. */
static bool chat_check(const char *chat, struct err *err)
{
	size_t len = strlen(chat), from = chat[0] == '-' || chat[0] == '@';
	bool named = chat[0] == '@';

	if (named ? len >= 5 && len <= 33 && strspn(chat + 1, LOWER UPPER DIGITS "_") == len - 1
		  : len > from && len <= 20 && strspn(chat + from, DIGITS) == len - from)
		return true;
	return err_invalid(err, "target", "must be a chat's id such as -1001234567890, or @name of a public channel");
}

static bool token_check(const char *token, struct err *err)
{
	size_t digits = strspn(token, DIGITS), len = strlen(token);

	return (digits > 0 && token[digits] == ':' && len > digits + 1 && len <= TOKEN_MAX &&
		       strspn(token + digits + 1, LOWER UPPER DIGITS "_-") == len - digits - 1) ||
	       err_invalid(err, "token", "must be a bot's token as BotFather gives it, such as 123456:ABC-def");
}

static bool header_check(const char *header, const char *field, struct err *err)
{
	static const char *const ours[] = {"content-type", "content-length", "host", "transfer-encoding", "connection",
		"expect", "user-agent", "upgrade", "te", "trailer", "webhook-id", "webhook-timestamp",
		"webhook-signature"};
	size_t name = strspn(header, LOWER UPPER DIGITS "!#$%&'*+-.^_`|~"), len = strlen(header), value;

	if (!name || header[name] != ':' || len > HEADER_MAX)
		return err_invalid(err, field, "must be Name: value, at most %d bytes", HEADER_MAX);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strlen(ours[i]) == name && strncasecmp(header, ours[i], name) == 0)
			return err_invalid(err, field, "%s is set by Bursar", ours[i]);
	value = name + 1 + strspn(header + name + 1, " ");
	for (size_t i = value; i < len; i++)
		if ((unsigned char)header[i] < ' ' || (unsigned char)header[i] >= 0x7f)
			return err_invalid(err, field,
				"has a value with a byte that a header cannot have; write ASCII without line ends");
	return value < len || err_invalid(err, field, "has no value");
}

static bool absent(const char *value, const char *field, const struct alert_channel *channel, struct err *err)
{
	return !value[0] || err_invalid(err, field, "is not for channels of kind %s", kinds[channel->kind].name);
}

static bool target_check(const struct alert_channel *channel, struct err *err)
{
	switch (channel->kind) {
	case CHANNEL_WEBHOOK:
		return url_check(channel->target, "target", err);
	case CHANNEL_EMAIL:
		return addresses_check(channel->target, err);
	case CHANNEL_TELEGRAM:
		return chat_check(channel->target, err);
	case CHANNEL_COMMAND:
		return name_check(channel->target, "target", err);
	default:
		return true; /* made by the server from the secret URL */
	}
}

static bool is_chat_webhook(enum alert_channel_kind kind)
{
	return kind == CHANNEL_SLACK || kind == CHANNEL_DISCORD || kind == CHANNEL_TEAMS;
}

static bool signing_check(const struct alert_channel *channel, struct err *err)
{
	const struct alert_secret *secret = &channel->secret;
	char field[32];

	if (channel->kind != CHANNEL_WEBHOOK && (secret->secrets || secret->headers))
		return err_invalid(err, secret->secrets ? "signing_secrets" : "headers",
			"is not for channels of kind %s", kinds[channel->kind].name);
	if (channel->kind == CHANNEL_WEBHOOK && (secret->secrets < 1 || secret->secrets > ALERT_SECRETS_MAX))
		return err_invalid(err, "signing_secrets", "must be 1 to %d", ALERT_SECRETS_MAX);
	for (int i = 0; i < secret->secrets; i++) {
		snprintf(field, sizeof(field), "signing_secrets[%d]", i);
		if (!webhook_secret_valid(secret->secret[i]))
			return err_invalid(err, field, "must be whsec_ and the base64 of %d to %d bytes",
				WEBHOOK_KEY_MIN, WEBHOOK_KEY_MAX);
	}
	if (secret->headers > ALERT_HEADERS_MAX)
		return err_invalid(err, "headers", "must be at most %d", ALERT_HEADERS_MAX);
	for (int i = 0; i < secret->headers; i++) {
		snprintf(field, sizeof(field), "headers[%d]", i);
		if (!header_check(secret->header[i], field, err))
			return false;
	}
	return true;
}

static bool secret_check(const struct alert_channel *channel, struct err *err)
{
	const struct alert_secret *secret = &channel->secret;

	if (is_chat_webhook(channel->kind) && !secret->url[0])
		return err_invalid(err, "url", "must be given: the webhook's URL");
	if (is_chat_webhook(channel->kind) || (channel->kind == CHANNEL_TELEGRAM && secret->url[0])) {
		if (!url_check(secret->url, "url", err))
			return false;
	} else if (!absent(secret->url, "url", channel, err)) {
		return false;
	}
	if (channel->kind == CHANNEL_TELEGRAM ? !token_check(secret->token, err)
					      : !absent(secret->token, "token", channel, err))
		return false;
	return signing_check(channel, err);
}

static bool times_check(const struct alert_channel *channel, struct err *err)
{
	struct zone zone = {0};
	struct windows windows;

	if (channel->digest_us < 0 || channel->digest_us > DAY_US)
		return err_invalid(err, "digest_us", "must be 0 to %" PRId64 ", a day", DAY_US);
	if (channel->quiet_from < 0 || channel->quiet_from >= MINUTES_OF_DAY)
		return err_invalid(err, "quiet_from_minute", "must be 0 to %d", MINUTES_OF_DAY - 1);
	if (channel->quiet_to < 0 || channel->quiet_to >= MINUTES_OF_DAY)
		return err_invalid(err, "quiet_to_minute", "must be 0 to %d", MINUTES_OF_DAY - 1);
	if (strlen(channel->quiet_zone) > ZONE_NAME_MAX)
		return err_invalid(err, "quiet_zone", "is not a time zone; use a form like Europe/Berlin");
	strcpy(zone.name, channel->quiet_zone);
	if (!windows_at(&zone, 0, &windows, err))
		return err_invalid(
			err, "quiet_zone", "'%.40s' is not a time zone; use a form like Europe/Berlin", zone.name);
	return (channel->rate_per_minute >= 0 && channel->rate_per_minute <= RATE_MAX) ||
	       err_invalid(err, "rate_per_minute", "must be 1 to %d, or 0 for the kind's own", RATE_MAX);
}

bool alert_channel_check(const struct alert_channel *channel, struct err *err)
{
	if (!name_check(channel->name, "name", err))
		return false;
	if (!alert_channel_kind_name(channel->kind))
		return err_invalid(err, "kind", "must be webhook, email, slack, discord, teams, telegram or command");
	if (channel->least < ALERT_INFO || channel->least > ALERT_CRITICAL)
		return err_invalid(err, "least", "must be info, warning or critical");
	if (channel->language[0] && !language_known(channel->language))
		return err_invalid(err, "language", "must be en, de, ru or es, or empty for the tenant's");
	if (strlen(channel->target) > ALERT_TARGET_MAX)
		return err_invalid(err, "target", "is %zu bytes long; at most %d are allowed", strlen(channel->target),
			ALERT_TARGET_MAX);
	return target_check(channel, err) && secret_check(channel, err) && times_check(channel, err) &&
	       alert_template_check(channel->title, "title", err) && alert_template_check(channel->body, "body", err);
}
