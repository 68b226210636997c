/* The rules, one function per subject. */
#include "domain/diagnosis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "domain/time/date.h"

#define CLOCK_WARN_US SECOND_US
#define CLOCK_FAIL_US (10 * SECOND_US)
#define OUTBOX_WARN_US (10 * SECOND_US)
#define OUTBOX_FAIL_US (60 * SECOND_US)
#define CHANGES_WARN_US (30 * SECOND_US)
#define CERTIFICATE_WARN_US (21 * DAY_US)
enum { DAYS_AHEAD = 2, MEMORY_WARN_PERCENT = 80 };

__attribute__((format(printf, 5, 6))) static void find(
	struct diagnoses *out, const char *name, enum finding finding, const char *advice, const char *format, ...)
{
	struct diagnosis *each = &out->each[out->count++];
	va_list args;

	each->name = name;
	each->finding = finding;
	each->advice = finding == FINDING_OK ? "" : advice;
	va_start(args, format);
	vsnprintf(each->found, sizeof(each->found), format, args);
	va_end(args);
}

static const char *day_text(int64_t us, char out[DATE_TEXT])
{
	return date_format(floor_div(us, DAY_US), out);
}

static void clock_look(struct diagnoses *out, const char *name, int64_t off_us)
{
	int64_t off = off_us < 0 ? -off_us : off_us;

	find(out, name,
		off >= CLOCK_FAIL_US   ? FINDING_FAIL
		: off >= CLOCK_WARN_US ? FINDING_WARN
				       : FINDING_OK,
		"synchronise the machines' clocks (chrony, systemd-timesyncd): windows begin by the clock of Redis",
		"%" PRId64 ".%03" PRId64 " s %s this bursard's clock", off / SECOND_US, off % SECOND_US / 1000,
		off_us < 0 ? "behind" : "ahead of");
}

static void persistence_look(struct diagnoses *out, const struct store_facts *store, int64_t now_us)
{
	char day[DATE_TEXT];

	if (store->aof && !store->aof_written)
		find(out, "persistence", FINDING_FAIL,
			"check the log of Redis: its disk may be full; acknowledged records are in memory only",
			"the append-only file could not be written");
	else if (store->aof)
		find(out, "persistence", FINDING_OK, "", "append-only file, appendfsync %s",
			store->fsync[0] ? store->fsync : "unknown");
	else if (!store->saved)
		find(out, "persistence", FINDING_FAIL,
			"check the log of Redis, and set appendonly yes: a crash loses what is not in the ledger yet",
			"no append-only file, and the last snapshot failed");
	else if (store->last_save_us < now_us - DAY_US)
		find(out, "persistence", FINDING_WARN,
			"set appendonly yes: if Redis crashes, records waiting for the ledger are lost",
			"no append-only file; the last snapshot is from %s", day_text(store->last_save_us, day));
	else
		find(out, "persistence", FINDING_WARN,
			"set appendonly yes: if Redis crashes, records waiting for the ledger are lost",
			"no append-only file, snapshots only");
}

static void memory_look(struct diagnoses *out, const struct store_facts *store)
{
	int64_t mib = store->memory >> 20, most = store->memory_most >> 20;

	if (store->memory_most == 0)
		find(out, "memory", FINDING_OK, "", "%" PRId64 " MiB, no limit", mib);
	else
		find(out, "memory",
			store->memory >= store->memory_most				  ? FINDING_FAIL
			: store->memory / MEMORY_WARN_PERCENT >= store->memory_most / 100 ? FINDING_WARN
											  : FINDING_OK,
			"raise maxmemory: a full Redis refuses every check", "%" PRId64 " of %" PRId64 " MiB", mib,
			most);
}

static void outbox_look(struct diagnoses *out, const struct store_facts *store, int64_t now_us)
{
	int64_t age_us = store->waiting && store->oldest_us ? now_us - store->oldest_us : 0;

	if (store->waiting < 0) {
		find(out, "outbox", FINDING_WARN, "fix Redis first", "Redis did not report its outbox entries");
		return;
	}
	find(out, "outbox",
		age_us >= OUTBOX_FAIL_US   ? FINDING_FAIL
		: age_us >= OUTBOX_WARN_US ? FINDING_WARN
					   : FINDING_OK,
		"check that a bursard with the role ledger runs and reaches PostgreSQL; its log says what it waits "
		"for",
		"%" PRId64 " entries waiting for the ledger, the oldest for %" PRId64 " s", store->waiting,
		age_us > 0 ? age_us / SECOND_US : 0);
}

