/* A connection to PostgreSQL on which every wait has a deadline: non-blocking libpq with poll(2). */
#include "pg/link/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"

#define CONNECT_TIMEOUT_US INT64_C(3000000)
/* Short, because a restart takes only a moment and its end should be noticed at once. */
#define BACKOFF_FIRST_MS 20
#define BACKOFF_MAX_MS 250
/*
 * A longer outage is not a restart, and jobs then fail at once. Failures further apart than OUTAGE_GAP_US are separate
 * outages.
 */
#define RESTART_US INT64_C(3000000)
#define OUTAGE_GAP_US INT64_C(5000000)
/* A connection that was silent for longer is probed first, because a firewall may have dropped it. */
#define TRUST_US INT64_C(5000000)
#define PROBE_US INT64_C(250000)
#define WARN_US INT64_C(5000000)
/* A statement that crashes the server must not be retried forever. */
#define RUNS_MAX 3

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
	link->outage = &link->own_outage;
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

/* Keeps only the first line of libpq's message; the others repeat it for other addresses. */
bool pg_link_lost(struct pg_link *link, struct err *err)
{
	char text[200];

	snprintf(text, sizeof(text), "%s", link->conn ? PQerrorMessage(link->conn) : "out of memory");
	text[strcspn(text, "\n")] = '\0';
	link->sqlstate[0] = '\0';
	link->lost = true;
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

/* Drops the connection when `until_us` passes, because nobody could receive a late answer. */
bool pg_link_wait(struct pg_link *link, short events, int64_t until_us, struct err *err)
{
	struct pollfd fds[2] = {
		{.fd = PQsocket(link->conn), .events = events}, {.fd = link->wake_fd, .events = POLLIN}};

	for (;;) {
		int64_t left_us = until_us - clock_mono_us();
		int n;

		if (left_us <= 0)
			return fail_deadline(link, err);
		n = poll(fds, 2, left_us > 3600000000 ? 3600000 : (int)(left_us / 1000 + 1));
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
				err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away: connecting timed out");
			return false;
		}
		state = PQconnectPoll(link->conn);
	}
	return true;
}

static bool connect_now(struct pg_link *link, struct err *err)
{
	/* conninfo comes last: libpq lets later keys win, so the others are defaults. */
	const char *keys[] = {"application_name", "tcp_user_timeout", "client_encoding", "dbname", NULL};
	const char *values[] = {"bursard", "10000", "UTF8", link->conninfo, NULL};

	link->conn = PQconnectStartParams(keys, values, 1);
	if (!link->conn)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	if (!connect_wait(link, err))
		return false;
	/* Sending must not block either, or a server that has stopped reading would hold the thread forever. */
	PQsetnonblocking(link->conn, 1);
	return true;
}

