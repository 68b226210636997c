/* Arenas, buffers, readers, lists. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "lib/test.h"

TEST(arena_pieces_are_aligned_and_apart)
{
	struct arena arena = {0};
	unsigned char *last = NULL;

	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *p = arena_alloc(&arena, size);

		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, 0xab, size);
		if (last)
			assert_ptr_not_equal(p, last);
		last = size ? p : last;
	}
	assert_non_null(arena_alloc(&arena, 10 * 1024 * 1024));
	arena_release(&arena);
}

TEST(arena_reset_gives_the_first_chunk_again)
{
	struct arena arena = {0};
	void *first = arena_alloc(&arena, 100);

	arena_alloc(&arena, 100000);
	arena_reset(&arena);
	assert_ptr_equal(arena_alloc(&arena, 100), first);
	arena_release(&arena);
	arena_release(&arena);
	arena_reset(&arena);
}

TEST(arena_reset_keeps_no_first_chunk_that_is_large)
{
	struct arena arena = {0};

	assert_false(arena_is_large(&arena));
	arena_alloc(&arena, 100);
	assert_false(arena_is_large(&arena));
	arena_alloc(&arena, 100000);
	assert_true(arena_is_large(&arena));
	arena_release(&arena);
	arena_alloc(&arena, 100000);
	assert_true(arena_is_large(&arena));
	arena_reset(&arena);
	assert_null(arena.first);
	assert_non_null(arena_alloc(&arena, 100));
	arena_release(&arena);
}

TEST(arenas_of_one_thread_share_what_they_gave_back)
{
	struct arena_spare spare = {0};
	struct arena one = {.spare = &spare}, two = {.spare = &spare};
	char *piece;

	arena_alloc(&one, 8000);
	piece = arena_alloc(&one, 8000);
	arena_reset(&one);
	assert_true(spare.bytes > 8000);
	arena_alloc(&two, 8000);
	assert_ptr_equal(arena_alloc(&two, 8000), piece);
	memset(piece, 1, 8000);
	assert_int_equal(spare.bytes, 0);
	arena_release(&two);
	assert_ptr_equal(two.spare, &spare);
	for (int i = 0; i < 100; i++)
		arena_alloc(&one, 100000);
	arena_release(&one);
	assert_true(spare.bytes <= ARENA_SPARE_BYTES);
	arena_spare_release(&spare);
	assert_int_equal(spare.bytes, 0);
}

TEST(arena_copies_text)
{
	struct arena arena = {0};
	char *zeros = arena_zalloc(&arena, 5, 3);

	for (int i = 0; i < 15; i++)
		assert_int_equal(zeros[i], 0);
	assert_string_equal(arena_strndup(&arena, "hello", 4), "hell");
	assert_string_equal(arena_strndup(&arena, NULL, 0), "");
	assert_string_equal(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
	arena_release(&arena);
}

TEST(what_a_buffer_packs_a_reader_cuts)
{
	struct buf buf = {0};
	struct cut cut;
	const char *text;
	size_t len;

	buf_put_u8(&buf, 0xfe);
	buf_put_u16(&buf, 0xfedc);
	buf_put_u32(&buf, 0xfedcba98);
	buf_put_u64(&buf, UINT64_MAX - 1);
	buf_put_i64(&buf, INT64_MIN);
	buf_put_uint(&buf, (UINT64_C(1) << 53) - 1, 7);
	buf_put_uint(&buf, (UINT64_C(1) << 48) - 1, 6);
	buf_put_int(&buf, -1, 7);
	buf_put_int(&buf, -(INT64_C(1) << 55), 7);
	buf_put_int(&buf, (INT64_C(1) << 55) - 1, 7);
	buf_put_str16(&buf, "a\0b", 3);
	cut = cut_of(buf.data, buf.len);
	assert_int_equal(cut_u8(&cut), 0xfe);
	assert_int_equal(cut_u16(&cut), 0xfedc);
	assert_int_equal(cut_u32(&cut), 0xfedcba98);
	assert_true(cut_u64(&cut) == UINT64_MAX - 1);
	assert_true(cut_i64(&cut) == INT64_MIN);
	assert_true(cut_uint(&cut, 7) == (UINT64_C(1) << 53) - 1);
	assert_true(cut_uint(&cut, 6) == (UINT64_C(1) << 48) - 1);
	assert_true(cut_int(&cut, 7) == -1);
	assert_true(cut_int(&cut, 7) == -(INT64_C(1) << 55));
	assert_true(cut_int(&cut, 7) == (INT64_C(1) << 55) - 1);
	text = cut_str16(&cut, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 3);
	assert_false(cut.bad);
	assert_int_equal(cut.left, 0);
	buf_release(&buf);
}

TEST(numbers_are_little_endian)
{
	struct buf buf = {0};

	buf_put_u32(&buf, 0x01020304);
	assert_memory_equal(buf.data, "\x04\x03\x02\x01", 4);
	buf_release(&buf);
}

TEST(a_reader_past_its_end_stays_bad_and_yields_zero)
{
	struct cut cut = cut_of("\xff\xff\xff", 3);
	size_t len = 9;

	assert_int_equal(cut_u32(&cut), 0);
	assert_true(cut.bad);
	assert_int_equal(cut_u8(&cut), 0);
	assert_true(cut_int(&cut, 7) == 0);
	assert_null(cut_bytes(&cut, 0));
	assert_null(cut_str16(&cut, &len));
	assert_int_equal(len, 0);
	cut = cut_of("\x05\x00hel", 5);
	assert_null(cut_str16(&cut, &len));
	assert_true(cut.bad);
	cut = cut_of(NULL, 0);
	assert_int_equal(cut_u8(&cut), 0);
}

/* Numbers are written and read eight bytes at a time where there is room: neither may spill into its neighbours. */
TEST(numbers_of_every_size_at_every_place)
{
	for (size_t before = 0; before < 80; before++) {
		for (size_t nbytes = 1; nbytes <= 8; nbytes++) {
			struct buf buf = {0};
			uint64_t value = UINT64_C(0xf1f2f3f4f5f6f7f8) >> (64 - 8 * nbytes);
			int64_t signed_value = INT64_MIN >> (64 - 8 * nbytes);
			struct cut cut;

			for (size_t i = 0; i < before; i++)
				buf_put_u8(&buf, 0xaa);
			buf_put_uint(&buf, value, nbytes);
			assert_int_equal(buf.len, before + nbytes);
			assert_int_equal(buf.data[buf.len], 0);
			buf_put_int(&buf, signed_value, nbytes);
			cut = cut_of(buf.data, buf.len);
			for (size_t i = 0; i < before; i++)
				assert_int_equal(cut_u8(&cut), 0xaa);
			assert_true(cut_uint(&cut, nbytes) == value);
			assert_true(cut_int(&cut, nbytes) == signed_value);
			assert_false(cut.bad);
			assert_int_equal(cut.left, 0);
			buf_release(&buf);
		}
	}
}

