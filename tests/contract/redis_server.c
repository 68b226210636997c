/* A Redis of the test's own. */
#include "redis_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "lib/source.h"

static char directory[64], socket_path[96], url[128];
static pid_t server;

static void stop(void)
{
	redis_server_kill();
	unlink(socket_path);
	rmdir(directory);
}

static void fail(const char *what)
{
	fprintf(stderr, "redis-server: %s\n", what);
	exit(1);
}

/* Polls until it answers; there is no event to wait for. */
static void wait_for_it(void)
{
	struct timespec pause = {.tv_nsec = 2000000};

	for (int i = 0; i < 5000; i++) {
		redisContext *context = redisConnectUnix(socket_path);
		redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
		bool up = reply && reply->type == REDIS_REPLY_STATUS;

		freeReplyObject(reply);
		redisFree(context);
		if (up)
			return;
		if (waitpid(server, NULL, WNOHANG) == server)
			fail("ended at once; is it installed?");
		nanosleep(&pause, NULL);
	}
	fail("does not answer");
}

static void spawn(void)
{
	server = fork();
	if (server < 0)
		fail("cannot fork");
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!freopen("/dev/null", "w", stdout))
			_exit(1);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_path, "--dir", directory,
			"--save", "", "--appendonly", "no", "--loglevel", "warning", (char *)NULL);
		_exit(127);
	}
	wait_for_it();
}

static bool installed(void)
{
	const char *path = getenv("PATH");
	char name[4096];

	while (path && *path) {
		int len = (int)strcspn(path, ":");

		snprintf(name, sizeof(name), "%.*s/redis-server", len, path);
		if (access(name, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

bool redis_server_start(void)
{
	if (server)
		return true;
	signal(SIGPIPE, SIG_IGN);
	if (!installed()) {
		fprintf(stderr, "skipped: there is no redis-server here\n");
		return false;
	}
	strcpy(directory, "/tmp/bursar-redis-XXXXXX");
	if (!mkdtemp(directory))
		fail("no directory under /tmp");
	snprintf(socket_path, sizeof(socket_path), "%s/redis.sock", directory);
	snprintf(url, sizeof(url), "unix://%s", socket_path);
	atexit(stop);
	spawn();
	return true;
}

const char *redis_server_url(void)
{
	return url;
}

int redis_server_pid(void)
{
	return server;
}

void redis_server_kill(void)
{
	if (!server)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = 0;
}

void redis_server_revive(void)
{
	unlink(socket_path);
	spawn();
}

redisContext *redis_server_connect(void)
{
	redisContext *context = redisConnectUnix(socket_path);

	if (!context || context->err)
		fail("cannot be connected to");
	return context;
}

static void read_into(struct buf *out, const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	source_read(path, out);
}

static struct redis_library library, general_library, pool_library;

static void forget_libraries(void)
{
	redis_library_release(&library);
	redis_library_release(&general_library);
	redis_library_release(&pool_library);
}

/* A file of a library, and the file of tests/lua that takes its place. */
struct stand_in {
	const char *file, *by;
};

static void read_file(struct buf *out, const char *folder, const char *name, const struct stand_in stand_ins[])
{
	for (; stand_ins->file; stand_ins++)
		if (strcmp(name, stand_ins->file) == 0) {
			read_into(out, "tests/lua", stand_ins->by);
			return;
		}
	read_into(out, folder, name);
}

/* Lets the cache of policies hold two: what is rare, a full cache that is emptied in the middle of a call, is the rule then. */
static void shrink_cache(struct buf *source)
{
	char *at = strstr(source->data, "KEPT_MAX = 4096");

	if (!at)
		fail("lua/lib/policy.lua has another KEPT_MAX");
	memcpy(at, "KEPT_MAX = 2   ", 15);
}

/* Joins the files that ORDER in the folder lists. The list of stand-ins ends with an empty one. */
static void assemble(struct redis_library *out, const char *folder, const struct stand_in stand_ins[])
{
	struct buf order = {0};
	struct buf source = {0};
	char *rest = NULL;

	if (!library.source && !general_library.source && !pool_library.source)
		atexit(forget_libraries);
	read_into(&order, folder, "ORDER");
	for (char *name = strtok_r(order.data, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest)) {
		if (name[0] != '#')
			read_file(&source, folder, name, stand_ins);
	}
	if (out == &general_library)
		shrink_cache(&source);
	redis_library_init(out, source.data, source.len);
	buf_release(&order);
	buf_release(&source);
}

const struct redis_library *redis_server_library(void)
{
	static const struct stand_in stand_ins[] = {{"lib/clock.lua", "clock.lua"}, {0}};

	if (!library.source)
		assemble(&library, "lua", stand_ins);
	return &library;
}

const struct redis_library *redis_general_library(void)
{
	static const struct stand_in stand_ins[] = {
		{"lib/clock.lua", "clock.lua"}, {"lib/quick.lua", "general.lua"}, {0}};

	if (!general_library.source)
		assemble(&general_library, "lua", stand_ins);
	return &general_library;
}

const struct redis_library *redis_pool_library(void)
{
	static const struct stand_in stand_ins[] = {{"clock.lua", "pool_clock.lua"}, {0}};

	if (!pool_library.source)
		assemble(&pool_library, "lua/pool", stand_ins);
	return &pool_library;
}