static void notice_ignore(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

/* Whether an idle connection is still open. Anything it receives is either the server's goodbye or a notice. */
static bool heard_alive(struct pg_link *link)
{
	for (;;) {
		struct pollfd fd = {.fd = PQsocket(link->conn), .events = POLLIN};

		if (poll(&fd, 1, 0) <= 0)
			return true;
		if (!PQconsumeInput(link->conn))
			return false;
		(void)PQisBusy(link->conn); /* parses what has arrived, to make room for more */
	}
}

static bool answers(struct pg_link *link)
{
	int64_t deadline_us = link->deadline_us;
	struct err ignored;
	bool alive;

	link->deadline_us = sooner(deadline_us, clock_mono_us() + PROBE_US);
	alive = pg_exec(link, "SELECT 1", NULL, &ignored);
	link->deadline_us = deadline_us;
	return alive;
}

static bool usable(struct pg_link *link)
{
	if (!link->conn || PQstatus(link->conn) != CONNECTION_OK || !heard_alive(link))
		return false;
	return clock_mono_us() - link->idle_since_us < TRUST_US || answers(link);
}

static void attempt_begin(struct pg_link *link)
{
	link->lost = link->answered = link->unsure = link->begun = link->read_only = false;
	link->sqlstate[0] = '\0';
}

static void outage_note(struct pg_link *link)
{
	struct pg_outage *outage = link->outage;
	int64_t now_us = clock_mono_us();

	if (!outage->since_us || now_us - outage->last_us > OUTAGE_GAP_US)
		outage->since_us = now_us;
	outage->last_us = now_us;
}

static void connect_failed(struct pg_link *link, const struct err *err)
{
	int64_t now_us = clock_mono_us();

	link->backoff_ms = link->backoff_ms ? link->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (link->backoff_ms > BACKOFF_MAX_MS)
		link->backoff_ms = BACKOFF_MAX_MS;
	link->retry_at_us = now_us + (int64_t)link->backoff_ms * 1000;
	outage_note(link);
	if (link->warned_us && now_us - link->warned_us < WARN_US)
		return;
	link->warned_us = now_us;
	log_warn("PostgreSQL is away", F("why", err ? err->text : ""));
}

bool pg_link_ready(struct pg_link *link, struct err *err)
{
	if (usable(link))
		return true;
	pg_link_close(link);
	if (clock_mono_us() < link->retry_at_us) {
		link->lost = true;
		return err_set(err, ERR_UNAVAILABLE, "PostgreSQL is away: the last attempt to connect failed");
	}
	if (!connect_now(link, err)) {
		link->lost = true;
		connect_failed(link, err);
		return false;
	}
	link->up = true;
	link->backoff_ms = 0;
	link->warned_us = 0;
	link->outage->since_us = 0;
	link->idle_since_us = clock_mono_us();
	metric_add(METRIC_pg_links_up, 0, 0, 1);
	PQsetNoticeProcessor(link->conn, notice_ignore, NULL);
	return true;
}

void pg_link_sends(struct pg_link *link, const char *sql)
{
	if (strncmp(sql, "BEGIN", strlen("BEGIN")) == 0) {
		link->begun = true;
		link->read_only = strstr(sql, "READ ONLY") != NULL;
	} else if (strcmp(sql, "COMMIT") == 0) {
		link->unsure |= !link->read_only;
		link->begun = false;
	} else if (!link->begun) {
		link->unsure = true;
	}
}

void pg_link_hears(struct pg_link *link, const char *sqlstate)
{
	/*
	 * 57P01 to 57P03, 57P05: the server is going down, starting up, or has ended this session. 08: a pooler says
	 * the same.
	 */
	if (strncmp(sqlstate, "57P", 3) == 0 || strncmp(sqlstate, "08", 2) == 0)
		link->lost = true;
	else
		link->answered = true;
	link->idle_since_us = clock_mono_us();
}

/* Waits before the next attempt; false when it is time to give up. */
static bool pause_between(const struct pg_link *link)
{
	struct pollfd wake = {.fd = link->wake_fd, .events = POLLIN};
	int64_t now_us = clock_mono_us(), since_us = link->outage->since_us;

	if (since_us && now_us - since_us > RESTART_US)
		return false;
	if (now_us >= link->deadline_us || link->retry_at_us >= link->deadline_us)
		return false;
	while ((now_us = clock_mono_us()) < link->retry_at_us)
		if (poll(&wake, 1, (int)((link->retry_at_us - now_us) / 1000 + 1)) > 0)
			return false;
	return true;
}

bool pg_link_run(struct pg_link *link, pg_run_fn *run, void *arg, bool repeatable, struct err *err)
{
	for (int runs = 0;;) {
		attempt_begin(link);
		if (pg_link_ready(link, err)) {
			attempt_begin(link); /* answers heard while connecting do not count as answers to the job */
			runs++;
			if (run(arg, link, err))
				return true;
		}
		if (!link->lost || link->answered || (link->unsure && !repeatable) || runs == RUNS_MAX)
			return false;
		pg_link_close(link);
		if (!pause_between(link))
			return false;
		metric_inc(METRIC_pg_retries_total, 0, 0);
	}
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
		int64_t deadline_us;

		memcpy(sqlstate, link->sqlstate, sizeof(sqlstate));
		deadline_us = link->deadline_us;
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
