/* How destinations write text: what a person's name or an admin's reason may not become, and how long a message may be. */
#include <string.h>
#include <strings.h>

#include "domain/alert/message/body.h"

static void put_plain(const char *text, struct buf *out)
{
	buf_put_str(out, text);
}

void put_entity(char byte, struct buf *out)
{
	if (byte == '&')
		buf_put_str(out, "&amp;");
	else if (byte == '<')
		buf_put_str(out, "&lt;");
	else if (byte == '>')
		buf_put_str(out, "&gt;");
	else
		buf_put(out, &byte, 1);
}

/* "@all": Mattermost, which takes Slack's messages, calls everybody. A space of no width behind the sign takes the meaning from it. */
static bool calls_all(const char *at)
{
	static const char *const words[] = {"all", "channel", "here", "everyone"};

	for (size_t i = 0; at[0] == '@' && i < sizeof(words) / sizeof(words[0]); i++)
		if (strncasecmp(at + 1, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* "](": the middle of a link in Markdown, which could show another address than its own. */
static bool is_link(const char *at)
{
	return at[0] == ']' && at[1] == '(';
}

static void put_slack(const char *text, struct buf *out)
{
	for (const char *at = text; *at; at++) {
		put_entity(*at, out);
		if (calls_all(at) || is_link(at))
			buf_put_str(out, "\u200b");
	}
}

/* Discord's Markdown: a line break stays one. */
static void put_markdown(const char *text, struct buf *out)
{
	for (const char *at = text; *at; at++) {
		if (strchr("\\*_~`|<>[]()#", *at))
			buf_put_str(out, "\\");
		buf_put(out, at, 1);
		if (*at == '@')
			buf_put_str(out, "\u200b");
	}
}

/* The card's Markdown makes a paragraph of an empty line only. */
static void put_teams(const char *text, struct buf *out)
{
	for (const char *at = text; *at; at += 1) {
		if (*at == '\n') {
			buf_put_str(out, "\n\n");
			continue;
		}
		if (strchr("\\*_[]()#", *at))
			buf_put_str(out, "\\");
		buf_put(out, at, 1);
	}
}

const struct style style_plain = {.put = put_plain, .line = "\n", .link = true, .max = 100000};
/*
 * Slack advises 4,000 characters, makes several messages of a longer text and cuts it at 40,000 (docs.slack.dev/reference/methods/
 * chat.postMessage, "Truncating content"; api.slack.com/changelog/2018-04-truncating-really-long-messages).
 */
const struct style style_slack = {.put = put_slack, .bold = "*", .plain = "*", .line = "\n", .link = true, .max = 4000};
/* "Up to 2000 characters" (docs.discord.com/developers/resources/webhook#execute-webhook; discord-api-types 0.38.57). */
const struct style style_discord = {
	.put = put_markdown, .bold = "**", .plain = "**", .line = "\n", .link = true, .max = 2000};
/*
 * About 28 KB for the whole message (learn.microsoft.com/connectors/teams, "Message size limit"); it is not said in which encoding. This is
 * 16 KB in UTF-16, and at most 24 KB in UTF-8, with some for the title and the card.
 */
const struct style style_teams = {.put = put_teams, .line = "\n\n", .max = 8000};
/* "1-4096 characters after entities parsing" (core.telegram.org/bots/api#sendmessage; MessageLimit of python-telegram-bot 22.8). */
const struct style style_telegram = {
	.put = put_plain, .bold = "", .plain = "", .line = "\n", .link = true, .max = 4096};
