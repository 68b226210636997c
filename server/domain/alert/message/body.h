/* A message while it is being made. Only for server/domain/alert. */
#ifndef BURSAR_DOMAIN_ALERT_BODY_H
#define BURSAR_DOMAIN_ALERT_BODY_H

#include "domain/alert/message/message.h"

struct draft {
	const struct alert_channel *channel;
	const struct alert_event *const *events;
	int count;
	int64_t more; /* events that were left out */
	const char *link, *language, *title; /* title: one line */
	struct arena *arena;
};

/* How a destination writes text. */
struct style {
	void (*put)(const char *text, struct buf *out); /* appends a text of users and admins, escaped */
	const char *bold, *plain; /* around the title; NULL: without a title */
	const char *line; /* between lines of our own */
	bool link; /* the link is a line of the text */
	size_t max; /* UTF-16 units of the whole */
};
extern const struct style style_plain, style_slack, style_discord, style_teams, style_telegram;

/* Appends a byte of a text, or the entity that stands for it in HTML and in Slack's messages: of &, < and >. */
void put_entity(char byte, struct buf *out);

/* What is said of one event: by the channel's template, or the built-in one. In the arena. */
const char *draft_item(const struct draft *draft, int index);
/* Appends title, events and link in a style. What does not fit is counted at the end, or cut. */
void draft_compose(const struct draft *draft, const struct style *style, struct buf *out);

/* The whole as HTML, for e-mail. */
void draft_html(const struct draft *draft, struct buf *out);

/* Of webhooks and commands: the events as JSON, with the names that the API's JSON has. */
void draft_json(const struct draft *draft, struct buf *out);

#endif
