/* Reads answers of HTTP. */
#include "deliver/answer.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/units.h"
#include "base/utf8.h"

enum { HEADER_MAX = 64 };

static int64_t within_a_day(double seconds)
{
	if (!(seconds > 0))
		return 0;
	return seconds < (double)DAY_S ? (int64_t)ceil(seconds * (double)SECOND_US) : DAY_US;
}

int64_t answer_retry_after_us(const char *value, size_t len, int64_t now_us)
{
	char text[HEADER_MAX];
	double seconds = 0;
	time_t at;

	while (len && isspace((unsigned char)*value)) {
		value++;
		len--;
	}
	while (len && isspace((unsigned char)value[len - 1]))
		len--;
	if (!len || len >= sizeof(text))
		return 0;
	memcpy(text, value, len);
	text[len] = '\0';
	if (strspn(text, "0123456789") == len) {
		for (size_t i = 0; i < len; i++)
			seconds = seconds * 10 + (text[i] - '0');
		return within_a_day(seconds);
	}
	/* Only dates begin with the day's name; curl_getdate takes much else, such as "12" for a day of this month. */
	at = isalpha((unsigned char)text[0]) ? curl_getdate(text, NULL) : -1;
	return at < 0 ? 0 : within_a_day((double)at - (double)now_us / (double)SECOND_US);
}

int64_t answer_body_us(const char *body, size_t len)
{
	json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	json_t *seconds = json_object_get(root, "retry_after");
	int64_t us;

	if (!seconds)
		seconds = json_object_get(json_object_get(root, "parameters"), "retry_after");
	us = within_a_day(json_number_value(seconds));
	json_decref(root);
	return us;
}

void answer_line(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	while (len && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	while (n < len && n + 1 < size && (unsigned char)text[n] >= ' ' && text[n] != 0x7f)
		n++;
	memcpy(out, text, n);
	/* A sequence that was cut in its middle goes as a whole. */
	for (int i = 0; i < 3 && n && !utf8_valid(out, n); i++)
		n--;
	if (!utf8_valid(out, n))
		n = 0;
	out[n] = '\0';
}

bool answer_may_change(long status)
{
	return status == 408 || status == 425 || status == 429 || (status >= 500 && status < 600);
}
