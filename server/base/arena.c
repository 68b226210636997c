/* A bump allocator in chunks that double; large pieces get a chunk of their own size. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct arena_chunk *chunk_new(size_t size)
{
	struct arena_chunk *chunk;

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
	chunk = chunk_new(size > want ? size : want);
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

static void chunks_free(struct arena_chunk *chunk)
{
	while (chunk) {
		struct arena_chunk *next = chunk->next;

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
	chunks_free(arena->first->next);
	arena->first->next = NULL;
	arena->current = arena->first;
	arena->used = 0;
}

void arena_release(struct arena *arena)
{
	chunks_free(arena->first);
	*arena = (struct arena){0};
}
