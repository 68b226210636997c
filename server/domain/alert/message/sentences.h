/* The titles and sentences of events in the built-in languages. Only for server/domain/alert. */
#ifndef BURSAR_DOMAIN_ALERT_SENTENCES_H
#define BURSAR_DOMAIN_ALERT_SENTENCES_H

#include "domain/alert/alert.h"

/* What is said of an event: mostly one form for each kind. */
enum alert_form {
	FORM_PERCENT, /* THRESHOLD of a percentage, and of an amount */
	FORM_AMOUNT,
	FORM_PROJECTED,
	FORM_ANOMALY,
	FORM_DENIAL_LIMIT, /* DENIAL by a limit, and for another reason */
	FORM_DENIAL,
	FORM_SUSPENDED,
	FORM_LIFTED,
	FORM_TIER,
	FORM_STARVING,
	FORM_LEDGER_LAG,
	FORM_DRIFT,
	FORM_PRICES_OLD,
	FORM_UNPRICED,
	FORM_KEY_ENDS, /* KEY_ENDS before the end, and after it */
	FORM_KEY_ENDED,
	FORM_TEST,
	FORM_COUNT
};
enum alert_form alert_form_of(const struct alert_event *event);

struct alert_words {
	const char *language;
	struct {
		const char *title, *sentence; /* templates: domain/alert/message/template.h */
	} form[FORM_COUNT];
	const char *who[ACCOUNT_TENANT + 1]; /* before an id */
	const char *severity[ALERT_CRITICAL + 1];
	const char *reason; /* behind a sentence, where a reason was given */
	const char *default_tier;
	const char *several; /* title of several events */
	const char *more; /* how many were left out */
};
/* Those of a language; English for one that is not built in. */
const struct alert_words *alert_words_find(const char *language);

#endif
