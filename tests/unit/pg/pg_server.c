/* A PostgreSQL of the test's own. */
#include "pg_server.h"

#include <ftw.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "base/buf.h"
#include "pg/link/migrate.h"

static char dir[64], bin[256];
static pid_t server;
static pid_t owner;

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "the test's PostgreSQL: %s\n", what);
	exit(1);
}

/* PostgreSQL refuses to run as root. */
static void drop_root(void)
{
	const struct passwd *user = getpwnam("postgres");

	if (getuid() != 0)
		return;
	if (!user || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		_exit(127);
}

static pid_t spawn(char *argv[])
{
	char path[512];
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	drop_root();
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	if (getppid() != parent)
		_exit(127);
	snprintf(path, sizeof(path), "%s/log", dir);
	FILE *log = freopen(path, "a", stdout);
	if (!log || dup2(fileno(log), 2) < 0)
		_exit(127);
	/* PostgreSQL finds its other programs next to itself, by the path it was started with. */
	snprintf(path, sizeof(path), "%s/%s", bin, argv[0]);
	argv[0] = path;
	execv(path, argv);
	_exit(127);
}

static void find_bin(void)
{
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
		die("none is installed (postgresql)");
	snprintf(bin, sizeof(bin), "%s", found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void stop(void)
{
	if (getpid() != owner)
		return;
	if (server > 0) {
		kill(server, SIGINT);
		waitpid(server, NULL, 0);
		server = 0;
	}
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A container's may be tiny. */
static bool room_in_memory(void)
{
	struct statvfs room;

	return access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &room) == 0 &&
	       (uint64_t)room.f_bavail * room.f_frsize >= UINT64_C(2) << 30;
}

static const char *conninfo_of(const char *database, char out[256])
{
	snprintf(out, 256, "host=%s user=bursar dbname=%s", dir, database);
	return out;
}

static void wait_ready(void)
{
	char conninfo[256];

	for (int i = 0; i < 600; i++) {
		if (PQping(conninfo_of("postgres", conninfo)) == PQPING_OK)
			return;
		if (waitpid(server, NULL, WNOHANG) == server)
			die("ended at once; see its log");
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	}
	die("did not answer within 30 s");
}

void pg_server_revive(void)
{
	char data[128];

	snprintf(data, sizeof(data), "%s/data", dir);
	char *argv[] = {"postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c",
		"max_connections=40", "-c", "shared_buffers=64MB", "-c", "deadlock_timeout=200ms", NULL};
	server = spawn(argv);
	wait_ready();
}

void pg_server_crash(void)
{
	kill(server, SIGQUIT);
	waitpid(server, NULL, 0);
	server = 0;
}

void pg_server_start(void)
{
	char data[128];
	int status;

	if (server)
		return;
	find_bin();
	snprintf(dir, sizeof(dir), "%s/bursar-pg-XXXXXX", room_in_memory() ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		die("no directory for its data");
	owner = getpid();
	atexit(stop);
	const struct passwd *user = getpwnam("postgres");
	if (getuid() == 0 && (!user || chown(dir, user->pw_uid, user->pw_gid) != 0))
		die("there is no user postgres to run it as");
	snprintf(data, sizeof(data), "%s/data", dir);
	char *argv[] = {
		"initdb", "-D", data, "-U", "bursar", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", NULL};
	pid_t pid = spawn(argv);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die("initdb failed");
	pg_server_revive();
}

static PGconn *connect_quietly(const char *conninfo)
{
	PGconn *conn = PQconnectdb(conninfo);

	PQclear(PQexec(conn, "SET client_min_messages = warning"));
	return conn;
}

bool pg_server_exec(const char *conninfo, const char *sql)
{
	PGconn *conn = connect_quietly(conninfo);
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fprintf(stderr, "%s\n%s", sql, PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

const char *pg_server_ask(const char *conninfo, const char *sql)
{
	static char cell[1024];
	PGconn *conn = connect_quietly(conninfo);
	PGresult *result = PQexec(conn, sql);

	cell[0] = '\0';
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fprintf(stderr, "%s\n%s", sql, PQerrorMessage(conn));
	else if (PQntuples(result) > 0)
		snprintf(cell, sizeof(cell), "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	PQfinish(conn);
	return cell;
}

long long pg_server_ask_number(const char *conninfo, const char *sql)
{
	return strtoll(pg_server_ask(conninfo, sql), NULL, 10);
}

static const char *create_database(const char *name, const char *template)
{
	static char conninfo[256];
	char sql[256], admin[256];

	conninfo_of("postgres", admin);
	snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS \"%s\"", name);
	bool dropped = pg_server_exec(admin, sql);
	snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\" TEMPLATE \"%s\"", name, template);
	if (!dropped || !pg_server_exec(admin, sql))
		die("no database");
	return conninfo_of(name, conninfo);
}

const char *pg_server_database(const char *name)
{
	return create_database(name, "template1");
}

const char *pg_server_migrated(const char *name)
{
	static const char *const template = "migrated";
	static bool made;
	struct buf out = {0};
	struct err err;

	if (!made && !migrate_run(create_database(template, "template1"), MIGRATE_UP, &out, &err))
		die(err.text);
	made = true;
	buf_release(&out);
	return create_database(name, template);
}
