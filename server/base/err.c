/* Errors: one line fills one where it occurs; whoever answers the caller reads it. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Cuts `s`, which a printf truncated at `size` bytes, after its last whole UTF-8 sequence: protobuf rejects part of
 * one. */
static void cut_whole(char *s, size_t size)
{
	size_t n = strlen(s);

	if (n + 1 < size)
		return;
	while (n > 0 && ((unsigned char)s[n - 1] & 0xc0) == 0x80)
		n--;
	if (n > 0 && ((unsigned char)s[n - 1] & 0x80))
		n--;
	s[n] = '\0';
}

/* Replaces invalid UTF-8 by '?': "%.40s" may cut inside a sequence too, and some texts quote outside input. */
static void scrub(char *s)
{
	while (*s) {
		size_t left = strlen(s);
		size_t n = 1;

		while (n <= 4 && n <= left && !utf8_valid(s, n))
			n++;
		if (n > 4 || n > left) {
			*s = '?';
			n = 1;
		}
		s += n;
	}
}

__attribute__((format(printf, 3, 0))) static void vprint_cut(char *s, size_t size, const char *fmt, va_list ap)
{
	if (vsnprintf(s, size, fmt, ap) < 0)
		s[0] = '\0';
	cut_whole(s, size);
	if (!utf8_valid(s, strlen(s)))
		scrub(s);
}

__attribute__((format(printf, 3, 4))) static void print_cut(char *s, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint_cut(s, size, fmt, ap);
	va_end(ap);
}

bool err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return false;
	err->code = code;
	err->field[0] = '\0';
	err->retry_after_us = 0;
	err->reason[0] = err->name[0] = '\0';
	va_start(ap, fmt);
	vprint_cut(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return false;
}

bool err_invalid(struct err *err, const char *field, const char *fmt, ...)
{
	char sentence[sizeof(err->text)];
	va_list ap;

	if (!err)
		return false;
	err->code = ERR_INVALID;
	err->retry_after_us = 0;
	err->reason[0] = err->name[0] = '\0';
	va_start(ap, fmt);
	vprint_cut(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	print_cut(err->field, sizeof(err->field), "%s", field);
	print_cut(err->text, sizeof(err->text), "%s: %s", err->field, sentence);
	return false;
}

bool err_prefix(struct err *err, const char *fmt, ...)
{
	char prefix[sizeof(err->field)];
	char rest[sizeof(err->text)];
	va_list ap;

	if (!err)
		return false;
	va_start(ap, fmt);
	vprint_cut(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	memcpy(rest, err->text, sizeof(rest));
	print_cut(err->text, sizeof(err->text), "%s%s", prefix, rest);
	if (err->field[0]) {
		memcpy(rest, err->field, sizeof(err->field));
		print_cut(err->field, sizeof(err->field), "%s%s", prefix, rest);
	}
	return false;
}

bool err_reason(struct err *err, const char *reason)
{
	if (err)
		print_cut(err->reason, sizeof(err->reason), "%s", reason);
	return false;
}

bool err_reason_of(struct err *err, const char *reason, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return false;
	va_start(ap, fmt);
	vprint_cut(err->name, sizeof(err->name), fmt, ap);
	va_end(ap);
	return err_reason(err, reason);
}
