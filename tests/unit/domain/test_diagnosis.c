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
static bool is_alone(const char *name, enum finding finding)
{
	finding_of(name);
	for (int i = 0; i < found.count; i++) {
		bool other = strcmp(found.each[i].name, name) != 0;

		if (found.each[i].finding != (other ? FINDING_OK : finding) || !found.each[i].found[0] ||
			(found.each[i].advice[0] == '\0') != (found.each[i].finding == FINDING_OK)) {
			print_error("%s: finding %d of '%s', advice '%s'\n", found.each[i].name, found.each[i].finding,
				found.each[i].found, found.each[i].advice);
			return false;
		}
	}
	return true;
}

/* What follows the finding changes the facts; it is undone afterwards. */
#define FINDS(name, finding, ...) \
	do { \
		__VA_OPT__((void)(__VA_ARGS__);) \
		if (!is_alone(name, finding)) \
			fail_msg("%s is not the only finding, or not that", name); \
		assert_int_equal(begin(NULL), 0); \
	} while (0)

TEST_WITH(all_is_well, begin, NULL)
{
	FINDS("redis", FINDING_OK);
	assert_true(found.count <= DIAGNOSES_MAX);
}

TEST_WITH(what_is_wrong_with_redis_is_found, begin, NULL)
{
	FINDS("eviction", FINDING_FAIL, memcpy(store.eviction, "allkeys-lru", 12));
	FINDS("persistence", FINDING_WARN, store.aof = false);
	FINDS("persistence", FINDING_WARN, store.aof = false, store.last_save_us = NOW - 2 * DAY);
	FINDS("persistence", FINDING_FAIL, store.aof = store.saved = false);
	FINDS("persistence", FINDING_FAIL, store.aof_written = false);
	FINDS("redis clock", FINDING_WARN, store.clock_off_us = -SECOND);
	FINDS("redis clock", FINDING_FAIL, store.clock_off_us = 10 * SECOND);
	FINDS("memory", FINDING_WARN, store.memory_most = 5 << 20, store.memory = 4 << 20);
	FINDS("outbox", FINDING_WARN, store.waiting = 5, store.oldest_us = NOW - 11 * SECOND);
	FINDS("outbox", FINDING_FAIL, store.waiting = 5, store.oldest_us = NOW - 61 * SECOND);
}

TEST_WITH(a_store_that_is_away_is_one_finding, begin, NULL)
{
	FINDS("redis", FINDING_FAIL, store = (struct store_facts){.why = "redis: not connected"});
	FINDS("postgresql", FINDING_FAIL, durable = (struct durable_facts){.why = "no"});
}

TEST_WITH(what_is_wrong_with_postgresql_is_found, begin, NULL)
{
	FINDS("schema", FINDING_FAIL, durable.schema = 8);
	FINDS("ledger", FINDING_FAIL, durable.days_ahead = -1);
	FINDS("ledger", FINDING_WARN, durable.days_ahead = 1);
	FINDS("rejects", FINDING_WARN, durable.rejects = 1);
	FINDS("changes", FINDING_WARN, durable.changes = 1, durable.oldest_change_us = NOW - 30 * SECOND);
	FINDS("postgresql clock", FINDING_FAIL, durable.clock_off_us = -10 * SECOND);
}

TEST_WITH(prices_keys_pools_and_authentication_are_diagnosed, begin, NULL)
{
	FINDS("prices", FINDING_WARN, durable.unpriced = 3);
	FINDS("prices", FINDING_WARN, durable.unpriced = 3, strcpy(durable.unpriced_models, "gpt-7, gpt-8"));
	FINDS("prices", FINDING_WARN, durable.newest_price_us = NOW - 121 * DAY);
	FINDS("prices", FINDING_WARN, durable.newest_price_us = 0);
	FINDS("prices", FINDING_WARN, durable.old_prices = 1);
	FINDS("model names", FINDING_OK, server.names.unknown = "refused");
	FINDS("model names", FINDING_OK, server.names = (struct names_facts){.unknown = "free", .aliases = 7});
	FINDS("model names", FINDING_WARN, server.names.unknown = "refused", server.names.lost = 1);
	FINDS("model names", FINDING_WARN,
		server.names = (struct names_facts){.unknown = "refused", .fallback = "x/y", .fallback_lost = true});
	FINDS("keys", FINDING_WARN, durable.keys = 0);
	FINDS("keys", FINDING_WARN, durable.operators_ending = 1);
	FINDS("keys", FINDING_WARN, durable.idle = 1);
	FINDS("pools", FINDING_WARN, durable.paused = 1);
	FINDS("alerts", FINDING_WARN, durable.channels_open = 1);
	FINDS("alerts", FINDING_WARN, durable.alerts_dead = 1);
	FINDS("time zones", FINDING_OK, server.zones.version[0] = '\0');
	FINDS("time zones", FINDING_WARN, server.zones.missing = 1);
	FINDS("time zones", FINDING_WARN, server.zones.found = false);
	FINDS("time zones", FINDING_FAIL, server.zones.found = false, server.zones.missing = 1);
	FINDS("tls", FINDING_WARN, server.insecure = true);
	FINDS("tls", FINDING_WARN, server.tls = true);
	FINDS("tls", FINDING_WARN, server.tls = true, server.certificate_ends_us = NOW + 20 * DAY);
	FINDS("tls", FINDING_FAIL, server.tls = true, server.certificate_ends_us = NOW);
	FINDS("tls", FINDING_OK, server.tls = true, server.certificate_ends_us = NOW + 90 * DAY);
}
