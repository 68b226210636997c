/* ASCII only: what else has an upper and a lower case depends on languages, and ids are bytes. */
#include "domain/limit/name.h"

#include <stdio.h>
#include <string.h>

#include "base/crypto/hash.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool name_is_blank(const char *text)
{
	return text[0] && text[strspn(text, " ")] == '\0';
}

void name_trim(char *text)
{
	size_t before = strspn(text, " ");
	size_t len = strlen(text);

	if (before == len || (before == 0 && text[len - 1] != ' '))
		return;
	while (text[len - 1] == ' ')
		len--;
	memmove(text, text + before, len - before);
	text[len - before] = '\0';
}

void interface_fold(char *text)
{
	name_trim(text);
	for (char *p = text; *p; p++)
		if (*p != lower(*p))
			*p = lower(*p);
}

void model_fold(const char *model, char out[ID_MAX + 1])
{
	size_t i = 0;

	for (; i < ID_MAX && model[i]; i++)
		out[i] = lower(model[i]);
	out[i] = '\0';
}

uint64_t selector_hash(const char *text, size_t len)
{
	uint64_t hash;

	if (len == 0)
		return 0;
	hash = hash64(text, len) & ((UINT64_C(1) << 48) - 1);
	return hash ? hash : 1;
}

uint64_t interface_hash(const char *interface)
{
	char folded[ID_MAX + 1];

	snprintf(folded, sizeof(folded), "%s", interface);
	interface_fold(folded);
	return selector_hash(folded, strlen(folded));
}

uint64_t model_hash(const char *model)
{
	char folded[ID_MAX + 1];

	model_fold(model, folded);
	return selector_hash(folded, strlen(folded));
}
