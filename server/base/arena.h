/* Memory for one request: allocated piece by piece, freed all at once. */
#ifndef BURSAR_BASE_ARENA_H
#define BURSAR_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

/*
 * Chunks that arenas gave back, kept for the next ones: at most ARENA_SPARE_BYTES. Shared by the arenas of one thread;
 * `struct arena_spare s = {0}` is ready to use.
 */
enum { ARENA_SPARE_SIZES = 7, ARENA_SPARE_BYTES = 4 << 20 };
struct arena_spare {
	struct arena_chunk *chunk[ARENA_SPARE_SIZES];
	size_t bytes;
};
void arena_spare_release(struct arena_spare *spare);

/* Embed it in its owner; `struct arena a = {0}` is ready to use. Not thread-safe. */
struct arena {
	struct arena_chunk *first;
	struct arena_chunk *current;
	size_t used;
	struct arena_spare *spare; /* set by the owner; NULL: chunks come from the system */
};

/* `size` bytes aligned to 16, uninitialised, valid until reset or release. Never NULL: aborts when memory runs out. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, alloc_size(2), returns_nonnull));

/* Like arena_alloc(count * size), zeroed. Aborts when the product overflows. */
void *arena_zalloc(struct arena *arena, size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* A terminated copy of the `len` bytes at `s`. */
char *arena_strndup(struct arena *arena, const char *s, size_t len) __attribute__((returns_nonnull));

/* A terminated string, formatted as by printf. */
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3), returns_nonnull));

/* Frees everything at once (to `spare` if there is one), except a first chunk of the usual size that saves a pooled owner its next malloc. */
void arena_reset(struct arena *arena);

/* True when the arena holds more than that chunk, so that a reset would return memory to the system. */
bool arena_is_large(const struct arena *arena);

/* Returns all memory; the arena is empty and may be used again. */
void arena_release(struct arena *arena);

/* For code that cannot continue without memory: prints a message to stderr and aborts. */
void mem_exhausted(size_t size) __attribute__((noreturn));

/* calloc and realloc that never return NULL: they print a message and abort. Free the result with free(). */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_realloc(void *p, size_t size) __attribute__((returns_nonnull));

#endif
