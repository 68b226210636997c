/* The table of providers' usage objects: which member is what (formats.c). docs/usage.md shows it. */
#ifndef BURSAR_DOMAIN_USAGE_FORMATS_H
#define BURSAR_DOMAIN_USAGE_FORMATS_H

#include <stdbool.h>

#include "domain/record/entry.h"

/* How a meter's tokens lie to the whole of its side (all input tokens, all output tokens) and to the total. */
enum usage_place {
	INSIDE, /* part of the whole */
	FLOATING, /* part of the whole, or beside it, whichever adds up to the total; inside if there is no total */
	FLOATING_OUT, /* the same; beside if there is no total */
	BESIDE, /* not part of the whole, but of the total */
	MAYBE, /* not part of the whole; part of the total or not */
	APART, /* part of neither */
	PLACES
};

enum usage_rule_kind {
	RULE_END,
	RULE_WHOLE, /* all tokens of the meter's side */
	RULE_TOTAL, /* all tokens */
	RULE_ADD, /* tokens, or another unit, of the meter */
	RULE_ADD_UP, /* likewise; a fraction is rounded up */
	RULE_ADD_COUNT, /* as many as there are values at the path */
	RULE_REST, /* what is left of the meter, without what RULE_OVERLAP takes: counts where the object does not say more */
	RULE_OVERLAP, /* these are in the meter too, but already counted in another one */
	RULE_DOUBT, /* not 0: something is missing in the other numbers */
	RULE_KNOWN /* says nothing new */
};

struct usage_rule {
	enum usage_rule_kind kind;
	enum meter meter;
	enum usage_place place;
	const char *path; /* domain/usage/path.h; ^: from what contains the usage object */
};
enum { USAGE_RULES_MAX = 48 };

/* Of several usage objects, which a stream or a list of events consists of: */
enum usage_stream {
	STREAM_LAST, /* the last one counts */
	STREAM_FIELDS, /* each member's largest value counts: every object reports some of them, as totals so far */
	STREAM_SUM /* each is one request: they add up, and are priced one by one */
};

struct usage_format {
	const char *name;
	enum usage_stream stream;
	const char *rounds; /* usage objects of single requests inside the object; NULL: none */
	bool rounds_lead; /* the object itself leaves some of them out */
	bool empty_is_free; /* {}: nothing was asked of a provider */
	const char *
		free_if_zero; /* 0 there: a library's own cache answered, with the usage of the first time; NULL: it never says */
	/* The whole input; and for each mode that parts of it are named by, these. If they are all of it, the request was bought so. */
	const char *tiered;
	struct {
		const char *mode, *parts[3];
	} tier[2];
	enum meter plain_output; /* output of which nothing more is said */
	const char *
		cost; /* what the provider charges; NULL: it does not say. What a library computes itself is not that */
	int cost_scale; /* decimal places of a nano-USD in its unit */
	const char *more_cost; /* to be added: what the caller's own key is charged */
	struct usage_rule rule[USAGE_RULES_MAX]; /* until RULE_END */
};

/*
 * The format of a provider's name. False for an unknown one; *out is NULL for names whose objects have to be recognized ("", "auto"
 * and those that pass on what they got).
 */
bool usage_format_find(const char *provider, const struct usage_format **out);
/* How to recognize formats, in this order: the paths, of which one must be there. Returns false after the last. */
bool usage_format_sign(int i, const struct usage_format **out, const char **paths);
/* The names of the formats, separated by ", ". */
const char *usage_format_names(void);

/* Where the usage object is in what contains it, in order. */
extern const char *const usage_wrappers[];
/* Paths of facts about the request. */
#define USAGE_MODEL "model|model_version|model_id|response_metadata.model_name|response.model|message.model"

/* Words of providers for modes: "" is standard. NULL: not a mode's name. */
const char *usage_mode(const char *word, size_t len);

#endif
