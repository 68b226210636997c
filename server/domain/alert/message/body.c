/* Puts titles, sentences and links together so that the message fits its destination. */
#include "domain/alert/message/body.h"

#include <string.h>

#include "domain/alert/message/template.h"

enum { END_RESERVE = 120 /* units for the number of events that did not fit */ };
static const char built_in[] = "{text}\n{tenant} · {severity} · {rule} · {time}";

/* What the destinations count: UTF-16 units. */
static size_t units(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80 ? (unsigned char)*text >= 0xf0 ? 2 : 1 : 0;
	return n;
}

/* The longest beginning of at most `max` units, with an ellipsis where something is cut. */
static const char *cut(const char *text, size_t max, struct arena *arena)
{
	const char *at = text;
	size_t n = 0;

	if (units(text) <= max)
		return text;
	while (n + 3 <= max) {
		n += (unsigned char)*at >= 0xf0 ? 2 : 1;
		do
			at++;
		while (((unsigned char)*at & 0xc0) == 0x80);
	}
	return arena_printf(arena, "%.*s…", (int)(at - text), text);
}

static const char *filled(const struct draft *draft, const char *template, int index, int64_t count)
{
	struct buf text = {0}, out = {0};
	struct alert_filling filling = {
		.event = draft->events[index], .language = draft->language, .link = draft->link, .count = count};
	const char *made;

	alert_event_text(filling.event, draft->language, &text);
	filling.text = buf_str(&text);
	alert_fill(template, &filling, &out);
	made = arena_strndup(draft->arena, buf_str(&out), out.len);
	buf_release(&text);
	buf_release(&out);
	return made;
}

const char *draft_item(const struct draft *draft, int index)
{
	return filled(
		draft, draft->channel->body[0] ? draft->channel->body : built_in, index, draft->count + draft->more);
}

/* Appends the text, escaped and cut so that it takes at most `max` units. */
static void put_within(
	const struct draft *draft, const struct style *style, const char *text, size_t max, struct buf *out)
{
	size_t before = out->len;

	for (size_t room = max;; room = room * 3 / 4) {
		style->put(cut(text, room, draft->arena), out);
		if (room < 3 || units(out->data + before) <= max)
			return;
		out->len = before;
	}
}

static void put_end(const struct draft *draft, const struct style *style, int64_t more, struct buf *out)
{
	if (more) {
		buf_put_str(out, style->line);
		style->put(filled(draft, alert_words_find(draft->language)->more, 0, more), out);
	}
	/* The operator's own, and some escapes would break it. */
	if (style->link && draft->link[0] && !strstr(draft->channel->body, "{link}")) {
		buf_put_str(out, style->line);
		buf_put_str(out, draft->link);
	}
}

void draft_compose(const struct draft *draft, const struct style *style, struct buf *out)
{
	size_t room = style->max - END_RESERVE - units(draft->link);
	int shown = 0;

	if (style->bold) {
		buf_put_str(out, style->bold);
		style->put(draft->title, out);
		buf_put_str(out, style->plain);
	}
	for (; shown < draft->count; shown++) {
		size_t before = out->len, used = units(buf_str(out));

		if (out->len)
			buf_put_str(out, style->line);
		put_within(draft, style, draft_item(draft, shown), shown ? style->max : room - used, out);
		if (shown && units(buf_str(out)) > room) {
			out->len = before;
			break;
		}
	}
	out->data[out->len] = '\0';
	put_end(draft, style, draft->more + draft->count - shown, out);
}

static void put_html(const char *text, struct buf *out)
{
	for (const char *at = text; *at; at++) {
		if (*at == '"')
			buf_put_str(out, "&quot;");
		else if (*at == '\n')
			buf_put_str(out, "<br>\n");
		else
			put_entity(*at, out);
	}
}

void draft_html(const struct draft *draft, struct buf *out)
{
	buf_putf(out, "<!doctype html>\n<html lang=\"%s\">\n<head><meta charset=\"utf-8\"><title>", draft->language);
	put_html(draft->title, out);
	buf_put_str(out, "</title></head>\n<body style=\"font-family:sans-serif\">\n<h1 style=\"font-size:1.2em\">");
	put_html(draft->title, out);
	buf_put_str(out, "</h1>\n");
	for (int i = 0; i < draft->count; i++) {
		buf_put_str(out, "<p>");
		put_html(draft_item(draft, i), out);
		buf_put_str(out, "</p>\n");
	}
	if (draft->more) {
		buf_put_str(out, "<p>");
		put_html(filled(draft, alert_words_find(draft->language)->more, 0, draft->more), out);
		buf_put_str(out, "</p>\n");
	}
	if (draft->link[0]) {
		buf_put_str(out, "<p><a href=\"");
		put_html(draft->link, out);
		buf_put_str(out, "\">Bursar</a></p>\n");
	}
	buf_put_str(out, "</body>\n</html>\n");
}
