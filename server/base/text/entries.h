/* Lists in one text: "a, b,c". */
#ifndef BURSAR_BASE_TEXT_ENTRIES_H
#define BURSAR_BASE_TEXT_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Takes the next entry off the list, without the spaces around it; false at the end. Entries are separated by any of the characters;
 * empty ones are skipped. An entry is in place and not terminated.
 */
static inline bool entries_next(const char **list, const char *separators, const char **entry, size_t *len)
{
	const char *at = *list;

	while (*at == ' ' || (*at && strchr(separators, *at)))
		at++;
	*entry = at;
	*len = strcspn(at, separators);
	*list = at + *len;
	while (*len && at[*len - 1] == ' ')
		--*len;
	return *len > 0;
}

#endif
