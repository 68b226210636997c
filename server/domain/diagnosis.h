/* Diagnosis of an installation: takes facts, returns findings and advice. */
#ifndef BURSAR_DOMAIN_DIAGNOSIS_H
#define BURSAR_DOMAIN_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/time/zone_file.h"

/* About Redis. Texts are "" where Redis did not report them. */
struct store_facts {
	bool answered;
	char why[320]; /* why it does not answer, or refuses calls although it answers; "" = healthy */
	char version[32], eviction[32], fsync[16]; /* maxmemory-policy, appendfsync */
	bool aof, aof_written, saved; /* append-only file in use; its last write, and the last snapshot, succeeded */
	int64_t last_save_us; /* of a snapshot */
	int64_t memory, memory_most; /* bytes; most 0: no limit */
	int64_t clock_off_us; /* its clock minus this machine's */
	int64_t waiting, oldest_us; /* entries in outboxes (-1: not reported), and when the oldest arrived (0: none) */
};

#define PRICES_OLD_US INT64_C(10368000000000) /* 120 days: older sources should be checked again */

/* About PostgreSQL. */
struct durable_facts {
	bool answered;
	char why[320];
	char version[32];
	int64_t clock_off_us;
	int schema, schema_known; /* migrations that it has, and that this bursard knows */
	int days_ahead; /* the ledger has partitions for today and this many more days in a row; -1: none for today */
	int64_t rejects;
	int64_t changes, oldest_change_us; /* not confirmed by Redis yet */
	int64_t unpriced; /* requests of this month without a price of their own */
	char unpriced_models[200]; /* the most frequent of their models, in ASCII, with commas; may be cut off */
	int64_t newest_price_us; /* when the most recent source of a price in force was read; 0: there is no price */
	int64_t old_prices; /* models of this month at prices whose source is older than PRICES_OLD_US */
	int64_t keys, operators_ending, idle; /* valid; operators' expiring within 14 days; unused for 90 days */
	int64_t paused; /* pools */
	int64_t channels, channels_open; /* of alerts; those that get no attempts because their destination fails */
	int64_t alerts_dead; /* messages of the last 7 days that were given up */
};

/* About the names of models that the tenant sees. */
struct names_facts {
	int aliases, families;
	int lost; /* of both: those that lead to models without a price */
	const char *
		unknown; /* what happens to models without a price: "refused", "free", "charged like their family", ...; NULL: not known */
	const char *fallback; /* the fallback model whose price they are charged; NULL: none */
	bool fallback_lost; /* it has no price itself */
};

/* About the process that answers. */
struct server_facts {
	int64_t now_us;
	bool tls, insecure; /* certificates in use; insecure_listen in use */
	int64_t certificate_ends_us; /* 0: not readable */
	struct zones_facts zones;
	struct names_facts names;
};

/* The API uses these numbers. */
enum finding { FINDING_OK = 1, FINDING_WARN = 2, FINDING_FAIL = 3 };

enum { DIAGNOSES_MAX = 24 };
struct diagnosis {
	const char *name; /* static */
	enum finding finding;
	char found[352];
	const char *advice; /* what to do, static; "" when nothing is wrong */
};
struct diagnoses {
	int count;
	struct diagnosis each[DIAGNOSES_MAX];
};

/* Fills `out`. Ignores the other facts of a store that did not answer. */
void diagnose(const struct store_facts *store, const struct durable_facts *durable, const struct server_facts *server,
	struct diagnoses *out);

#endif
