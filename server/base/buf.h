/* Bytes going out (struct buf, grows) and bytes coming in (struct cut, never runs past its end). Little endian. */
#ifndef BURSAR_BASE_BUF_H
#define BURSAR_BASE_BUF_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `struct buf b = {0}` is empty and ready. `data` is NULL or `len` bytes followed by a NUL that is not counted. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	bool borrowed; /* the memory is the caller's (buf_on) */
};

/* An empty buffer in an array of the caller's: it allocates nothing before it needs more room than that. */
static inline struct buf buf_on(char *room, size_t size)
{
	room[0] = '\0';
	return (struct buf){.data = room, .cap = size, .borrowed = true};
}

/* The functions for numbers are inline: every request packs and reads some hundred of them. */

/* From the host's order to little endian, and back. */
static inline uint64_t le64(uint64_t value)
{
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(value) : value;
}

/* Makes room for `n` more bytes, and the NUL, where there is none. */
char *buf_grow(struct buf *buf, size_t n) __attribute__((returns_nonnull));

/* Reserves room for `n` more bytes and returns its address. The caller adds the bytes that it wrote to `len`. */
static inline char *buf_reserve(struct buf *buf, size_t n)
{
	/* Without memory both are 0. With memory, `len` is below `cap`, because the NUL is there too. */
	return n < buf->cap - buf->len ? buf->data + buf->len : buf_grow(buf, n);
}

/* All of these append, and abort when memory runs out. `p` may be NULL when `n` is 0. */
static inline void buf_put(struct buf *buf, const void *p, size_t n)
{
	char *to = buf_reserve(buf, n);

	if (n)
		memcpy(to, p, n);
	to[n] = '\0';
	buf->len += n;
}

static inline void buf_put_str(struct buf *buf, const char *s)
{
	buf_put(buf, s, strlen(s));
}

/* The low `nbytes` (1 to 8) bytes of `value`: for 6-byte and 7-byte counters. The value must fit (asserted). */
static inline void buf_put_uint(struct buf *buf, uint64_t value, size_t nbytes)
{
	uint64_t bytes = le64(value);
	char *to;

	assert(nbytes >= 1 && nbytes <= 8);
	assert(nbytes == 8 || value >> (8 * nbytes) == 0);
	/* Writes all eight, because that is one instruction; those that do not count are overwritten. */
	to = buf_reserve(buf, sizeof(bytes));
	memcpy(to, &bytes, sizeof(bytes));
	to[nbytes] = '\0';
	buf->len += nbytes;
}

/* The same in two's complement. */
static inline void buf_put_int(struct buf *buf, int64_t value, size_t nbytes)
{
	uint64_t mask = nbytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * nbytes)) - 1;
	int64_t limit = nbytes >= 8 ? INT64_MAX : (int64_t)(mask >> 1);

	assert(value <= limit && value >= -limit - 1);
	buf_put_uint(buf, (uint64_t)value & mask, nbytes);
}

static inline void buf_put_u8(struct buf *buf, uint8_t value)
{
	buf_put_uint(buf, value, 1);
}

static inline void buf_put_u16(struct buf *buf, uint16_t value)
{
	buf_put_uint(buf, value, 2);
}

static inline void buf_put_u32(struct buf *buf, uint32_t value)
{
	buf_put_uint(buf, value, 4);
}

static inline void buf_put_u64(struct buf *buf, uint64_t value)
{
	buf_put_uint(buf, value, 8);
}

static inline void buf_put_i64(struct buf *buf, int64_t value)
{
	buf_put_uint(buf, (uint64_t)value, 8);
}

/* A u16 length and the bytes; at most 65,535 of them (asserted). */
static inline void buf_put_str16(struct buf *buf, const void *p, size_t n)
{
	assert(n <= UINT16_MAX);
	buf_put_u16(buf, (uint16_t)n);
	buf_put(buf, p, n);
}

/* A decimal number, as "%" PRId64 prints it but many times faster: for text produced on every request. */
void buf_put_dec(struct buf *buf, int64_t value);

/* The same into an array, without a NUL; returns the number of characters. */
enum { DEC_MAX = 20 };
size_t dec_put(char out[DEC_MAX], int64_t value);

/* Text, formatted as by printf. */
void buf_putf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The content as a string: "" when empty. Valid until the next append. */
const char *buf_str(const struct buf *buf) __attribute__((returns_nonnull));

/* Drops the content and keeps the memory. */
static inline void buf_reset(struct buf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Frees the memory; the buffer is empty and may be used again. */
void buf_release(struct buf *buf);

/* A reader over borrowed bytes. A read past the end sets `bad` for good and yields 0 or NULL: check it once, last. */
struct cut {
	const uint8_t *p;
	size_t left; /* 0 when bad */
	bool bad;
};

static inline struct cut cut_of(const void *p, size_t n)
{
	return (struct cut){.p = (const uint8_t *)p, .left = n};
}

/* `n` bytes in place; NULL when fewer are left. */
static inline const uint8_t *cut_bytes(struct cut *cut, size_t n)
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

/* An integer of `nbytes` (1 to 8) bytes: unsigned, or sign-extended. */
static inline uint64_t cut_uint(struct cut *cut, size_t nbytes)
{
	bool eight = cut->left >= 8;
	const uint8_t *p = cut_bytes(cut, nbytes);
	uint64_t value = 0;

	assert(nbytes >= 1 && nbytes <= 8);
	if (!p)
		return 0;
	if (!eight) {
		memcpy(&value, p, nbytes);
		return le64(value);
	}
	/* One instruction reads all eight, and another drops those that belong to what follows. */
	memcpy(&value, p, 8);
	return le64(value) & UINT64_MAX >> (64 - 8 * nbytes);
}

static inline int64_t cut_int(struct cut *cut, size_t nbytes)
{
	uint64_t value = cut_uint(cut, nbytes);
	uint64_t sign = UINT64_C(1) << (8 * nbytes - 1);

	/* Branchless, and without shifting a negative number: (v ^ s) - s extends the sign. */
	return (int64_t)((value ^ sign) - sign);
}

static inline uint8_t cut_u8(struct cut *cut)
{
	return (uint8_t)cut_uint(cut, 1);
}

static inline uint16_t cut_u16(struct cut *cut)
{
	return (uint16_t)cut_uint(cut, 2);
}

static inline uint32_t cut_u32(struct cut *cut)
{
	return (uint32_t)cut_uint(cut, 4);
}

static inline uint64_t cut_u64(struct cut *cut)
{
	return cut_uint(cut, 8);
}

static inline int64_t cut_i64(struct cut *cut)
{
	return (int64_t)cut_uint(cut, 8);
}

/* A string with a u16 length, in place and not terminated; its length goes to `len` (0 when bad). */
static inline const char *cut_str16(struct cut *cut, size_t *len)
{
	size_t n = cut_u16(cut);
	const uint8_t *p = cut_bytes(cut, n);

	*len = p ? n : 0;
	return (const char *)p;
}

#endif
