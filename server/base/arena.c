/* A bump allocator in chunks that double; large pieces get a chunk of their own size. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sanitizer is to find uses of chunks that were given back, as it would find them after free(). */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define POISON(chunk) __asan_poison_memory_region((chunk)->data, (chunk)->size)
#define UNPOISON(chunk) __asan_unpoison_memory_region((chunk)->data, (chunk)->size)
#else
#define POISON(chunk)
#define UNPOISON(chunk)
#endif

enum { ALIGN = 16, FIRST_CHUNK = 8192, LARGEST_CHUNK = 1 << 20 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	_Alignas(ALIGN) unsigned char data[];
};

void mem_exhausted(size_t size)
{
	fprintf(stderr, "out of memory: cannot allocate %zu bytes\n", size);
	abort();
}

void *mem_zalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		mem_exhausted(size);
	return p;
}

void *mem_realloc(void *p, size_t size)
{
	void *grown = realloc(p, size ? size : 1);

	if (!grown)
		mem_exhausted(size);
	return grown;
}

/* The list for chunks of that size: those that arenas add when the first is full. -1 for a size of its own. */
static int spare_index(size_t size)
{
	for (int i = 0; i < ARENA_SPARE_SIZES; i++)
		if (size == (size_t)FIRST_CHUNK << (i + 1))
			return i;
	return -1;
}

static struct arena_chunk *spare_take(struct arena_spare *spare, size_t size)
{
	int i = spare ? spare_index(size) : -1;
	struct arena_chunk *chunk = i < 0 ? NULL : spare->chunk[i];

	if (!chunk)
		return NULL;
	spare->chunk[i] = chunk->next;
	spare->bytes -= size;
	chunk->next = NULL;
	UNPOISON(chunk);
	return chunk;
}

static bool spare_give(struct arena_spare *spare, struct arena_chunk *chunk)
{
	int i = spare ? spare_index(chunk->size) : -1;

	if (i < 0 || spare->bytes + chunk->size > ARENA_SPARE_BYTES)
		return false;
	chunk->next = spare->chunk[i];
	spare->chunk[i] = chunk;
	spare->bytes += chunk->size;
	POISON(chunk);
	return true;
}

static struct arena_chunk *chunk_new(struct arena_spare *spare, size_t size)
{
	struct arena_chunk *chunk = spare_take(spare, size);

	if (chunk)
		return chunk;
	if (size > SIZE_MAX - sizeof(*chunk))
		mem_exhausted(size);
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		mem_exhausted(size);
	chunk->next = NULL;
	chunk->size = size;
	return chunk;
}

static void chunk_add(struct arena *arena, size_t size)
{
	size_t want = arena->current ? arena->current->size * 2 : FIRST_CHUNK;
	struct arena_chunk *chunk;

	if (want > LARGEST_CHUNK)
		want = LARGEST_CHUNK;
	chunk = chunk_new(arena->spare, size > want ? size : want);
	if (arena->current)
		arena->current->next = chunk;
	else
		arena->first = chunk;
	arena->current = chunk;
	arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *p;

	if (size > SIZE_MAX - ALIGN)
		mem_exhausted(size);
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!arena->current || size > arena->current->size - arena->used)
		chunk_add(arena, size);
	p = arena->current->data + arena->used;
	arena->used += size;
	return p;
}

void *arena_zalloc(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		mem_exhausted(SIZE_MAX);
	return memset(arena_alloc(arena, total), 0, total);
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len)
		memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	char *text;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = arena_alloc(arena, (n > 0 ? (size_t)n : 0) + 1);
	text[0] = '\0';
	if (n > 0)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

bool arena_is_large(const struct arena *arena)
{
	return arena->first && (arena->first->next || arena->first->size > FIRST_CHUNK);
}

static void chunks_free(struct arena_spare *spare, struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;

		if (!spare_give(spare, chunk))
			free(chunk);
		chunk = next;
	}
}

void arena_reset(struct arena *arena)
{
	if (!arena->first || arena->first->size > FIRST_CHUNK) {
		arena_release(arena);
		return;
	}
	chunks_free(arena->spare, arena->first->next);
	arena->first->next = NULL;
	arena->current = arena->first;
	arena->used = 0;
}

void arena_release(struct arena *arena)
{
	chunks_free(arena->spare, arena->first);
	*arena = (struct arena){.spare = arena->spare};
}

void arena_spare_release(struct arena_spare *spare)
{
	for (int i = 0; i < ARENA_SPARE_SIZES; i++) {
		while (spare->chunk[i]) {
			struct arena_chunk *chunk = spare->chunk[i];

			spare->chunk[i] = chunk->next;
			UNPOISON(chunk);
			free(chunk);
		}
	}
	spare->bytes = 0;
}
