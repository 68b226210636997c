/* Each migration is one transaction, under a transaction-level lock so that it works through a pooler. */
#include "pg/link/migrate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/clock.h"
#include "pg/link/link.h"

#define MIGRATE_DEADLINE_US INT64_C(600000000)
#define CHECK_DEADLINE_US INT64_C(10000000)
#define LOCK_SQL "SELECT pg_advisory_xact_lock(1651864434, 0)" /* "bur2" as a number; 0: the schema */

struct applied {
	int version;
	char name[64], sha256[65];
};

struct migrator {
	struct pg_link link;
	const struct embedded_migration *table;
	size_t count;
	int applied_count;
	struct applied *applied;
};

bool migrate_parse(const char *word, enum migrate_action *out, struct err *err)
{
	static const char *const words[] = {[MIGRATE_UP] = "up", [MIGRATE_DOWN] = "down", [MIGRATE_STATUS] = "status"};

	for (int i = 0; i < 3; i++) {
		if (strcmp(word, words[i]) == 0) {
			*out = (enum migrate_action)i;
			return true;
		}
	}
	return err_set(err, ERR_INVALID, "migrate: \"%s\" is not one of up, down, status", word);
}

static void sha256_hex(const char *text, char out[65])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
	sodium_bin2hex(out, 65, hash, sizeof(hash));
}

static void migrator_release(struct migrator *m)
{
	free(m->applied);
	pg_link_tidy(&m->link);
	pg_link_close(&m->link);
}

static bool migrator_open(struct migrator *m, const char *conninfo, const struct embedded_migration *table,
	size_t count, int64_t deadline_us, struct err *err)
{
	*m = (struct migrator){.table = table, .count = count};
	if (!pg_conninfo_check(conninfo, err))
		return false;
	pg_link_init(&m->link, conninfo, -1);
	m->link.deadline_us = clock_mono_us() + deadline_us;
	return pg_link_ready(&m->link, err);
}

/* Reads which migrations the database has; none if the table does not exist. */
static bool read_applied(struct migrator *m, struct err *err)
{
	PG_RESULT result = pg_query(&m->link, "SELECT to_regclass('schema_migrations') IS NOT NULL", NULL, err);
	bool there;

	if (!result)
		return false;
	there = pg_bool(result, 0, 0);
	free(m->applied);
	m->applied = NULL;
	m->applied_count = 0;
	if (!there)
		return true;
	pg_result_clear(&result);
	result = pg_query(&m->link, "SELECT version, name, sha256 FROM schema_migrations ORDER BY version", NULL, err);
	if (!result)
		return false;
	m->applied_count = PQntuples(result);
	m->applied = mem_zalloc((size_t)m->applied_count + 1, sizeof(*m->applied));
	for (int i = 0; i < m->applied_count; i++) {
		m->applied[i].version = (int)pg_i64(result, i, 0);
		pg_copy(result, i, 1, m->applied[i].name, sizeof(m->applied[i].name));
		pg_copy(result, i, 2, m->applied[i].sha256, sizeof(m->applied[i].sha256));
	}
	return true;
}

/* The applied migrations must be the first ones of our table, with identical texts. */
static bool compare(const struct migrator *m, struct err *err)
{
	char hex[65];

	for (int i = 0; i < m->applied_count; i++) {
		const struct applied *have = &m->applied[i];
		if ((size_t)i >= m->count || m->table[i].version != have->version) {
			return err_set(err, ERR_PRECONDITION,
				"the database has migration %04d_%s, which this bursard does not know: a newer version "
				"applied it; run that version, or its `migrate down` first",
				have->version, have->name);
		}
		sha256_hex(m->table[i].up, hex);
		if (strcmp(hex, have->sha256) != 0) {
			return err_set(err, ERR_PRECONDITION,
				"migration %04d_%s was changed after it was applied: restore its text "
				"(sha256 %.16s...) and put the change into a new migration",
				have->version, have->name, have->sha256);
		}
	}
	return true;
}

static bool begin_locked(struct migrator *m, struct err *err)
{
	return pg_exec(&m->link, "BEGIN", NULL, err) && pg_exec(&m->link, LOCK_SQL, NULL, err) &&
	       pg_exec(&m->link,
		       "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL, "
		       "sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
		       NULL, err) &&
	       read_applied(m, err) && compare(m, err);
}

