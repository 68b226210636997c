/* The parts of sentences in one language. Only for texts.c and words.c. */
#ifndef BURSAR_DOMAIN_TEXT_TEXTS_LANGUAGE_H
#define BURSAR_DOMAIN_TEXT_TEXTS_LANGUAGE_H

#include "domain/text/texts.h"

enum noun {
	NOUN_REQUEST,
	NOUN_TOKEN,
	NOUN_INPUT,
	NOUN_OUTPUT,
	NOUN_SECOND,
	NOUN_MINUTE,
	NOUN_HOUR,
	NOUN_DAY,
	NOUN_OTHER, /* one of the others who share a limit */
	NOUN_RUNNING, /* with its verb: "request is still running" */
	NOUN_HOLDING, /* the same, "and holds part of" the limit */
	/* what is counted by the piece, in the order of the dimensions */
	NOUN_CACHE_STORAGE,
	NOUN_CHARACTERS,
	NOUN_AUDIO_SECONDS,
	NOUN_VIDEO_SECONDS,
	NOUN_INPUT_IMAGES,
	NOUN_OUTPUT_IMAGES,
	NOUN_PAGES,
	NOUN_CALLS,
	NOUN_WEB_SEARCHES,
	NOUN_FILE_SEARCHES,
	NOUN_CODE_EXECUTIONS,
	NOUN_MAP_SEARCHES,
	NOUN_GROUNDED_PROMPTS,
	NOUN_SEARCH_UNITS,
	NOUN_COUNT
};

struct language {
	const char *code;
	const char *group; /* between thousands */
	bool slavic; /* three forms: 1 запрос, 2 запроса, 5 запросов */
	const char *noun[NOUN_COUNT][3];
	const char *who[ACCOUNT_TENANT + 1]; /* has reached */
	const char *whose[ACCOUNT_TENANT + 1]; /* limit */
	const char *per_window[WINDOW_COUNT];
	const char *per_second, *per_minute, *per_hour;
	const char *per_span; /* "per %s": before a duration */
	const char *at_once;
	const char *where[2]; /* in a team, in an org: follows the others who share a limit */
	const struct text_template *templates; /* a row without a code ends them */
};

/* The best match for a tag such as "de-AT"; English when there is none. */
const struct language *language_find(const char *tag);
/* The same; NULL when there is none. */
const struct language *language_known(const char *tag);
/* Numbers and durations in symbols, for templates in a language that is not built in. It has no other words. */
extern const struct language language_symbols;

#endif
