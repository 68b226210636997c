/* Etags and lists of them (etag.h). */
#include "base/text/etag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto/hash.h"

void etag_of(const char *json, char out[ETAG_SIZE])
{
	out[0] = '\0';
	if (strcmp(json, "null") != 0)
		snprintf(out, ETAG_SIZE, "%016" PRIx64, hash64(json, strlen(json)));
}

/* An item of a list. */
struct item {
	const char *tag;
	size_t len;
	bool any; /* * */
};

/* Reads the item at *at and moves past it; false at the end, where *at is NULL if the list breaks off in an item. */
static bool next(const char **at, struct item *out)
{
	const char *c = *at + strspn(*at, " \t,");

	if (!*c) {
		*at = c;
		return false;
	}
	if (strncmp(c, "W/", 2) == 0)
		c += 2;
	if (*c == '"') {
		*out = (struct item){.tag = c + 1, .len = strcspn(c + 1, "\"")};
		c = out->tag + out->len;
		c = *c ? c + 1 : NULL;
	} else {
		*out = (struct item){.tag = c, .len = strcspn(c, " \t,\"")};
		out->any = out->len == 1 && *c == '*';
		c = out->len ? c + out->len : NULL;
	}
	if (c)
		c += strspn(c, " \t");
	*at = c && (!*c || *c == ',') ? c : NULL;
	return *at;
}

bool etag_list_check(const char *list, const char *field, struct err *err)
{
	const char *at = list;
	struct item item;
	int count = 0;

	while (next(&at, &item))
		count++;
	return (at && count) || err_invalid(err, field, "must be * or a list of etags, such as \"0123456789abcdef\"");
}

bool etag_list_has(const char *list, const char *etag)
{
	struct item item;

	while (etag[0] && next(&list, &item))
		if (item.any || (item.len == strlen(etag) && memcmp(item.tag, etag, item.len) == 0))
			return true;
	return false;
}
