/*
 * Names that callers choose for where a request comes from and which model it wants. Interfaces are the same in any case
 * and with spaces around them; of a model only the spaces around it are dropped, because prices match exactly.
 */
#ifndef BURSAR_DOMAIN_LIMIT_NAME_H
#define BURSAR_DOMAIN_LIMIT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"

/* In place: drops the spaces (U+0020) around the text. One that is made of spaces alone stays. Writes only if that changes it. */
void name_trim(char *text);

/* name_trim, and A-Z become a-z. */
void interface_fold(char *text);

/* Is it not empty, and made of spaces alone? */
bool name_is_blank(const char *text);

/* The key by which models are told apart in limits: A-Z become a-z. `model` has at most ID_MAX bytes. */
void model_fold(const char *model, char out[ID_MAX + 1]);

/* 48 bits, never 0 for a non-empty text; 0 for "". Stored: stable for ever. */
uint64_t selector_hash(const char *text, size_t len);

/* selector_hash of the names as limits know them, however they are written: at most ID_MAX bytes. */
uint64_t interface_hash(const char *interface);
uint64_t model_hash(const char *model);

#endif
