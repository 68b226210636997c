/* Memory of one request: taken piece by piece, given back all at once. */
#ifndef BURSAR_BASE_ARENA_H
#define BURSAR_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

/* Embedded by its owner, `struct arena a = {0}` is ready for use. One thread at a time. */
struct arena {
	struct arena_chunk *first;
	struct arena_chunk *current;
	size_t used;
};

/* `size` bytes aligned to 16, not initialised, valid until reset or release. Never NULL: without memory it aborts. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* Like arena_alloc(count * size), zeroed. A product that overflows aborts. */
void *arena_zalloc(struct arena *arena, size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* A terminated copy of the `len` bytes at `s`. */
char *arena_strndup(struct arena *arena, const char *s, size_t len) __attribute__((returns_nonnull));

/* A terminated copy of what the format gives. */
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3), returns_nonnull));

/* Takes back everything at once; a first chunk of the usual size is kept, so that a pooled owner needs no malloc the next time. */
void arena_reset(struct arena *arena);

/* True when there is more than that chunk: a reset would give memory back to the system. */
bool arena_is_large(const struct arena *arena);

/* Gives all memory back to the system; the arena is empty and may be used again. */
void arena_release(struct arena *arena);

/* For the places that cannot go on without memory: says so on stderr and aborts. */
void mem_exhausted(size_t size) __attribute__((noreturn));

/* calloc and realloc that never return NULL: they abort with a sentence. Freed with free(). */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *p, size_t size) __attribute__((returns_nonnull));

#endif
