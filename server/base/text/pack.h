/* Texts inside packed records and messages: a u16 length and the bytes. */
#ifndef BURSAR_BASE_TEXT_PACK_H
#define BURSAR_BASE_TEXT_PACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

/* Appends `text`; NULL is packed as "". */
void text_put(struct buf *out, const char *text);

/* Reads one text into the arena; never NULL. A NUL byte inside makes the cut bad: our texts never contain one. */
const char *text_cut(struct cut *cut, struct arena *arena);

/* The same into an array of `size` bytes; a longer text makes the cut bad. */
void text_cut_into(struct cut *cut, char *to, size_t size);

#endif