/* The memory ends where the bytes end, so that a sanitizer sees a read beyond them. */
TEST(a_reader_does_not_look_beyond_its_end)
{
	for (size_t len = 0; len < 8; len++) {
		for (size_t nbytes = 1; nbytes <= 8; nbytes++) {
			uint8_t *bytes = mem_zalloc(len, 1);
			struct cut cut = cut_of(bytes, len);

			memset(bytes, 0xff, len);
			if (nbytes <= len)
				assert_true(cut_uint(&cut, nbytes) == UINT64_MAX >> (64 - 8 * nbytes));
			else
				assert_true(cut_uint(&cut, nbytes) == 0);
			assert_int_equal(cut.bad, nbytes > len);
			free(bytes);
		}
	}
}

static void decimal(int64_t value)
{
	char expected[32], digits[DEC_MAX];
	int len = snprintf(expected, sizeof(expected), "%" PRId64, value);
	struct buf buf = {0};

	assert_int_equal(dec_put(digits, value), len);
	assert_memory_equal(digits, expected, (size_t)len);
	buf_put_dec(&buf, value);
	assert_string_equal(buf_str(&buf), expected);
	buf_release(&buf);
}

TEST(decimal_numbers_are_those_of_printf)
{
	for (int64_t value = -12000; value <= 12000; value++)
		decimal(value);
	for (int64_t value = 1; value <= INT64_MAX / 100; value *= 10)
		for (int i = -1; i <= 1; i++) {
			decimal(value * 10 + i);
			decimal(-value * 10 + i);
		}
	decimal(INT64_MAX);
	decimal(INT64_MIN);
}

TEST(a_buffer_on_an_array_allocates_when_that_is_full)
{
	char room[8];
	struct buf buf = buf_on(room, sizeof(room));

	assert_string_equal(buf_str(&buf), "");
	buf_put_str(&buf, "seven77");
	assert_ptr_equal(buf.data, room);
	buf_put_str(&buf, "8");
	assert_ptr_not_equal(buf.data, room);
	assert_string_equal(buf_str(&buf), "seven778");
	buf_release(&buf);
	assert_string_equal(room, "seven77");
	buf = buf_on(room, sizeof(room));
	buf_release(&buf);
	assert_string_equal(buf_str(&buf), "");
	buf_release(&buf);
}

TEST(a_buffer_is_always_a_string)
{
	struct buf buf = {0};

	assert_string_equal(buf_str(&buf), "");
	buf_put(&buf, NULL, 0);
	buf_putf(&buf, "%s%0200d", "x", 1);
	assert_int_equal(buf.len, 201);
	assert_int_equal(strlen(buf_str(&buf)), 201);
	buf_reset(&buf);
	assert_string_equal(buf_str(&buf), "");
	buf_release(&buf);
}

struct item {
	int number;
	struct list link;
};

TEST(a_list_keeps_order_and_lets_go)
{
	struct item items[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
	struct list list;
	int expected = 0;

	list_init(&list);
	assert_null(list_pop_front(&list));
	list_push_back(&list, &items[1].link);
	list_push_back(&list, &items[2].link);
	list_push_front(&list, &items[0].link);
	list_each (&list, at, after) {
		struct item *item = container_of(at, struct item, link);

		assert_int_equal(item->number, expected++);
		if (item->number == 1)
			list_remove(at);
	}
	assert_int_equal(expected, 3);
	list_remove(&items[1].link);
	assert_ptr_equal(list_pop_front(&list), &items[0].link);
	assert_ptr_equal(list_pop_front(&list), &items[2].link);
	assert_true(list_empty(&list));
}