static void store_look(struct diagnoses *out, const struct store_facts *store, int64_t now_us)
{
	if (!store->answered) {
		find(out, "redis", FINDING_FAIL,
			"start Redis, or fix the option redis; meanwhile each tier's fail_policy decides", "%s",
			store->why);
		return;
	}
	if (store->why[0])
		find(out, "redis", FINDING_FAIL,
			"do as it says (docs/operations.md has all cases); meanwhile each tier's fail_policy decides",
			"%s", store->why);
	else
		find(out, "redis", FINDING_OK, "", "answers, version %s",
			store->version[0] ? store->version : "unknown");
	clock_look(out, "redis clock", store->clock_off_us);
	find(out, "eviction",
		strcmp(store->eviction, "noeviction") == 0 || !store->eviction[0] ? FINDING_OK : FINDING_FAIL,
		"set maxmemory-policy noeviction: all others silently drop limits and records", "maxmemory-policy %s",
		store->eviction[0] ? store->eviction : "unknown");
	persistence_look(out, store, now_us);
	memory_look(out, store);
	outbox_look(out, store, now_us);
}

static void ledger_look(struct diagnoses *out, const struct durable_facts *durable)
{
	if (durable->days_ahead < 0)
		find(out, "ledger", FINDING_FAIL, "run a bursard with the role ledger: it creates the partitions",
			"no partition for today");
	else
		find(out, "ledger", durable->days_ahead < DAYS_AHEAD ? FINDING_WARN : FINDING_OK,
			"run a bursard with the role ledger: it creates the partitions",
			"partitions for today and %d more days", durable->days_ahead);
	find(out, "rejects", durable->rejects ? FINDING_WARN : FINDING_OK,
		"check the table ledger_rejects: it has the reason and the bytes of each",
		"%" PRId64 " entries refused by the ledger", durable->rejects);
}

static void changes_look(struct diagnoses *out, const struct durable_facts *durable, int64_t now_us)
{
	int64_t age_us = durable->changes ? now_us - durable->oldest_change_us : 0;

	find(out, "changes", age_us >= CHANGES_WARN_US ? FINDING_WARN : FINDING_OK,
		"run a bursard with the role ledger: it sends them to Redis",
		"%" PRId64 " account changes waiting for Redis", durable->changes);
}

static void prices_look(struct diagnoses *out, const struct durable_facts *durable, int64_t now_us)
{
	static const char compare[] =
		"compare them with the providers' lists: 'bursar price import' shows what would change, and "
		"'bursar price put PROVIDER MODEL --source TEXT' confirms a price that still holds";
	char day[DATE_TEXT];

	if (durable->unpriced)
		find(out, "prices", FINDING_WARN,
			"'bursar report month --by model' marks them; set a price for each ('bursar price put' or "
			"'import'), or name the model whose price it has ('bursar model alias put'); then 'bursar ledger rerate' corrects "
			"what they cost",
			"%" PRId64 " requests this month were not charged at a price of their own%s%s",
			durable->unpriced, durable->unpriced_models[0] ? ": " : "", durable->unpriced_models);
	else if (durable->old_prices)
		find(out, "prices", FINDING_WARN, compare,
			"%" PRId64 " models used this month have prices whose source is older than 120 days",
			durable->old_prices);
	else if (!durable->newest_price_us)
		find(out, "prices", FINDING_WARN, "import a list with 'bursar price import'", "none");
	else
		find(out, "prices", durable->newest_price_us < now_us - PRICES_OLD_US ? FINDING_WARN : FINDING_OK,
			compare, "the newest source is from %s", day_text(durable->newest_price_us, day));
}

static void keys_look(struct diagnoses *out, const struct durable_facts *durable)
{
	if (!durable->keys)
		find(out, "keys", FINDING_WARN,
			"'bursar key create operator' makes the first; then every call needs one",
			"none: everyone who can reach the port is an operator");
	else if (durable->operators_ending)
		find(out, "keys", FINDING_WARN, "run 'bursar key rotate' before the last operator is locked out",
			"%" PRId64 " operator keys expire within 14 days", durable->operators_ending);
	else if (durable->idle)
		find(out, "keys", FINDING_WARN, "'bursar key list' shows when each was last used; revoke unused ones",
			"%" PRId64 " of %" PRId64 " unused for 90 days", durable->idle, durable->keys);
	else
		find(out, "keys", FINDING_OK, "", "%" PRId64 " valid", durable->keys);
}

