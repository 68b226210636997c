/* The diagnosis of an installation: each thing that can be wrong is found, and nothing else. */
#include <string.h>

#include "domain/diagnosis.h"
#include "lib/test.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define NOW (20000 * DAY)

static struct store_facts store;
static struct durable_facts durable;
static struct server_facts server;
static struct diagnoses found;

static int begin(void **state)
{
	(void)state;
	store = (struct store_facts){.answered = true,
		.version = "7.0.15",
		.eviction = "noeviction",
		.fsync = "everysec",
		.aof = true,
		.aof_written = true,
		.saved = true,
		.last_save_us = NOW,
		.memory = 1 << 20};
	durable = (struct durable_facts){.answered = true,
		.version = "15.18",
		.schema = 9,
		.schema_known = 9,
		.days_ahead = 3,
		.newest_price_us = NOW - DAY,
		.keys = 2};
	server = (struct server_facts){.now_us = NOW, .zones = {.found = true, .folder = "/zones", .version = "2026a"}};
	return 0;
}

static enum finding finding_of(const char *name)
{
	diagnose(&store, &durable, &server, &found);
	for (int i = 0; i < found.count; i++)
		if (strcmp(found.each[i].name, name) == 0)
			return found.each[i].finding;
	fail_msg("%s was not looked at", name);
	return 0;
}

/* The finding is there, with advice, and everything else is fine. */
static void alone(const char *name, enum finding finding)
{
	assert_int_equal(finding_of(name), finding);
	for (int i = 0; i < found.count; i++) {
		bool other = strcmp(found.each[i].name, name) != 0;

		assert_int_equal(found.each[i].finding, other ? FINDING_OK : finding);
		assert_true((found.each[i].advice[0] == '\0') == (found.each[i].finding == FINDING_OK));
		assert_true(found.each[i].found[0]);
	}
	assert_int_equal(begin(NULL), 0);
}

TEST_WITH(all_is_well, begin, NULL)
{
	alone("redis", FINDING_OK);
	assert_true(found.count <= DIAGNOSES_MAX);
}

TEST_WITH(what_is_wrong_with_redis_is_found, begin, NULL)
{
	memcpy(store.eviction, "allkeys-lru", 12);
	alone("eviction", FINDING_FAIL);
	store.aof = false;
	alone("persistence", FINDING_WARN);
	store.aof = false;
	store.last_save_us = NOW - 2 * DAY;
	alone("persistence", FINDING_WARN);
	store.aof = store.saved = false;
	alone("persistence", FINDING_FAIL);
	store.aof_written = false;
	alone("persistence", FINDING_FAIL);
	store.clock_off_us = -SECOND;
	alone("redis clock", FINDING_WARN);
	store.clock_off_us = 10 * SECOND;
	alone("redis clock", FINDING_FAIL);
	store.memory_most = 5 << 20;
	store.memory = 4 << 20;
	alone("memory", FINDING_WARN);
	store.waiting = 5;
	store.oldest_us = NOW - 11 * SECOND;
	alone("outbox", FINDING_WARN);
	store.waiting = 5;
	store.oldest_us = NOW - 61 * SECOND;
	alone("outbox", FINDING_FAIL);
}

TEST_WITH(a_store_that_is_away_is_one_finding, begin, NULL)
{
	store = (struct store_facts){.why = "redis: not connected"};
	alone("redis", FINDING_FAIL);
	durable = (struct durable_facts){.why = "no"};
	alone("postgresql", FINDING_FAIL);
}

TEST_WITH(what_is_wrong_with_postgresql_is_found, begin, NULL)
{
	durable.schema = 8;
	alone("schema", FINDING_FAIL);
	durable.days_ahead = -1;
	alone("ledger", FINDING_FAIL);
	durable.days_ahead = 1;
	alone("ledger", FINDING_WARN);
	durable.rejects = 1;
	alone("rejects", FINDING_WARN);
	durable.changes = 1;
	durable.oldest_change_us = NOW - 30 * SECOND;
	alone("changes", FINDING_WARN);
	durable.clock_off_us = -10 * SECOND;
	alone("postgresql clock", FINDING_FAIL);
}

TEST_WITH(prices_keys_pools_and_authentication_are_diagnosed, begin, NULL)
{
	durable.unpriced = 3;
	alone("prices", FINDING_WARN);
	durable.newest_price_us = NOW - 121 * DAY;
	alone("prices", FINDING_WARN);
	durable.newest_price_us = 0;
	alone("prices", FINDING_WARN);
	durable.old_prices = 1;
	alone("prices", FINDING_WARN);
	durable.keys = 0;
	alone("keys", FINDING_WARN);
	durable.operators_ending = 1;
	alone("keys", FINDING_WARN);
	durable.idle = 1;
	alone("keys", FINDING_WARN);
	durable.paused = 1;
	alone("pools", FINDING_WARN);
	server.zones.version[0] = '\0';
	alone("time zones", FINDING_OK);
	server.zones.missing = 1;
	alone("time zones", FINDING_WARN);
	server.zones.found = false;
	alone("time zones", FINDING_WARN);
	server.zones.found = false;
	server.zones.missing = 1;
	alone("time zones", FINDING_FAIL);
	server.insecure = true;
	alone("tls", FINDING_WARN);
	server.tls = true;
	alone("tls", FINDING_WARN);
	server.tls = true;
	server.certificate_ends_us = NOW + 20 * DAY;
	alone("tls", FINDING_WARN);
	server.tls = true;
	server.certificate_ends_us = NOW;
	alone("tls", FINDING_FAIL);
	server.tls = true;
	server.certificate_ends_us = NOW + 90 * DAY;
	alone("tls", FINDING_OK);
}
