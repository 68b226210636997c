/* The rule for future times: a POSIX TZ text, read from left to right. */
#include "domain/time/tz.h"

#include <string.h>

struct text {
	const char *p, *end;
	bool bad;
};

static char text_peek(const struct text *text)
{
	return text->p < text->end ? *text->p : '\0';
}

static bool text_take(struct text *text, char c)
{
	if (text_peek(text) != c)
		return false;
	text->p++;
	return true;
}

static int text_number(struct text *text, int max)
{
	int n = 0;
	const char *start = text->p;

	while (text_peek(text) >= '0' && text_peek(text) <= '9' && n <= max)
		n = n * 10 + (*text->p++ - '0');
	if (text->p == start || n > max)
		text->bad = true;
	return n;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int32_t text_time(struct text *text)
{
	bool minus = text_take(text, '-');
	int32_t seconds;

	if (!minus)
		text_take(text, '+');
	seconds = text_number(text, 167) * 3600;
	if (text_take(text, ':'))
		seconds += text_number(text, 59) * 60;
	if (text_take(text, ':'))
		seconds += text_number(text, 59);
	return minus ? -seconds : seconds;
}

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Skips "CET" or "<+03>". */
static void text_name(struct text *text)
{
	const char *start = text->p;

	if (text_take(text, '<')) {
		while (text->p < text->end && *text->p != '>')
			text->p++;
		if (!text_take(text, '>'))
			text->bad = true;
		return;
	}
	while (letter(text_peek(text)))
		text->p++;
	if (text->p - start < 3)
		text->bad = true;
}

static void text_change(struct text *text, struct tz_change *out)
{
	*out = (struct tz_change){.form = 'D', .time = 2 * 3600};
	if (!text_take(text, ','))
		text->bad = true;
	if (text_take(text, 'M')) {
		out->form = 'M';
		out->month = text_number(text, 12);
		text->bad = text->bad || !text_take(text, '.');
		out->week = text_number(text, 5);
		text->bad = text->bad || !text_take(text, '.');
		out->weekday = text_number(text, 6);
		text->bad = text->bad || out->month < 1 || out->week < 1;
	} else if (text_take(text, 'J')) {
		out->form = 'J';
		out->day = text_number(text, 365);
		text->bad = text->bad || out->day < 1;
	} else {
		out->day = text_number(text, 365);
	}
	if (text_take(text, '/'))
		out->time = text_time(text);
}

bool tz_rule_parse(const char *p, size_t len, struct tz_rule *out)
{
	struct text text = {.p = p, .end = p + len};
	struct tz_rule rule = {0};

	text_name(&text);
	rule.standard = -text_time(&text); /* POSIX counts west of Greenwich */
	rule.dst = rule.standard + 3600;
	if (!text.bad && text.p < text.end) {
		rule.has_dst = true;
		text_name(&text);
		if (text_peek(&text) != ',')
			rule.dst = -text_time(&text);
		text_change(&text, &rule.to_dst);
		text_change(&text, &rule.to_standard);
	}
	if (text.bad || text.p != text.end)
		return false;
	*out = rule;
	return true;
}
