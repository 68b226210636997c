/* Messages in the form that each kind of channel takes. The JSON is written by hand, as the texts in it are all that varies. */
#include "domain/alert/message/message.h"

#include <string.h>

#include "base/text/json_token.h"
#include "domain/alert/message/body.h"
#include "domain/alert/message/template.h"
#include "domain/text/texts_language.h"

enum { TITLE_MAX = 200, LINK_MAX = 300 }; /* bytes */

/* One line, not too long for a subject. */
static const char *make_title(const struct draft *draft)
{
	const struct alert_words *words = alert_words_find(draft->language);
	int64_t count = draft->count + draft->more;
	const char *own = draft->channel->title;
	struct buf text = {0}, out = {0};
	struct alert_filling filling = {
		.event = draft->events[0], .language = draft->language, .link = draft->link, .count = count};
	size_t len;
	char *title;

	alert_event_text(draft->events[0], draft->language, &text);
	filling.text = buf_str(&text);
	if (!own[0] && draft->channel->kind == CHANNEL_EMAIL)
		buf_put_str(&out, "[Bursar] ");
	alert_fill(own[0]      ? own
		   : count > 1 ? words->several
			       : words->form[alert_form_of(draft->events[0])].title,
		&filling, &out);
	len = out.len;
	if (len > TITLE_MAX)
		for (len = TITLE_MAX; len && ((unsigned char)out.data[len] & 0xc0) == 0x80;)
			len--;
	title = arena_strndup(draft->arena, buf_str(&out), len);
	for (char *at = title; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	buf_release(&text);
	buf_release(&out);
	return title;
}

static const char *composed(const struct draft *draft, const struct style *style)
{
	struct buf text = {0};
	const char *made;

	draft_compose(draft, style, &text);
	made = arena_strndup(draft->arena, buf_str(&text), text.len);
	buf_release(&text);
	return made;
}

static void put_slack(const struct draft *draft, struct buf *out)
{
	buf_put_str(out, "{\"text\":");
	json_write_text(composed(draft, &style_slack), out);
	buf_put_str(out, "}");
}

/* Nobody is mentioned, whatever the text says; 4 = SUPPRESS_EMBEDS: no preview of links. */
static void put_discord(const struct draft *draft, struct buf *out)
{
	buf_put_str(out, "{\"content\":");
	json_write_text(composed(draft, &style_discord), out);
	buf_put_str(out, ",\"allowed_mentions\":{\"parse\":[]},\"flags\":4}");
}

static void put_teams(const struct draft *draft, struct buf *out)
{
	struct buf title = {0};

	style_teams.put(draft->title, &title);
	buf_put_str(out,
		"{\"type\":\"message\",\"attachments\":[{\"contentType\":\"application/vnd.microsoft.card.adaptive\","
		"\"contentUrl\":null,\"content\":{\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\","
		"\"type\":\"AdaptiveCard\",\"version\":\"1.4\",\"body\":[{\"type\":\"TextBlock\",\"weight\":\"Bolder\","
		"\"size\":\"Medium\",\"wrap\":true,\"text\":");
	json_write_text(buf_str(&title), out);
	buf_put_str(out, "},{\"type\":\"TextBlock\",\"wrap\":true,\"text\":");
	json_write_text(composed(draft, &style_teams), out);
	buf_put_str(out, "}]");
	if (draft->link[0]) {
		buf_put_str(out, ",\"actions\":[{\"type\":\"Action.OpenUrl\",\"title\":\"Bursar\",\"url\":");
		json_write_text(draft->link, out);
		buf_put_str(out, "}]");
	}
	buf_put_str(out, "}}]}");
	buf_release(&title);
}

static void put_telegram(const struct draft *draft, struct buf *out)
{
	buf_put_str(out, "{\"chat_id\":");
	json_write_text(draft->channel->target, out);
	buf_put_str(out, ",\"text\":");
	json_write_text(composed(draft, &style_telegram), out);
	buf_put_str(out, ",\"link_preview_options\":{\"is_disabled\":true}}");
}

static void put_nothing(__attribute__((unused)) const struct draft *draft, __attribute__((unused)) struct buf *out)
{
}

void alert_message_make(const struct alert_channel *channel, const struct alert_event *const events[], int count,
	int64_t more, const char *link, struct arena *arena, struct alert_message *out)
{
	static void (*const bodies[CHANNEL_KIND_END])(const struct draft *draft, struct buf *out) = {
		[CHANNEL_WEBHOOK] = draft_json,
		[CHANNEL_EMAIL] = put_nothing,
		[CHANNEL_SLACK] = put_slack,
		[CHANNEL_DISCORD] = put_discord,
		[CHANNEL_TEAMS] = put_teams,
		[CHANNEL_TELEGRAM] = put_telegram,
		[CHANNEL_COMMAND] = draft_json,
	};
	struct draft draft = {.channel = channel,
		.events = events,
		.count = count,
		.more = more,
		.link = strlen(link) <= LINK_MAX ? link : "",
		.language = language_find(channel->language)->code,
		.arena = arena};
	struct buf body = {0}, html = {0};

	draft.title = make_title(&draft);
	bodies[channel->kind](&draft, &body);
	if (channel->kind == CHANNEL_EMAIL)
		draft_html(&draft, &html);
	*out = (struct alert_message){.title = draft.title,
		.text = composed(&draft, &style_plain),
		.html = arena_strndup(arena, buf_str(&html), html.len),
		.content_type = "application/json",
		.body = arena_strndup(arena, buf_str(&body), body.len),
		.body_len = body.len};
	buf_release(&body);
	buf_release(&html);
}
