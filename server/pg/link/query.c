/* Statements on a connection (pg/link/link.h), one at a time or many in one round trip. */
#include "pg/link/link.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/metrics.h"

/* Maps a SQLSTATE to ERR_*; the error's text is PostgreSQL's own. */
static enum err_code code_of(const char *sqlstate)
{
	static const struct {
		const char *prefix;
		enum err_code code;
	} codes[] = {
		{"57014", ERR_DEADLINE},
		{"57", ERR_UNAVAILABLE},
		{"08", ERR_UNAVAILABLE},
		{"53", ERR_UNAVAILABLE},
		{"58", ERR_UNAVAILABLE},
		{"40", ERR_UNAVAILABLE},
		{"25006", ERR_UNAVAILABLE},
		{"55", ERR_UNAVAILABLE},
		{"23505", ERR_EXISTS},
		{"23503", ERR_NOT_FOUND},
		{"22", ERR_INVALID},
		{"23", ERR_INVALID},
		{"42P01", ERR_PRECONDITION},
		{"42703", ERR_PRECONDITION},
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (strncmp(sqlstate, codes[i].prefix, strlen(codes[i].prefix)) == 0)
			return codes[i].code;
	}
	return ERR_INTERNAL;
}

static bool fail_refused(struct pg_link *link, const PGresult *result, struct err *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	snprintf(link->sqlstate, sizeof(link->sqlstate), "%.5s", state ? state : "");
	metric_inc(METRIC_pg_errors_total, 0, 0);
	if (!state) {
		pg_link_lost(link, err);
		return false;
	}
	pg_link_hears(link, state);
	return err_set(err, code_of(state), "PostgreSQL: %s", text ? text : PQresultErrorMessage(result));
}

void pg_result_clear(PGresult **result)
{
	PQclear(*result);
	*result = NULL;
}

void pg_results_clear(PGresult **results, int count)
{
	for (int i = 0; i < count; i++)
		pg_result_clear(&results[i]);
}

/* Waits until PQgetResult would not block, flushing unsent data meanwhile. */
static bool wait_result(struct pg_link *link, struct err *err)
{
	for (;;) {
		int unsent = PQflush(link->conn);

		if (unsent < 0)
			return pg_link_lost(link, err);
		if (unsent == 0 && !PQisBusy(link->conn))
			return true;
		if (!pg_link_wait(link, (short)(POLLIN | (unsent ? POLLOUT : 0)), link->deadline_us, err))
			return false;
		if (!PQconsumeInput(link->conn))
			return pg_link_lost(link, err);
	}
}

/* The statement's next answer; *result is NULL when libpq has no more. */
static bool next_result(struct pg_link *link, PGresult **result, struct err *err)
{
	if (!wait_result(link, err))
		return false;
	*result = PQgetResult(link->conn);
	return true;
}

