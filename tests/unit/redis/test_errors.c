/*
 * Errors of Redis in Bursar's words, recognized by how they begin: Redis 7, Redis 8 and Valkey word them differently.
 */
#include <string.h>

#include "lib/test.h"
#include "redis/connect/errors.h"

TEST(texts_of_all_versions_are_known_by_their_beginnings)
{
	static const struct {
		const char *text;
		enum redis_error error;
		bool passes;
	} cases[] = {
		{"OOM command not allowed when used memory > 'maxmemory'.", REDIS_ERROR_OOM, false},
		{"READONLY You can't write against a read only replica.", REDIS_ERROR_READONLY, true},
		{"LOADING Redis is loading the dataset in memory", REDIS_ERROR_LOADING, true},
		{"LOADING Valkey is loading the dataset in memory", REDIS_ERROR_LOADING, true},
		{"BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
			REDIS_ERROR_BUSY, true},
		{"BUSY Valkey is busy", REDIS_ERROR_BUSY, true},
		{"BUSYKEY Target key name already exists.", REDIS_ERROR_COUNT, false},
		{"NOREPLICAS Not enough good replicas to write.", REDIS_ERROR_NOREPLICAS, true},
		{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
			REDIS_ERROR_MASTERDOWN, true},
		{"ERR max number of clients reached", REDIS_ERROR_CLIENTS, true},
		{"ERR max number of things", REDIS_ERROR_COUNT, false},
		{"ERR AUTH <password> called without any password configured for the default user. Are you sure?",
			REDIS_ERROR_NO_PASSWORD, false},
		{"ERR The user executing the script can't run this command or subcommand script: wt, on "
		 "@user_function:7.",
			REDIS_ERROR_NOPERM_INSIDE, false},
		{"ERR Script killed by user with SCRIPT KILL... script: spin, on @user_function:8.", REDIS_ERROR_KILLED,
			false},
		{"WRONGTYPE Operation against a key holding the wrong kind of value script: wt, on @user_function:7.",
			REDIS_ERROR_WRONGTYPE, false},
		{"ERR SELECT is not allowed in cluster mode", REDIS_ERROR_CLUSTER_SELECT, false},
		{"ERR user_function:6: attempt to index local 't' (a nil value)", REDIS_ERROR_COUNT, false},
		{"", REDIS_ERROR_COUNT, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(redis_error_of(cases[i].text), cases[i].error);
		assert_int_equal(redis_error_passes(redis_error_of(cases[i].text)), cases[i].passes);
	}
}

TEST(a_right_that_is_missing_is_named)
{
	struct err err;

	redis_error_set(&err, "NOPERM this user has no permissions to run the 'function|load' command");
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_string_equal(
		err.text, "redis: the user may not run 'function|load'; grant those listed in docs/operations.md");
	redis_error_set(&err, "NOPERM User bursar has no permissions to run the 'fcall' command");
	assert_string_equal(err.text, "redis: the user may not run 'fcall'; grant those listed in docs/operations.md");
	/* Neither a key nor anything else that somebody chose. */
	redis_error_set(&err, "NOPERM No permissions to access a key 'b:{p1}:a:u:acme/ann'");
	assert_string_equal(err.text, "redis: the user lacks rights; grant those listed in docs/operations.md");
}

TEST(what_is_in_no_row_is_ours_and_does_not_reach_the_caller)
{
	struct err err;

	redis_error_set(&err, "ERR user_function:6: attempt to index local 't' (a nil value)");
	assert_int_equal(err.code, ERR_INTERNAL);
	assert_null(strstr(err.text, "nil"));
}

TEST(an_unsuitable_redis_is_recognized_by_its_info)
{
	static const struct {
		const char *info, *says; /* NULL: Bursar can run on it */
	} cases[] = {
		{"redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\ncluster_enabled:0\r\n", NULL},
		{"# Server\r\nredis_version:7.2.4\r\nvalkey_version:9.1.2\r\n", NULL},
		{"", NULL},
		{"redis_version:6.2.1\r\n", "version 6.2.1"},
		{"redis_version:7.0.15\r\nmaxmemory_policy:noevictions\r\n", "noevictions"},
		{"redis_version:7.0.15\r\nmaxmemory_policy:volatile-ttl\r\ncluster_enabled:0\r\n", "volatile-ttl"},
		{"redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\ncluster_enabled:1\r\n", "cluster mode"},
	};
	struct err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool ok = redis_info_check(cases[i].info, &err);

		assert_int_equal(ok, cases[i].says == NULL);
		if (!ok && cases[i].says) {
			assert_int_equal(err.code, ERR_PRECONDITION);
			assert_non_null(strstr(err.text, cases[i].says));
		}
	}
}
