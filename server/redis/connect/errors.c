/* Looks up Redis's error texts in the table, and judges from INFO whether Bursar can run on a Redis. */
#include "redis/connect/errors.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/observe/log.h"

enum { ONCE = false, AGAIN = true, OLDEST_MAJOR = 7, COMMAND_MAX = 40 };
#define CLUSTER_SENTENCE \
	"is in cluster mode, which Bursar does not support: records would never reach the ledger; give Bursar a " \
	"Redis of its own"

struct row {
	const char *begins;
	bool again;
	const char *sentence;
};

static const struct row rows[] = {
#define ROW(name, begins, again, sentence) {begins, again, sentence},
#include "redis/connect/errors.def"
#undef ROW
};

enum redis_error redis_error_of(const char *text)
{
	for (int i = 0; i < REDIS_ERROR_COUNT; i++) {
		size_t len = strlen(rows[i].begins);

		/* "BUSY", but not "BUSYKEY". */
		if (strncmp(text, rows[i].begins, len) == 0 && !isalnum((unsigned char)text[len]))
			return (enum redis_error)i;
	}
	return REDIS_ERROR_COUNT;
}

bool redis_error_passes(enum redis_error error)
{
	return error < REDIS_ERROR_COUNT && rows[error].again;
}

/* "... no permissions to run the 'function|load' command": the name between the quotes; returns its length, 0 when
 * there is none. */
static int command_named(const char *text, const char **name)
{
	const char *begin = strchr(text, '\'');
	int len = 0;

	if (!begin || !strstr(text, " run "))
		return 0;
	*name = ++begin;
	while (isalnum((unsigned char)begin[len]) || (begin[len] && strchr("|_-", begin[len])))
		len++;
	return len <= COMMAND_MAX && begin[len] == '\'' ? len : 0;
}

bool redis_error_set(struct err *err, const char *text)
{
	enum redis_error error = redis_error_of(text);
	const char *name = NULL;
	int len;

	if (error == REDIS_ERROR_COUNT) {
		log_error("unknown error from redis", F("error", text));
		return err_set(
			err, ERR_INTERNAL, "redis: a call failed with an unknown error; see bursard's log for it");
	}
	len = error == REDIS_ERROR_NOPERM || error == REDIS_ERROR_NOPERM_IN_SCRIPT ? command_named(text, &name) : 0;
	if (len)
		return err_set(err, ERR_UNAVAILABLE, "redis: the user may not run '%.*s'; %s", len, name,
			strchr(rows[error].sentence, ';') + 2);
	return err_set(err, ERR_UNAVAILABLE, "redis: %s", rows[error].sentence);
}

const char *redis_info_find(const char *info, const char *name, int *len)
{
	size_t name_len = strlen(name);

	for (const char *line = info; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
			*len = (int)strcspn(line + name_len + 1, "\r\n");
			return line + name_len + 1;
		}
	}
	*len = 0;
	return "";
}

bool redis_info_check(const char *info, struct err *err)
{
	int version_len, policy_len, cluster_len;
	const char *version = redis_info_find(info, "redis_version", &version_len);
	const char *policy = redis_info_find(info, "maxmemory_policy", &policy_len);
	const char *cluster = redis_info_find(info, "cluster_enabled", &cluster_len);

	if (version_len && strtol(version, NULL, 10) < OLDEST_MAJOR)
		return err_set(err, ERR_PRECONDITION, "redis: has version %.*s; Bursar needs 7.0 or newer (functions)",
			version_len, version);
	if (cluster_len && *cluster == '1')
		return err_set(err, ERR_PRECONDITION, "redis: " CLUSTER_SENTENCE);
	if (policy_len &&
		(policy_len != (int)strlen("noeviction") || strncmp(policy, "noeviction", (size_t)policy_len) != 0))
		return err_set(err, ERR_PRECONDITION,
			"redis: its maxmemory-policy is %.*s, which drops limits; set it to noeviction", policy_len,
			policy);
	return true;
}
