/* Growing buffers for packed records (base/buf.h). */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

char *buf_grow(struct buf *buf, size_t n)
{
	size_t need;
	size_t cap = buf->cap ? buf->cap : 64;

	if (n >= SIZE_MAX / 2 - buf->len)
		mem_exhausted(n);
	need = buf->len + n + 1;
	if (need <= buf->cap)
		return buf->data + buf->len;
	while (cap < need)
		cap *= 2;
	if (buf->borrowed)
		buf->data = memcpy(mem_realloc(NULL, cap), buf->data, buf->len + 1);
	else
		buf->data = mem_realloc(buf->data, cap);
	buf->borrowed = false;
	buf->cap = cap;
	return buf->data + buf->len;
}

size_t dec_put(char out[DEC_MAX], int64_t value)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	char digits[DEC_MAX];
	size_t at = DEC_MAX;
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

	/* Two digits at a time: half the divisions. */
	for (; left >= 10; left /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + 2 * (left % 100), 2);
	}
	if (left > 0 || at == DEC_MAX)
		digits[--at] = (char)('0' + left);
	if (value < 0)
		digits[--at] = '-';
	memcpy(out, digits + at, DEC_MAX - at);
	return DEC_MAX - at;
}

void buf_put_dec(struct buf *buf, int64_t value)
{
	char digits[DEC_MAX];
	size_t len = dec_put(digits, value);

	buf_put(buf, digits, len);
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

void buf_release(struct buf *buf)
{
	if (!buf->borrowed)
		free(buf->data);
	*buf = (struct buf){0};
}