static bool note_applied(struct migrator *m, const struct embedded_migration *migration, struct err *err)
{
	PG_ARGS args = {0};
	char hex[65];

	sha256_hex(migration->up, hex);
	pg_arg_int(&args, migration->version);
	pg_arg_text(&args, migration->name);
	pg_arg_text(&args, hex);
	return pg_exec(
		&m->link, "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)", &args, err);
}

static bool up_one(struct migrator *m, struct buf *out, bool *done, struct err *err)
{
	const struct embedded_migration *next;

	if (!begin_locked(m, err))
		return false;
	*done = (size_t)m->applied_count == m->count;
	if (*done)
		return pg_commit(&m->link, err);
	next = &m->table[m->applied_count];
	if (!pg_script(&m->link, next->up, err))
		return err_prefix(err, "migration %04d_%s: ", next->version, next->name);
	if (!note_applied(m, next, err) || !pg_commit(&m->link, err))
		return false;
	buf_putf(out, "applied %04d_%s\n", next->version, next->name);
	return true;
}

static bool run_up(struct migrator *m, struct buf *out, struct err *err)
{
	bool done = false;

	while (!done) {
		if (!up_one(m, out, &done, err))
			return false;
	}
	buf_putf(out, "the schema is up to date: %zu migrations\n", m->count);
	return true;
}

static bool run_down(struct migrator *m, struct buf *out, struct err *err)
{
	PG_ARGS args = {0};
	const struct embedded_migration *last;
	bool ok;

	if (!begin_locked(m, err))
		return false;
	if (m->applied_count == 0) {
		buf_put_str(out, "nothing to revert\n");
		return pg_commit(&m->link, err);
	}
	last = &m->table[m->applied_count - 1];
	if (!pg_script(&m->link, last->down, err))
		return err_prefix(err, "migration %04d_%s, down: ", last->version, last->name);
	pg_arg_int(&args, last->version);
	ok = pg_exec(&m->link, "DELETE FROM schema_migrations WHERE version = $1", &args, err);
	if (!ok || !pg_commit(&m->link, err))
		return false;
	buf_putf(out, "reverted %04d_%s\n", last->version, last->name);
	return true;
}

static bool run_status(struct migrator *m, struct buf *out, struct err *err)
{
	if (!read_applied(m, err))
		return false;
	for (size_t i = 0; i < m->count; i++)
		buf_putf(out, "%-8s %04d_%s\n", i < (size_t)m->applied_count ? "applied" : "missing",
			m->table[i].version, m->table[i].name);
	return compare(m, err);
}

bool migrate_run_table(const char *conninfo, enum migrate_action action, const struct embedded_migration *table,
	size_t count, struct buf *out, struct err *err)
{
	static bool (*const run[])(struct migrator *, struct buf *, struct err *) = {
		[MIGRATE_UP] = run_up, [MIGRATE_DOWN] = run_down, [MIGRATE_STATUS] = run_status};
	struct migrator m;

	bool ok = migrator_open(&m, conninfo, table, count, MIGRATE_DEADLINE_US, err) && run[action](&m, out, err);
	migrator_release(&m);
	return ok;
}

bool migrate_check_table(const char *conninfo, const struct embedded_migration *table, size_t count, struct err *err)
{
	struct migrator m;

	bool ok = migrator_open(&m, conninfo, table, count, CHECK_DEADLINE_US, err) && read_applied(&m, err) &&
		  compare(&m, err);
	if (ok && (size_t)m.applied_count < count)
		ok = err_set(err, ERR_PRECONDITION, "the database lacks migration %04d_%s: run `bursard migrate up`",
			table[m.applied_count].version, table[m.applied_count].name);
	migrator_release(&m);
	return ok;
}

bool migrate_run(const char *conninfo, enum migrate_action action, struct buf *out, struct err *err)
{
	return migrate_run_table(conninfo, action, embedded_migrations, embedded_migrations_count, out, err);
}

bool migrate_check(const char *conninfo, struct err *err)
{
	return migrate_check_table(conninfo, embedded_migrations, embedded_migrations_count, err);
}
