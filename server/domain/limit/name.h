/*
 * Names that callers choose for a request's origin and its model. Interfaces ignore case and surrounding spaces; model
 * names only lose surrounding spaces, because prices match exactly.
 */
#ifndef BURSAR_DOMAIN_LIMIT_NAME_H
#define BURSAR_DOMAIN_LIMIT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"

/* In place: drops the spaces (U+0020) around the text. A text of only spaces stays as it is. Writes only if it changes. */
void name_trim(char *text);

/* name_trim, then A-Z become a-z. */
void interface_fold(char *text);

/* True for a non-empty text of only spaces. */
bool name_is_blank(const char *text);

/* The key that identifies a model in limits: A-Z become a-z. `model` has at most ID_MAX bytes. */
void model_fold(const char *model, char out[ID_MAX + 1]);

/* 48 bits, never 0 for a non-empty text; 0 for "". Stored: never changes. */
uint64_t selector_hash(const char *text, size_t len);

/* selector_hash of a name as limits see it, however it is written: at most ID_MAX bytes. */
uint64_t interface_hash(const char *interface);
uint64_t model_hash(const char *model);

#endif
