/* curl passes headers on as they are: it neither encodes nor folds them. */
#include "deliver/mail.h"

#include <string.h>
#include <time.h>

#include "base/units.h"
#include "domain/alert/message/channel.h"

/* A line of an encoded word has at most 76 characters (RFC 2047), and the longest of our names takes 9. */
enum { PLAIN_MAX = 200, WORD_MAX = 54 };
static const char word_begin[] = "=?utf-8?Q?", word_end[] = "?=";

bool mail_from_read(const char *text, struct mail_from *out)
{
	const char *open = strchr(text, '<');
	size_t len = strlen(text);

	*out = (struct mail_from){.name = text, .address = text, .address_len = len};
	if (open) {
		if (text[len - 1] != '>')
			return false;
		out->name_len = (size_t)(open - text);
		while (out->name_len && text[out->name_len - 1] == ' ')
			out->name_len--;
		out->address = open + 1;
		out->address_len = len - (size_t)(open - text) - 2;
	}
	return alert_address_valid(out->address, out->address_len);
}

static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	return len <= PLAIN_MAX && !memmem(text, len, "=?", 2);
}

/* Bytes of the character at `text`, and how many characters of an encoded word they take. */
static size_t next_character(const char *text, size_t len, size_t *encoded)
{
	size_t n = 1;

	while (n < len && ((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	*encoded = 3 * n;
	return n;
}

static void put_encoded(const char *text, size_t len, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t used = 0, encoded;

	buf_put_str(out, word_begin);
	for (size_t n; len; text += n, len -= n) {
		n = next_character(text, len, &encoded);
		if (used + encoded > WORD_MAX) {
			buf_put_str(out, word_end);
			buf_put_str(out, "\r\n ");
			buf_put_str(out, word_begin);
			used = 0;
		}
		used += encoded;
		for (size_t i = 0; i < n; i++) {
			unsigned char c = (unsigned char)text[i];
			bool itself = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

			if (itself || c == ' ')
				buf_put(out, c == ' ' ? "_" : &text[i], 1);
			else
				buf_put(out, (char[]){'=', hex[c >> 4], hex[c & 15]}, 3);
		}
	}
	buf_put_str(out, word_end);
}

void mail_put_text(const char *name, const char *text, size_t len, struct buf *out)
{
	buf_putf(out, "%s: ", name);
	if (is_plain(text, len))
		buf_put(out, text, len);
	else
		put_encoded(text, len, out);
}

void mail_put_from(const struct mail_from *from, struct buf *out)
{
	bool quoted = from->name_len > 1 && from->name[0] == '"' && from->name[from->name_len - 1] == '"';
	const char *name = from->name + quoted;
	size_t len = from->name_len - (quoted ? 2 : 0);

	if (!len) {
		buf_put_str(out, "From: ");
		buf_put(out, from->address, from->address_len);
		return;
	}
	/* Always encoded: quoting would need rules of its own. */
	buf_put_str(out, "From: ");
	put_encoded(name, len, out);
	buf_put_str(out, " <");
	buf_put(out, from->address, from->address_len);
	buf_put_str(out, ">");
}

void mail_put_date(int64_t at_us, struct buf *out)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t at = (time_t)(at_us / SECOND_US);
	struct tm tm;

	gmtime_r(&at, &tm);
	buf_putf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday, tm.tm_mday,
		months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void mail_put_id(const char *message_id, const struct mail_from *from, struct buf *out)
{
	const char *at = memrchr(from->address, '@', from->address_len);

	buf_put_str(out, "Message-ID: <");
	for (const char *p = message_id; *p; p++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *p))
			buf_put(out, p, 1);
	buf_put(out, at, from->address_len - (size_t)(at - from->address));
	buf_put_str(out, ">");
}