static void alerts_look(struct diagnoses *out, const struct durable_facts *durable)
{
	if (durable->channels_open)
		find(out, "alerts", FINDING_WARN,
			"'bursar alert channel list' shows which, 'bursar alert channel test' tries one",
			"%" PRId64 " of %" PRId64 " channels are paused, because their destination fails",
			durable->channels_open, durable->channels);
	else if (durable->alerts_dead)
		find(out, "alerts", FINDING_WARN,
			"'bursar alert delivery list --state dead' shows why, 'bursar alert delivery resend' sends one again",
			"%" PRId64 " messages of the last 7 days were given up", durable->alerts_dead);
	else
		find(out, "alerts", FINDING_OK, "", "%" PRId64 " channels", durable->channels);
}

static void durable_look(struct diagnoses *out, const struct durable_facts *durable, int64_t now_us)
{
	if (!durable->answered) {
		find(out, "postgresql", FINDING_FAIL,
			"start PostgreSQL, or fix the option postgres; checks and records continue meanwhile", "%s",
			durable->why);
		return;
	}
	find(out, "postgresql", FINDING_OK, "", "answers, version %s", durable->version);
	clock_look(out, "postgresql clock", durable->clock_off_us);
	find(out, "schema", durable->schema == durable->schema_known ? FINDING_OK : FINDING_FAIL,
		"run 'bursard migrate up' with the newest bursard, after a backup",
		"%d of the %d migrations that this bursard knows", durable->schema, durable->schema_known);
	if (durable->schema != durable->schema_known)
		return; /* its tables may differ */
	ledger_look(out, durable);
	changes_look(out, durable, now_us);
	prices_look(out, durable, now_us);
	keys_look(out, durable);
	find(out, "pools", durable->paused ? FINDING_WARN : FINDING_OK,
		"'bursar pool resume' lets them grant slots again", "%" PRId64 " paused", durable->paused);
	alerts_look(out, durable);
}

static void zones_find(struct diagnoses *out, const struct zones_facts *zones)
{
	const char *version = zones->version[0] ? zones->version : "unknown";

	if (!zones->found)
		find(out, "time zones", zones->missing ? FINDING_FAIL : FINDING_WARN,
			"install tzdata: it is read within seconds; until then, accounts in a time zone use UTC, and "
			"no zone can be set",
			"no data in %s", zones->folder);
	else if (zones->missing)
		find(out, "time zones", FINDING_WARN,
			"install the package that has them (Debian 13: tzdata-legacy), or set another zone; until then "
			"these accounts use UTC",
			"version %s in %s lacks %d of the accounts' zones, such as %s", version, zones->folder,
			zones->missing, zones->first_missing);
	else
		find(out, "time zones", FINDING_OK, "", "version %s in %s", version, zones->folder);
}

static void auth_look(struct diagnoses *out, const struct server_facts *server)
{
	int64_t left_us = server->certificate_ends_us - server->now_us;
	char day[DATE_TEXT];

	if (!server->tls)
		find(out, "tls", server->insecure ? FINDING_WARN : FINDING_OK,
			"keep that network closed, or set tls_cert and tls_key: keys are sent unencrypted",
			server->insecure ? "off, and insecure_listen is in use" : "off, on a loopback address");
	else if (!server->certificate_ends_us)
		find(out, "tls", FINDING_WARN, "check the file that tls_cert names", "the certificate cannot be read");
	else
		find(out, "tls",
			left_us <= 0			? FINDING_FAIL
			: left_us < CERTIFICATE_WARN_US ? FINDING_WARN
							: FINDING_OK,
			"put a new certificate into the same files: new connections use it at once",
			"the certificate expires on %s", day_text(server->certificate_ends_us, day));
}

static void names_look(struct diagnoses *out, const struct names_facts *names)
{
	if (names->fallback_lost)
		find(out, "model names", FINDING_WARN,
			"'bursar tenant put TENANT --fallback-model MODEL' names another one; 'bursar price put' sets a price",
			"the fallback model, %s, has no price: models without one are %s", names->fallback,
			names->unknown);
	else if (names->lost)
		find(out, "model names", FINDING_WARN,
			"'bursar model alias list' and 'bursar model family list' mark them: put or delete each",
			"%d of %d aliases and %d families lead to models without a price", names->lost, names->aliases,
			names->families);
	else if (names->unknown)
		find(out, "model names", FINDING_OK, "", "%d aliases, %d families; models without a price are %s%s%s%s",
			names->aliases, names->families, names->unknown, names->fallback ? " (fallback: " : "",
			names->fallback ? names->fallback : "", names->fallback ? ")" : "");
}

void diagnose(const struct store_facts *store, const struct durable_facts *durable, const struct server_facts *server,
	struct diagnoses *out)
{
	out->count = 0;
	store_look(out, store, server->now_us);
	durable_look(out, durable, server->now_us);
	names_look(out, &server->names);
	zones_find(out, &server->zones);
	auth_look(out, server);
}
