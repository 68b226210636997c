/* Growing buffers and bounded readers for packed records. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

char *buf_reserve(struct buf *buf, size_t n)
{
	size_t need;
	size_t cap = buf->cap ? buf->cap : 64;

	if (n >= SIZE_MAX / 2 - buf->len)
		mem_exhausted(n);
	need = buf->len + n + 1;
	if (need > buf->cap) {
		while (cap < need)
			cap *= 2;
		buf->data = mem_realloc(buf->data, cap);
		buf->cap = cap;
	}
	return buf->data + buf->len;
}

void buf_put(struct buf *buf, const void *p, size_t n)
{
	char *to = buf_reserve(buf, n);

	if (n)
		memcpy(to, p, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void buf_put_str(struct buf *buf, const char *s)
{
	buf_put(buf, s, strlen(s));
}

void buf_put_uint(struct buf *buf, uint64_t value, size_t nbytes)
{
	uint8_t bytes[8];

	assert(nbytes >= 1 && nbytes <= 8);
	assert(nbytes == 8 || value >> (8 * nbytes) == 0);
	for (size_t i = 0; i < nbytes; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	buf_put(buf, bytes, nbytes);
}

void buf_put_int(struct buf *buf, int64_t value, size_t nbytes)
{
	uint64_t mask = nbytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * nbytes)) - 1;
	int64_t limit = nbytes >= 8 ? INT64_MAX : (int64_t)(mask >> 1);

	assert(value <= limit && value >= -limit - 1);
	buf_put_uint(buf, (uint64_t)value & mask, nbytes);
}

void buf_put_u8(struct buf *buf, uint8_t value)
{
	buf_put_uint(buf, value, 1);
}

void buf_put_u16(struct buf *buf, uint16_t value)
{
	buf_put_uint(buf, value, 2);
}

void buf_put_u32(struct buf *buf, uint32_t value)
{
	buf_put_uint(buf, value, 4);
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
	buf_put_uint(buf, value, 8);
}

void buf_put_i64(struct buf *buf, int64_t value)
{
	buf_put_uint(buf, (uint64_t)value, 8);
}

void buf_put_str16(struct buf *buf, const void *p, size_t n)
{
	assert(n <= UINT16_MAX);
	buf_put_u16(buf, (uint16_t)n);
	buf_put(buf, p, n);
}

void buf_put_dec(struct buf *buf, int64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do
		digits[--at] = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (value < 0)
		digits[--at] = '-';
	buf_put(buf, digits + at, sizeof(digits) - at);
}

void buf_putf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		vsnprintf(buf_reserve(buf, (size_t)n), (size_t)n + 1, fmt, again);
		buf->len += (size_t)n;
	}
	va_end(again);
}

const char *buf_str(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_release(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}

struct cut cut_of(const void *p, size_t n)
{
	return (struct cut){.p = p, .left = n};
}

const uint8_t *cut_bytes(struct cut *cut, size_t n)
{
	const uint8_t *p = cut->p;

	if (cut->bad || n > cut->left) {
		cut->bad = true;
		cut->left = 0;
		return NULL;
	}
	if (n)
		cut->p += n;
	cut->left -= n;
	return p;
}

uint64_t cut_uint(struct cut *cut, size_t nbytes)
{
	const uint8_t *p = cut_bytes(cut, nbytes);
	uint64_t value = 0;

	assert(nbytes >= 1 && nbytes <= 8);
	if (!p)
		return 0;
	for (size_t i = nbytes; i > 0; i--)
		value = value << 8 | p[i - 1];
	return value;
}

int64_t cut_int(struct cut *cut, size_t nbytes)
{
	uint64_t value = cut_uint(cut, nbytes);
	uint64_t sign = UINT64_C(1) << (8 * nbytes - 1);

	/* Branchless, and without shifting a negative number: (v ^ s) - s extends the sign. */
	return (int64_t)((value ^ sign) - sign);
}

uint8_t cut_u8(struct cut *cut)
{
	return (uint8_t)cut_uint(cut, 1);
}

uint16_t cut_u16(struct cut *cut)
{
	return (uint16_t)cut_uint(cut, 2);
}

uint32_t cut_u32(struct cut *cut)
{
	return (uint32_t)cut_uint(cut, 4);
}

uint64_t cut_u64(struct cut *cut)
{
	return cut_uint(cut, 8);
}

int64_t cut_i64(struct cut *cut)
{
	return (int64_t)cut_uint(cut, 8);
}

const char *cut_str16(struct cut *cut, size_t *len)
{
	size_t n = cut_u16(cut);
	const uint8_t *p = cut_bytes(cut, n);

	*len = p ? n : 0;
	return (const char *)p;
}
