/* Bytes going out (struct buf, grows) and bytes coming in (struct cut, never runs past its end). Little endian. */
#ifndef BURSAR_BASE_BUF_H
#define BURSAR_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `struct buf b = {0}` is empty and ready. `data` is NULL or `len` bytes followed by a NUL that is not counted. */
struct buf {
	char *data;
	size_t len;
	size_t cap;
};

/* All of these append, and abort when memory runs out. `p` may be NULL when `n` is 0. */
void buf_put(struct buf *buf, const void *p, size_t n);
void buf_put_str(struct buf *buf, const char *s);
void buf_put_u8(struct buf *buf, uint8_t value);
void buf_put_u16(struct buf *buf, uint16_t value);
void buf_put_u32(struct buf *buf, uint32_t value);
void buf_put_u64(struct buf *buf, uint64_t value);
void buf_put_i64(struct buf *buf, int64_t value);

/* The low `nbytes` (1 to 8) bytes of `value`: for 6-byte and 7-byte counters. The value must fit (asserted). */
void buf_put_uint(struct buf *buf, uint64_t value, size_t nbytes);

/* The same in two's complement. */
void buf_put_int(struct buf *buf, int64_t value, size_t nbytes);

/* A u16 length and the bytes; at most 65,535 of them (asserted). */
void buf_put_str16(struct buf *buf, const void *p, size_t n);

/* A decimal number, as "%" PRId64 prints it but many times faster: for text produced on every request. */
void buf_put_dec(struct buf *buf, int64_t value);

/* Text, formatted as by printf. */
void buf_putf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reserves room for `n` more bytes and returns its address. The caller adds the bytes that it wrote to `len`. */
char *buf_reserve(struct buf *buf, size_t n) __attribute__((returns_nonnull));

/* The content as a string: "" when empty. Valid until the next append. */
const char *buf_str(const struct buf *buf) __attribute__((returns_nonnull));

/* Drops the content and keeps the memory. */
void buf_reset(struct buf *buf);

/* Frees the memory; the buffer is empty and may be used again. */
void buf_release(struct buf *buf);

/* A reader over borrowed bytes. A read past the end sets `bad` for good and yields 0 or NULL: check it once, last. */
struct cut {
	const uint8_t *p;
	size_t left;
	bool bad;
};

struct cut cut_of(const void *p, size_t n);
uint8_t cut_u8(struct cut *cut);
uint16_t cut_u16(struct cut *cut);
uint32_t cut_u32(struct cut *cut);
uint64_t cut_u64(struct cut *cut);
int64_t cut_i64(struct cut *cut);

/* An integer of `nbytes` (1 to 8) bytes: unsigned, or sign-extended. */
uint64_t cut_uint(struct cut *cut, size_t nbytes);
int64_t cut_int(struct cut *cut, size_t nbytes);

/* `n` bytes in place; NULL when fewer are left. */
const uint8_t *cut_bytes(struct cut *cut, size_t n);

/* A string with a u16 length, in place and not terminated; its length goes to `len` (0 when bad). */
const char *cut_str16(struct cut *cut, size_t *len);

#endif
