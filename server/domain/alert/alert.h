/*
 * Alerts: rules, the events that they find, and the channels by which people hear of them (docs/alerts.md). Numbers are stored,
 * and those of kinds, severities and states are the API's (proto/bursar/v1/alerts.proto): only ever add.
 */
#ifndef BURSAR_DOMAIN_ALERT_ALERT_H
#define BURSAR_DOMAIN_ALERT_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/text/etag.h"
#include "domain/limit/account.h"

enum {
	ALERT_NAME_MAX = 64, /* of rules and channels */
	ALERT_THRESHOLDS_MAX = 8, /* of percents, and of amounts */
	ALERT_RULE_CHANNELS_MAX = 16,
	ALERT_RULES_MAX = 100, /* of a tenant */
	ALERT_CHANNELS_MAX = 50, /* of a tenant */
	ALERT_SECRETS_MAX = 4, /* signing secrets of a webhook */
	ALERT_HEADERS_MAX = 8, /* own headers of a webhook */
	ALERT_TEMPLATE_MAX = 2000, /* bytes of a title or a body */
	ALERT_TARGET_MAX = 2000, /* bytes: a URL, or 20 addresses */
	ALERT_DIGEST_EVENTS_MAX = 100, /* events of one message; the message says how many more there were */
};

enum alert_kind {
	ALERT_THRESHOLD = 1,
	ALERT_PROJECTED = 2,
	ALERT_ANOMALY = 3,
	ALERT_DENIAL = 4,
	ALERT_SUSPENDED = 5,
	ALERT_TIER = 6,
	ALERT_STARVING = 7,
	ALERT_LEDGER_LAG = 8,
	ALERT_DRIFT = 9,
	ALERT_PRICES_OLD = 10,
	ALERT_UNPRICED = 11,
	ALERT_KEY_ENDS = 12,
	ALERT_TEST = 13,
	ALERT_KIND_END
};
enum alert_severity { ALERT_INFO = 1, ALERT_WARNING = 2, ALERT_CRITICAL = 3 };

/* "threshold", "projected", ...; NULL or false: there is none. */
const char *alert_kind_name(enum alert_kind kind);
bool alert_kind_parse(const char *text, enum alert_kind *out);
const char *alert_severity_name(enum alert_severity severity);
/* Kinds that concern the whole installation: their events have the tenant "". LEDGER_LAG, DRIFT, PRICES_OLD. */
bool alert_kind_is_system(enum alert_kind kind);

/* Texts belong to whoever made it; they are never NULL. */
struct alert_rule {
	const char *tenant; /* "": shipped, for every tenant without a rule of that name */
	const char *name;
	enum alert_kind kind;
	enum alert_severity severity;
	bool enabled;
	unsigned account_kinds; /* bits 1 << enum account_kind; 0: all */
	const char *account, *tier, *team; /* "": all */
	const char *limit_name; /* "": all */
	int dimension, unit; /* -1: all */
	int percents, amounts;
	int percent_at[ALERT_THRESHOLDS_MAX];
	int64_t amount_at[ALERT_THRESHOLDS_MAX];
	int percent; /* ANOMALY, PROJECTED */
	int64_t minimum_nano; /* ANOMALY */
	int64_t after_us;
	bool to_all; /* channels */
	int channels;
	const char *channel[ALERT_RULE_CHANNELS_MAX];
	int64_t updated_at_us;
	char etag[ETAG_SIZE]; /* "": not read */
};
/* The name of a rule or channel: 1 to ALERT_NAME_MAX characters of a-z 0-9 . _ - */
bool alert_name_check(const char *name, const char *field, struct err *err) __attribute__((warn_unused_result));
/* Checks a rule; ERR_INVALID names the field ("percents[2]") and says what would be right. */
bool alert_rule_check(const struct alert_rule *rule, struct err *err) __attribute__((warn_unused_result));

