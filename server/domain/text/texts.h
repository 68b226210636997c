/*
 * Sentences for the user of a bot, made from a stable code and arguments: what is exhausted, how long to wait, what the
 * next tier would offer. Built in for en, de, ru and es; tenants may have their own templates.
 */
#ifndef BURSAR_DOMAIN_TEXT_TEXTS_H
#define BURSAR_DOMAIN_TEXT_TEXTS_H

#include "base/buf.h"
#include "domain/limit/decision.h"
#include "domain/text/template.h"

/*
 * A tenant's own templates, sorted by text_templates_sort. `code` is a reason's name (reason_name: "quota", "budget", ...); for a
 * suspended or deleted account other than the user's, the reason with its kind ("suspended_team", "deleted_model", ...; without
 * one, the user's applies); or "reached" for all limits without a template of their own, "held" for those filled only by open
 * reservations, "ends", "too_large", "excluded", "wait", "upgrade", "unlimited", "shared" or "warning".
 *
 * Each sentence comes from the first of these that exists: the tenant's template in the requested language, whose tag is shortened
 * from its end ("zh-Hant-TW", "zh-Hant", "zh"); the built-in one in that language; the same two in the tenant's language; the
 * built-in one in English. Within one language, "quota" and the like go before "reached", and "suspended_team" before "suspended".
 * A template that cannot be filled in, because a value is unknown or the sentence becomes longer than TEXT_SENTENCE_MAX, is skipped.
 */
struct text_table {
	const struct text_template *templates;
	int count;
};
void text_templates_sort(struct text_template *templates, int count);
/* The tenant's template; NULL when there is none. `own` may be NULL. */
const struct text_template *text_own(const struct text_table *own, const char *code, const char *language);

struct text_args {
	const char *language; /* "de", "de-AT"; NULL: the tenant's */
	const char *tenant_language; /* for those whose language has no text; NULL: en */
	enum reason reason; /* REASON_NONE: a warning about `limit` */
	const struct limit *limit; /* the binding one; NULL when no limit is to blame */
	enum account_kind account_kind; /* whose limit, or who is suspended or deleted */
	struct figures figures; /* of the limit */
	int64_t shared_by; /* users who share the team's or org's account; 0 = unknown */
	int64_t retry_after_us; /* 0 = not mentioned */
	int64_t running; /* open reservations of the account */
	int64_t first_end_after_us; /* the first of them ends within this time; 0 = unknown */
	const char *better_tier; /* NULL or "" when there is none */
	const struct policy *better; /* its limits */
};

/* Appends the sentences, or nothing when there is nothing to say. `own` may be NULL. */
void text_make(const struct text_table *own, const struct text_args *args, struct buf *out);

/* The built-in languages by number; NULL behind the last one. */
const char *text_builtin_language(int index);
/* The built-in templates of a built-in language by number; false behind the last one. */
bool text_builtin(const char *language, int index, struct text_template *out);

/* "2 hours 5 minutes": the two largest units, rounded up; at least a second. */
void text_duration(const char *language, int64_t us, struct buf *out);

#endif
