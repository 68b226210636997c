/* What is found of an installation, and what to do about it: facts in, findings out. */
#ifndef BURSAR_DOMAIN_DIAGNOSIS_H
#define BURSAR_DOMAIN_DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/time/zone_file.h"

/* Of Redis. Texts are "" where it did not say. */
struct store_facts {
	bool answered;
	char why[320]; /* not answered, or answered and yet refuses calls: "" = well */
	char version[32], eviction[32], fsync[16]; /* maxmemory-policy, appendfsync */
	bool aof, aof_written, saved; /* kept; the last writing of it, and of the last snapshot, went well */
	int64_t last_save_us; /* of a snapshot */
	int64_t memory, memory_most; /* bytes; most 0: no bound */
	int64_t clock_off_us; /* its clock minus this machine's */
	int64_t waiting, oldest_us; /* entries in outboxes (-1: it did not say), and when the oldest came (0: none) */
};

#define PRICES_OLD_US INT64_C(10368000000000) /* 120 days: look whether they still hold */

/* Of PostgreSQL. */
struct durable_facts {
	bool answered;
	char why[320];
	char version[32];
	int64_t clock_off_us;
	int schema, schema_known; /* migrations it has, and this bursard knows */
	int days_ahead; /* the ledger has partitions for today and so many days behind it, without a gap; -1: not even today's */
	int64_t rejects;
	int64_t changes, oldest_change_us; /* that Redis has not confirmed */
	int64_t unpriced; /* requests of this month without a price of their own */
	int64_t newest_price_us; /* when the youngest source of a price in force was read; 0: there is no price */
	int64_t old_prices; /* models of this month at prices whose source is older than PRICES_OLD_US */
	int64_t keys, operators_ending, idle; /* that work; operators' that end within 14 days; unused for 90 days */
	int64_t paused; /* pools */
};

/* Of the process that was asked. */
struct server_facts {
	int64_t now_us;
	bool tls, insecure; /* certificates in use; insecure_listen in use */
	int64_t certificate_ends_us; /* 0: it could not be read */
	struct zones_facts zones;
};

/* The numbers are the API's. */
enum finding { FINDING_OK = 1, FINDING_WARN = 2, FINDING_FAIL = 3 };

enum { DIAGNOSES_MAX = 24 };
struct diagnosis {
	const char *name; /* static */
	enum finding finding;
	char found[352];
	const char *advice; /* what to do, static; "" where all is well */
};
struct diagnoses {
	int count;
	struct diagnosis each[DIAGNOSES_MAX];
};

/* `out` is filled. Facts of a store that did not answer are not looked at. */
void diagnose(const struct store_facts *store, const struct durable_facts *durable, const struct server_facts *server,
	struct diagnoses *out);

#endif