/*
 * What happened. Besides the first lines, which members say something depends on the kind:
 *   THRESHOLD   limit_name .. threshold; percent 0: the threshold was an amount
 *   PROJECTED   the same; percent: of the limit at the end of the window
 *   ANOMALY     used: today's nano-USD, amount: the average of the days before, percent: used / amount (0: the average is 0)
 *   DENIAL      limit_name .. amount of the binding limit, if there is one; subject: the reason ("quota")
 *   SUSPENDED   lifted, subject: the admin's reason
 *   TIER        before, after
 *   STARVING    subject: the pool; age_us: how long the oldest has waited
 *   LEDGER_LAG  age_us: of the oldest entry; count: entries
 *   DRIFT       count: accounts; used: nano-USD in all
 *   PRICES_OLD  age_us: of the newest source
 *   UNPRICED    count: requests of today
 *   KEY_ENDS    subject: label or prefix of the key; age_us: the time left
 *   TEST        nothing
 */
#define ALERT_EVENT_FIELDS(TEXT, NUMBER) \
	TEXT(limit_name) \
	NUMBER(dimension, INT2) \
	NUMBER(unit, INT2) \
	NUMBER(window_start_us, INT8) \
	NUMBER(window_end_us, INT8) \
	NUMBER(used, INT8) \
	NUMBER(amount, INT8) \
	NUMBER(percent, INT4) \
	NUMBER(threshold, INT8) \
	TEXT(subject) \
	TEXT(before) \
	TEXT(after) \
	NUMBER(lifted, BOOL) \
	NUMBER(age_us, INT8) \
	NUMBER(count, INT8)

struct alert_event {
	int64_t id, seq, at_us; /* id 0: not stored yet; seq 0: not numbered yet */
	const char *tenant; /* "": the whole installation */
	const char *rule; /* "": a note that no rule has been applied to yet */
	enum alert_kind kind;
	enum alert_severity severity;
	enum account_kind account_kind; /* 0: none */
	const char *account;
#define TEXT(name) const char *name;
#define NUMBER(name, type) int64_t name;
	ALERT_EVENT_FIELDS(TEXT, NUMBER)
#undef TEXT
#undef NUMBER
};
/* An event of which nothing is known: texts "", dimension and unit -1. */
struct alert_event alert_event_of(enum alert_kind kind, const char *tenant);

enum alert_channel_kind {
	CHANNEL_WEBHOOK = 1,
	CHANNEL_EMAIL = 2,
	CHANNEL_SLACK = 3,
	CHANNEL_DISCORD = 4,
	CHANNEL_TEAMS = 5,
	CHANNEL_TELEGRAM = 6,
	CHANNEL_COMMAND = 7,
	CHANNEL_KIND_END
};
/* "webhook", "email", ... */
const char *alert_channel_kind_name(enum alert_channel_kind kind);
bool alert_channel_kind_parse(const char *text, enum alert_channel_kind *out);

/* What is never answered. Texts are "" if not set. */
struct alert_secret {
	const char *url, *token;
	int secrets;
	const char *secret[ALERT_SECRETS_MAX]; /* "whsec_..." */
	int headers;
	const char *header[ALERT_HEADERS_MAX]; /* "Name: value" */
};
struct alert_channel {
	const char *tenant, *name;
	enum alert_channel_kind kind;
	bool enabled, system, ordered;
	enum alert_severity least;
	const char *target, *language, *title, *body;
	struct alert_secret secret;
	int64_t digest_us;
	int quiet_from, quiet_to; /* minutes of the day; equal: never quiet */
	const char *quiet_zone; /* "": UTC */
	int rate_per_minute; /* 0: alert_channel_rate's */
	int failures;
	bool prompt; /* the last attempt was answered at once (domain/alert/lanes.h) */
	int64_t open_until_us; /* 0: closed circuit */
	int64_t pending, updated_at_us;
	char etag[ETAG_SIZE]; /* "": not read; says nothing of secrets and of the circuit */
};
/* Checks a channel as it will be stored; ERR_INVALID names the field of AlertChannel and says what would be right. */
bool alert_channel_check(const struct alert_channel *channel, struct err *err) __attribute__((warn_unused_result));
/* Messages a minute: the channel's own number, or what its kind bears. */
int alert_channel_rate(const struct alert_channel *channel);

enum alert_delivery_state { DELIVERY_WAITING = 1, DELIVERY_DELIVERED = 2, DELIVERY_DEAD = 3, DELIVERY_CANCELLED = 4 };

#endif