static bool send_statement(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
{
	static const struct pg_args none;
	Oid types[PG_ARGS_MAX];
	const char *values[PG_ARGS_MAX];
	int lengths[PG_ARGS_MAX], formats[PG_ARGS_MAX];

	pg_link_sends(link, sql);
	if (!args)
		args = &none;
	for (int i = 0; i < args->count; i++) {
		types[i] = pg_arg_oid(args, i);
		values[i] = buf_str(&args->arg[i].bytes);
		lengths[i] = (int)args->arg[i].bytes.len;
		formats[i] = 1;
	}
	if (!PQsendQueryParams(link->conn, sql, args->count, types, values, lengths, formats, 0))
		return pg_link_lost(link, err);
	return true;
}

static bool is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Reads all answers to what was sent; keeps the last good one in *out, or the first failure in err. */
static bool read_answers(struct pg_link *link, PGresult **out, struct err *err)
{
	bool ok = true;
	PGresult *result, *kept = NULL;

	for (;;) {
		if (!next_result(link, &result, err)) {
			PQclear(kept);
			return false;
		}
		if (!result)
			break;
		if (!is_good(result) && ok)
			ok = fail_refused(link, result, err);
		PQclear(kept);
		kept = result;
		if (!link->conn)
			break;
	}
	if (!ok) {
		PQclear(kept);
		return false;
	}
	*out = kept;
	return true;
}

PGresult *pg_query(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
{
	int64_t start_us = clock_mono_us();
	PGresult *result = NULL;

	if (!link->conn) {
		err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away");
		return NULL;
	}
	if (!send_statement(link, sql, args, err) || !read_answers(link, &result, err))
		return NULL;
	pg_link_hears(link, "");
	metric_observe(METRIC_pg_call_seconds, 0, 0, clock_mono_us() - start_us);
	return result;
}

bool pg_read(struct pg_link *link, const char *sql, const struct pg_args *args, PGresult **result, struct err *err)
{
	*result = pg_query(link, sql, args, err);
	return *result != NULL;
}

bool pg_exec(struct pg_link *link, const char *sql, const struct pg_args *args, struct err *err)
{
	PG_RESULT result = pg_query(link, sql, args, err);

	return result != NULL;
}

bool pg_script(struct pg_link *link, const char *sql, struct err *err)
{
	PGresult *result = NULL;

	pg_link_sends(link, sql);
	if (!PQsendQuery(link->conn, sql))
		return pg_link_lost(link, err);
	if (!read_answers(link, &result, err))
		return false;
	pg_link_hears(link, "");
	PQclear(result);
	return true;
}

bool pg_copy_in(struct pg_link *link, const char *sql, const struct buf *bytes, struct err *err)
{
	int64_t start_us = clock_mono_us();
	PGresult *result = NULL;
	bool ready;

	if (!link->conn)
		return err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away");
	pg_link_sends(link, sql);
	if (!PQsendQuery(link->conn, sql))
		return pg_link_lost(link, err);
	if (!next_result(link, &result, err))
		return false;
	ready = PQresultStatus(result) == PGRES_COPY_IN;
	if (!ready)
		fail_refused(link, result, err);
	PQclear(result);
	if (!link->conn)
		return false;
	if (ready && (PQputCopyData(link->conn, buf_str(bytes), (int)bytes->len) != 1 ||
			     PQputCopyEnd(link->conn, NULL) != 1))
		return pg_link_lost(link, err);
	if (!read_answers(link, &result, err) || !ready) {
		return false;
	}
	PQclear(result);
	pg_link_hears(link, "");
	metric_observe(METRIC_pg_call_seconds, 0, 0, clock_mono_us() - start_us);
	return true;
}

/* Reads one answer of the pipeline and the NULL after it. False when the connection is gone. */
static bool read_one(struct pg_link *link, PGresult **out, struct err *err)
{
	PGresult *end = NULL;

	if (!next_result(link, out, err))
		return false;
	if (next_result(link, &end, err) && !end)
		return true;
	PQclear(end);
	PQclear(*out);
	*out = NULL;
	return link->conn ? pg_link_lost(link, err) : false;
}

static bool read_sync(struct pg_link *link, struct err *err)
{
	PGresult *sync = NULL;
	bool ok;

	if (!next_result(link, &sync, err))
		return false;
	ok = PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
	PQclear(sync);
	if (!ok || !PQexitPipelineMode(link->conn))
		return pg_link_lost(link, err);
	return true;
}

bool pg_pipeline(
	struct pg_link *link, const struct pg_statement *statements, int count, PGresult **results, struct err *err)
{
	int64_t start_us = clock_mono_us();
	bool ok = true;
	int got = 0;

	if (!link->conn)
		return err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away");
	if (!PQenterPipelineMode(link->conn))
		return pg_link_lost(link, err);
	for (int i = 0; i < count; i++) {
		if (!send_statement(link, statements[i].sql, statements[i].args, err))
			return false;
	}
	if (!PQpipelineSync(link->conn))
		return pg_link_lost(link, err);
	for (; got < count; got++) {
		if (!read_one(link, &results[got], err))
			goto lost;
		if (ok && !is_good(results[got]))
			ok = fail_refused(link, results[got], err);
		if (!link->conn) {
			got++;
			goto lost;
		}
	}
	if (!read_sync(link, err) || !ok)
		goto lost;
	pg_link_hears(link, "");
	metric_observe(METRIC_pg_call_seconds, 0, 0, clock_mono_us() - start_us);
	return true;
lost:
	pg_results_clear(results, got);
	return false;
}

const char *pg_timeout_sql(const struct pg_link *link, char out[64])
{
	int64_t left_ms = (link->deadline_us - clock_mono_us()) / 1000;

	snprintf(out, 64, "SET LOCAL statement_timeout = %lld",
		(long long)(left_ms < 1		  ? 1
			    : left_ms > INT32_MAX ? INT32_MAX
						  : left_ms));
	return out;
}

bool pg_begin(struct pg_link *link, const char *mode, struct err *err)
{
	char begin[96], timeout[64];
	PGresult *results[2] = {NULL, NULL};
	const struct pg_statement statements[] = {{.sql = begin}, {.sql = pg_timeout_sql(link, timeout)}};

	snprintf(begin, sizeof(begin), "BEGIN %s", mode);
	if (!pg_pipeline(link, statements, 2, results, err))
		return false;
	pg_results_clear(results, 2);
	return true;
}

bool pg_commit(struct pg_link *link, struct err *err)
{
	return pg_exec(link, "COMMIT", NULL, err);
}

bool pg_refused_data(const struct pg_link *link)
{
	static const char *const classes[] = {"21", "22", "23", "54", "P0"};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strncmp(link->sqlstate, classes[i], 2) == 0)
			return true;
	}
	return false;
}

void pg_arg_page(struct pg_args *args, int limit)
{
	pg_arg_int(args, limit + 1);
}

int pg_page(const PGresult *result, int limit, bool *more)
{
	int rows = PQntuples(result);

	*more = rows > limit;
	return *more ? limit : rows;
}

int64_t pg_i64(const PGresult *result, int row, int column)
{
	return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

bool pg_bool(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column)[0] == 't';
}

const char *pg_text(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column);
}

void pg_copy(const PGresult *result, int row, int column, char *out, size_t size)
{
	size_t n = (size_t)PQgetlength(result, row, column);
	const char *text = PQgetvalue(result, row, column);

	if (n >= size) {
		/* Never cuts in the middle of a UTF-8 sequence. */
		n = size - 1;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, text, n);
	out[n] = '\0';
}
