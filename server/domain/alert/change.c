/* Completes a channel with the secrets that are stored. */
#include "domain/alert/change.h"

#include <string.h>

#include "base/net/destination.h"

const char *alert_url_host(const char *url, struct arena *arena)
{
	const char *host = strstr(url, "://"), *user;
	size_t len;

	if (!host)
		return "";
	host += strlen("://");
	len = strcspn(host, "/?#");
	user = memrchr(host, '@', len);
	if (user) {
		len -= (size_t)(user + 1 - host);
		host = user + 1;
	}
	return arena_strndup(arena, host, len);
}

static bool is_chat(enum alert_channel_kind kind)
{
	return kind == CHANNEL_SLACK || kind == CHANNEL_DISCORD || kind == CHANNEL_TEAMS;
}

/* Only an admin who knows them may send secrets elsewhere: whoever may change a channel could read them there. */
static bool secrets_stay(const struct alert_channel *wanted, const struct alert_channel *now, struct err *err)
{
	if (wanted->kind == CHANNEL_WEBHOOK && !wanted->secret.headers && now->secret.headers &&
		strcmp(wanted->target, now->target) != 0)
		return err_invalid(err, "headers",
			"must be given again with another target: those that are stored are only sent to the old one");
	if (wanted->kind == CHANNEL_TELEGRAM && wanted->secret.url[0] && !wanted->secret.token[0] &&
		strcmp(wanted->secret.url, now->secret.url) != 0)
		return err_invalid(err, "token",
			"must be given again with another url: the one that is stored is only sent to the old server");
	return true;
}

static void keep(struct alert_secret *wanted, const struct alert_secret *now)
{
	if (!wanted->url[0])
		wanted->url = now->url;
	if (!wanted->token[0])
		wanted->token = now->token;
	if (!wanted->secrets) {
		wanted->secrets = now->secrets;
		memcpy(wanted->secret, now->secret, sizeof(wanted->secret));
	}
	if (!wanted->headers) {
		wanted->headers = now->headers;
		memcpy(wanted->header, now->header, sizeof(wanted->header));
	}
}

bool alert_channel_complete(struct alert_channel *wanted, const struct alert_channel *now, bool clear_headers,
	struct arena *arena, struct err *err)
{
	/* The secrets of another kind are of no use. */
	if (now && now->kind == wanted->kind) {
		struct alert_channel stored = *now;

		if (clear_headers)
			stored.secret.headers = 0;
		if (!secrets_stay(wanted, &stored, err))
			return false;
		keep(&wanted->secret, &stored.secret);
	}
	if (is_chat(wanted->kind) && wanted->secret.url[0])
		wanted->target = alert_url_host(wanted->secret.url, arena);
	return true;
}

bool alert_channel_lacks(const struct alert_channel *channel, const char **field)
{
	if (is_chat(channel->kind) && !channel->secret.url[0])
		*field = "url";
	else if (channel->kind == CHANNEL_TELEGRAM && !channel->secret.token[0])
		*field = "token";
	else if (channel->kind == CHANNEL_WEBHOOK && !channel->secret.secrets)
		*field = "signing_secrets";
	else
		return false;
	return true;
}

bool alert_channel_may_go(
	const struct alert_channel *wanted, const struct alert_channel *now, const char *allow, struct err *err)
{
	bool webhook = wanted->kind == CHANNEL_WEBHOOK;
	const char *url = webhook ? wanted->target : wanted->secret.url;

	/* alert_allow may have become narrower: such a channel can still be changed, and switched off. */
	if (!url[0] || (now && now->kind == wanted->kind && strcmp(url, webhook ? now->target : now->secret.url) == 0))
		return true;
	return destination_check(url, allow, webhook ? "target" : "url", err);
}
