/*
 * The header Cookie, which holds a session of the dashboard among whatever else the browser has for the host. Each line
 * is a header. The session is compared with one that is cut out pair by pair, and one that is set comes back.
 */
#include <string.h>

#include "api/door/private.h"
#include "fuzz/fuzz.h"

#define NAME "bursar_session="

static char text[4097];

/* The value of the first pair of that name that has one, in place; NULL when there is none. */
static const char *search(char *cookies)
{
#ifdef PLANTED_BUG
	/* The mistake: the name is found at the end of another one. */
	char *found = strstr(cookies, NAME);

	if (found)
		cookies = found;
#endif
	for (char *pair; (pair = strsep(&cookies, ";")) != NULL;) {
		while (*pair == ' ')
			pair++;
		pair[strcspn(pair, " ")] = '\0';
		if (strncmp(pair, NAME, strlen(NAME)) == 0 && pair[strlen(NAME)])
			return pair + strlen(NAME);
	}
	return NULL;
}

static const char *session_in(struct arena *arena, const char *cookies)
{
	struct http_header header = {.name = "cookie", .value = cookies};
	struct http_exchange exchange = {.arena = arena, .headers = &header};

	return door_cookie(&exchange);
}

/* What the browser sends back of Set-Cookie: the pair before the attributes. */
static void comes_back(struct arena *arena, const char *session)
{
	struct http_exchange exchange = {.arena = arena};
	const char *set, *again;

	door_cookie_set(&exchange, session, INT64_MAX);
	set = exchange.answer_headers->value;
	HOLDS(strcmp(exchange.answer_headers->name, "Set-Cookie") == 0 && strstr(set, "; HttpOnly; SameSite=Strict"));
	again = session_in(arena, arena_strndup(arena, set, strcspn(set, ";")));
	HOLDS(again && strcmp(again, session) == 0);
}

static void one_header(const char *cookies)
{
	struct arena arena = {0};
	const char *found = session_in(&arena, cookies);
	char copy[sizeof(text)];
	const char *expected;

	snprintf(copy, sizeof(copy), "%s", cookies);
	expected = search(copy);
	HOLDS(!found == !expected && (!found || strcmp(found, expected) == 0));
	if (found)
		comes_back(&arena, found);
	arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
		one_header(line);
	return 0;
}
