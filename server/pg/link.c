/* A connection to PostgreSQL whose every wait ends by a deadline: libpq without blocking, and poll(2) around it. */
#include "pg/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#define CONNECT_TIMEOUT_US INT64_C(3000000)
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS 2000

bool pg_conninfo_check(const char *conninfo, struct err *err)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &why);

	if (options) {
		PQconninfoFree(options);
		return true;
	}
	if (why)
		why[strcspn(why, "\n")] = '\0';
	err_invalid(err, "postgres", "%s", why ? why : "out of memory");
	PQfreemem(why);
	return false;
}

void pg_link_init(struct pg_link *link, const char *conninfo, int wake_fd)
{
	*link = (struct pg_link){.conninfo = conninfo, .wake_fd = wake_fd};
}

void pg_link_close(struct pg_link *link)
{
	if (!link->conn)
		return;
	if (link->up)
		metric_add(METRIC_pg_links_up, 0, 0, -1);
	link->up = false;
	PQfinish(link->conn);
	link->conn = NULL;
}

/* The first line of what libpq says: the rest repeats it for other addresses. */
bool pg_link_lost(struct pg_link *link, struct err *err)
{
	char text[200];

	snprintf(text, sizeof(text), "%s", link->conn ? PQerrorMessage(link->conn) : "out of memory");
	text[strcspn(text, "\n")] = '\0';
	link->sqlstate[0] = '\0';
	metric_inc(METRIC_pg_errors_total, 0, 0);
	pg_link_close(link);
	return err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away: %s", text);
}

static bool fail_deadline(struct pg_link *link, struct err *err)
{
	link->sqlstate[0] = '\0';
	metric_inc(METRIC_pg_errors_total, 0, 0);
	pg_link_close(link);
	return err_set(err, ERR_DEADLINE, "PostgreSQL did not answer in time");
}

/* Waits for the socket, until `until_us`. The connection is dropped when that passes: what it would still say is nobody's. */
bool pg_link_wait(struct pg_link *link, short events, int64_t until_us, struct err *err)
{
	struct pollfd fds[2] = {
		{.fd = PQsocket(link->conn), .events = events}, {.fd = link->wake_fd, .events = POLLIN}};

	for (;;) {
		int64_t left_us = until_us - clock_mono_us();

		if (left_us <= 0)
			return fail_deadline(link, err);
		int n = poll(fds, 2, left_us > 3600000000 ? 3600000 : (int)(left_us / 1000 + 1));
		if (n < 0 && errno != EINTR)
			return pg_link_lost(link, err);
		if (n > 0 && fds[1].revents) {
			pg_link_close(link);
			return err_set(err, ERR_UNAVAILABLE, "the server is stopping");
		}
		if (n > 0 && fds[0].revents)
			return true;
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool connect_wait(struct pg_link *link, struct err *err)
{
	int64_t until_us = sooner(link->deadline_us, clock_mono_us() + CONNECT_TIMEOUT_US);
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	while (state != PGRES_POLLING_OK) {
		if (state == PGRES_POLLING_FAILED || PQstatus(link->conn) == CONNECTION_BAD)
			return pg_link_lost(link, err);
		if (!pg_link_wait(link, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us, err)) {
			if (err && err->code == ERR_DEADLINE)
				err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away: it did not answer the connection");
			return false;
		}
		state = PQconnectPoll(link->conn);
	}
	return true;
}

static bool connect_now(struct pg_link *link, struct err *err)
{
	/* conninfo comes last: of keys given twice the later wins, so these are defaults. */
	const char *keys[] = {"application_name", "tcp_user_timeout", "client_encoding", "dbname", NULL};
	const char *values[] = {"bursard", "10000", "UTF8", link->conninfo, NULL};

	link->conn = PQconnectStartParams(keys, values, 1);
	if (!link->conn)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	if (!connect_wait(link, err))
		return false;
	/* Sending must not block either: a server that has stopped reading would hold the thread for ever. */
	PQsetnonblocking(link->conn, 1);
	return true;
}

static void notice_ignore(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

bool pg_link_ready(struct pg_link *link, struct err *err)
{
	if (link->conn && PQstatus(link->conn) == CONNECTION_OK)
		return true;
	pg_link_close(link);
	int64_t now_us = clock_mono_us();
	if (now_us < link->retry_at_us)
		return err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away: the last connection failed");
	if (!connect_now(link, err)) {
		int backoff_ms = link->backoff_ms ? link->backoff_ms * 2 : BACKOFF_FIRST_MS;
		link->backoff_ms = backoff_ms > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : backoff_ms;
		link->retry_at_us = clock_mono_us() + (int64_t)link->backoff_ms * 1000;
		log_warn("PostgreSQL is away", F("why", err ? err->text : ""), FI("retry_ms", link->backoff_ms));
		return false;
	}
	link->up = true;
	link->backoff_ms = 0;
	metric_add(METRIC_pg_links_up, 0, 0, 1);
	PQsetNoticeProcessor(link->conn, notice_ignore, NULL);
	return true;
}

void pg_link_tidy(struct pg_link *link)
{
	struct err ignored;

	if (!link->conn)
		return;
	if (PQstatus(link->conn) != CONNECTION_OK || PQpipelineStatus(link->conn) != PQ_PIPELINE_OFF) {
		pg_link_close(link);
		return;
	}
	switch (PQtransactionStatus(link->conn)) {
	case PQTRANS_IDLE:
		return;
	case PQTRANS_INTRANS:
	case PQTRANS_INERROR: {
		char sqlstate[6];
		memcpy(sqlstate, link->sqlstate, sizeof(sqlstate));
		int64_t deadline_us = link->deadline_us;
		link->deadline_us = clock_mono_us() + 1000000;
		if (!pg_exec(link, "ROLLBACK", NULL, &ignored))
			pg_link_close(link);
		link->deadline_us = deadline_us;
		memcpy(link->sqlstate, sqlstate, sizeof(sqlstate));
		return;
	}
	default:
		pg_link_close(link);
	}
}
