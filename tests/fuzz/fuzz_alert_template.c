/*
 * Templates of alerts as admins type them: a flag byte (0: a title, else a body), then the template. One that is let in becomes its parts, one
 * after the other, has no unknown placeholder left, and makes a message that is UTF-8 and fits in each kind of channel.
 */
#include <string.h>

#include "base/utf8.h"
#include "domain/alert/message/template.h"
#include "domain/alert/message/message.h"
#include "fuzz/fuzz.h"

enum { INPUT_MAX = 2100 };

static const struct alert_event event = {.id = 1,
	.at_us = 1764488280123456,
	.tenant = "acme",
	.rule = "limits",
	.kind = ALERT_THRESHOLD,
	.severity = ALERT_WARNING,
	.account_kind = ACCOUNT_USER,
	.account = "<a> {who} \"",
	.limit_name = "month",
	.dimension = DIM_COST,
	.unit = WINDOW_MONTH,
	.used = 5,
	.amount = 10,
	.percent = 50,
	.threshold = 5,
	.subject = "s",
	.before = "b",
	.after = "a"};
static const struct alert_filling filling = {
	.event = &event, .language = "en", .text = "The sentence.", .link = "https://x/", .count = 3};

/* Each placeholder and each other byte filled in alone. */
static void fill_parts(const char *text, struct buf *out)
{
	char part[32];

	while (*text) {
		size_t len = 1;

#ifndef PLANTED_BUG
		if (text[0] == text[1] && strchr("{}", text[0])) {
			buf_put(out, text, 1);
			text += 2;
			continue;
		}
#endif
		if (*text == '{')
			len = strcspn(text, "}") + 1;
		HOLDS(len < sizeof(part));
		memcpy(part, text, len);
		part[len] = '\0';
		if (len > 1)
			alert_fill(part, &filling, out);
		else
			buf_put(out, text, 1);
		text += len;
	}
}

static void make_all(const char *text, bool is_title)
{
	static const size_t most[CHANNEL_KIND_END] = {
		[CHANNEL_DISCORD] = 2000 * 3 * 2 + 200, [CHANNEL_TELEGRAM] = 4096 * 3 * 2 + 200};
	const struct alert_event *events[] = {&event, &event};

	for (int kind = CHANNEL_WEBHOOK; kind < CHANNEL_KIND_END; kind++) {
		struct alert_channel channel = {.kind = (enum alert_channel_kind)kind,
			.target = "-1",
			.language = "en",
			.title = is_title ? text : "",
			.body = is_title ? "" : text};
		struct alert_message message;
		struct arena arena = {0};

		alert_message_make(&channel, events, 2, 1, "https://x/", &arena, &message);
		HOLDS(utf8_valid(message.title, strlen(message.title)) && !strpbrk(message.title, "\r\n"));
		HOLDS(utf8_valid(message.text, strlen(message.text)) && utf8_valid(message.html, strlen(message.html)));
		HOLDS(utf8_valid(message.body, message.body_len) && (!most[kind] || message.body_len <= most[kind]));
		arena_release(&arena);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0}, parts = {0};
	char text[INPUT_MAX + 1];
	struct err err = {0};
	bool is_title;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	is_title = data[0] == '0';
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	alert_fill(text, &filling, &whole);
	if (alert_template_check(text, is_title ? "title" : "body", &err)) {
		fill_parts(text, &parts);
		HOLDS(strcmp(buf_str(&whole), buf_str(&parts)) == 0);
		make_all(text, is_title);
	} else {
		HOLDS(err.code == ERR_INVALID && utf8_valid(err.text, strlen(err.text)));
	}
	buf_release(&whole);
	buf_release(&parts);
	return 0;
}
