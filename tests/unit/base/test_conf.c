/* The table of options: which source wins, and the errors for mistakes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf/conf.h"
#include "base/unconst.h"
#include "lib/source.h"
#include "lib/test.h"

static struct conf conf;
static struct conf_args args;
static struct err err;

/* Loads with these flags and variables; both lists end with NULL. */
static bool load(char **flags, char **env)
{
	static char *argv[32]; /* args.words points into it */
	int argc = 1;

	argv[0] = unconst("bursard");
	while (*flags)
		argv[argc++] = *flags++;
	return conf_load(&conf, &args, argc, argv, env, &err);
}
#define LIST(...) ((char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void refused(char **flags, char **env, const char *text)
{
	assert_false(load(flags, env));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.text, text);
}

static char *write_file(const char *text)
{
	static char path[64];
	int fd;

	strcpy(path, "/tmp/bursar_conf_XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return path;
}

TEST(defaults_are_those_of_the_table)
{
	assert_true(load(LIST(), NULL));
	assert_string_equal(conf.grpc_listen, "127.0.0.1:7420");
	assert_string_equal(conf.insecure_listen, "");
	assert_int_equal(conf.max_message_bytes, 1 << 20);
	assert_int_equal(conf.redis_timeout_ms, 50);
	assert_int_equal(conf.roles, conf_roles_serve | conf_roles_ledger | conf_roles_http | conf_roles_alerts);
	assert_int_equal(conf.expired_charges, conf_expired_charges_nothing);
	assert_int_equal(conf.log_level, conf_log_level_info);
	assert_false(conf.reuse_port);
	assert_int_equal(args.action, CONF_RUN);
	assert_int_equal(args.word_count, 0);
	conf_release(&conf);
}

TEST(flags_win_over_variables_over_the_file)
{
	char *path = write_file("# a comment\n\n drain_ms = 1 \nworkers=1\nidempotency_window_s =	1\r\n");

	assert_true(load(LIST("--config", path, "--drain-ms", "3"), LIST("BURSAR_DRAIN_MS=2", "BURSAR_WORKERS=2")));
	assert_int_equal(conf.drain_ms, 3);
	assert_int_equal(conf.workers, 2);
	assert_int_equal(conf.idempotency_window_s, 1);
	conf_release(&conf);
	unlink(path);
}

TEST(the_slots_of_pools_have_a_name_that_users_know_too)
{
	assert_true(load(LIST(), LIST("MAX_CONCURRENT_AGENTS=7")));
	assert_int_equal(conf.max_concurrent_agents, 7);
	conf_release(&conf);
	assert_true(load(LIST(), LIST("BURSAR_MAX_CONCURRENT_AGENTS=8", "MAX_CONCURRENT_AGENTS=7")));
	assert_int_equal(conf.max_concurrent_agents, 8);
	conf_release(&conf);
	refused(LIST(), LIST("MAX_CONCURRENT_AGENTS=100001"),
		"MAX_CONCURRENT_AGENTS: invalid value \"100001\"; allowed: 0 to 100000");
}

TEST(a_flag_takes_its_value_either_way)
{
	assert_true(load(LIST("--drain-ms=7", "--max_message_bytes", "2MiB", "--reuse-port",
				 "--expired-charges=estimate", "--roles=http,serve", "--insecure-listen="),
		NULL));
	assert_int_equal(conf.drain_ms, 7);
	assert_int_equal(conf.max_message_bytes, 2 << 20);
	assert_true(conf.reuse_port);
	assert_int_equal(conf.expired_charges, conf_expired_charges_estimate);
	assert_int_equal(conf.roles, conf_roles_http | conf_roles_serve);
	conf_release(&conf);
}

TEST(words_and_actions_are_told_apart_from_options)
{
	assert_true(load(LIST("migrate", "--drain-ms", "1", "up", "--", "--x"), NULL));
	assert_int_equal(args.word_count, 3);
	assert_string_equal(args.words[0], "migrate");
	assert_string_equal(args.words[1], "up");
	assert_string_equal(args.words[2], "--x");
	conf_release(&conf);
	assert_true(load(LIST("--print-config"), NULL));
	assert_int_equal(args.action, CONF_PRINT);
	conf_release(&conf);
}

TEST(a_mistake_names_itself_and_what_is_right)
{
	refused(LIST("--drain-ms", "abc"), NULL, "--drain-ms: invalid value \"abc\"; allowed: 0 to 600000");
	refused(LIST("--drain-ms", "-1"), NULL, "--drain-ms: invalid value \"-1\"; allowed: 0 to 600000");
	refused(LIST("--drain-ms", "5s"), NULL, "--drain-ms: invalid value \"5s\"; allowed: 0 to 600000");
	refused(LIST("--drain-ms", "99999999999999999999"), NULL,
		"--drain-ms: invalid value \"99999999999999999999\"; allowed: 0 to 600000");
	refused(LIST("--max-message-bytes", "8MiB"), NULL,
		"--max-message-bytes: invalid value \"8MiB\"; allowed: 1024 to 4194304");
	refused(LIST("--expired-charges", "maybe"), NULL,
		"--expired-charges: invalid value \"maybe\"; allowed: nothing or estimate");
	refused(LIST("--roles", "serve,"), NULL,
		"--roles: invalid value \"serve,\"; allowed: serve, ledger, http or alerts, or several of them separated by "
		"commas");
	refused(LIST("--reuse-port=maybe"), NULL, "--reuse-port: invalid value \"maybe\"; allowed: true or false");
	refused(LIST("--drain-ms"), NULL, "--drain-ms: needs a value, such as 5000");
	refused(LIST(), LIST("BURSAR_LOG_LEVEL=loud"),
		"BURSAR_LOG_LEVEL: invalid value \"loud\"; allowed: debug, info, warn or error");
	refused(LIST("--grpc-listen", "7420"), NULL,
		"--grpc-listen: \"7420\" is not an address; use 127.0.0.1:7420, [::1]:7420 or unix:/path");
	refused(LIST("--grpc-listen", "::1:7420"), NULL,
		"--grpc-listen: \"::1:7420\" is not an address; put IPv6 in brackets: [::1]:7420");
	refused(LIST("--grpc-listen", "localhost:70000"), NULL,
		"--grpc-listen: \"localhost:70000\" must end in a colon and a port, 0 to 65535");
	refused(LIST("--redis", "127.0.0.1:6379"), NULL,
		"--redis: not a Redis address; use redis://127.0.0.1:6379/0 or unix:///path/to/socket");
	refused(LIST("-x"), NULL, "-x: unknown option; options begin with two dashes");
}

TEST(an_unknown_option_is_answered_with_the_nearest)
{
	char *path = write_file("drain_ms = 1\nworker = 2\n");
	char text[128];

	refused(LIST("--drain-s", "1"), NULL, "--drain-s: unknown option; did you mean --drain-ms?");
	refused(LIST("--zzzzzzzzzzzzzzzzzzz"), NULL, "--zzzzzzzzzzzzzzzzzzz: unknown option; see bursard --help");
	snprintf(text, sizeof(text), "%s:2: worker: unknown option; did you mean workers?", path);
	refused(LIST("--config", path), NULL, text);
	unlink(path);
	refused(LIST("--config", "/nonexistent/x"), NULL,
		"configuration file /nonexistent/x: No such file or directory");
	path = write_file("nonsense\n");
	snprintf(text, sizeof(text), "%s:1: \"nonsense\" is not of the form option = value", path);
	refused(LIST(), LIST((snprintf(err.field, sizeof(err.field), "BURSAR_CONFIG=%s", path), err.field)), text);
	unlink(path);
}

/* Kubernetes sets such variables for a service called bursar. */
TEST(foreign_variables_are_left_alone)
{
	assert_true(load(LIST(), LIST("BURSAR_PORT=tcp://10.0.0.1:7420", "BURSAR_SERVICE_HOST=10.0.0.1", "PATH=/bin")));
	conf_release(&conf);
}

TEST(the_printed_configuration_gives_itself_again)
{
	struct buf first = {0};
	struct buf second = {0};
	char *path;

	assert_true(load(LIST("--drain-ms=7", "--roles=http", "--log-format=json", "--reuse-port"), NULL));
	conf_print(&conf, &first);
	conf_release(&conf);
	path = write_file(buf_str(&first));
	assert_true(load(LIST("--config", path), NULL));
	conf_print(&conf, &second);
	assert_string_equal(buf_str(&first), buf_str(&second));
	conf_release(&conf);
	buf_release(&first);
	buf_release(&second);
	unlink(path);
}

TEST(passwords_are_not_printed)
{
	static const char *const shown[] = {
		"redis = redis://me:***@h:1/0\n", "postgres = host=h password=*** dbname=d\n"};
	struct buf out = {0};

	assert_true(
		load(LIST("--redis", "redis://me:secret@h:1/0", "--postgres", "host=h password='se\\'cret x' dbname=d"),
			NULL));
	conf_print(&conf, &out);
	assert_non_null(strstr(buf_str(&out), shown[0]));
	assert_non_null(strstr(buf_str(&out), shown[1]));
	assert_null(strstr(buf_str(&out), "cret"));
	conf_release(&conf);
	buf_reset(&out);
	assert_true(load(
		LIST("--redis", "redis://:sec@ret@h:1/0", "--postgres", "postgres://u:secret@h/d?password=cret&x=1"),
		NULL));
	conf_print(&conf, &out);
	assert_null(strstr(buf_str(&out), "cret"));
	assert_null(strstr(buf_str(&out), "sec@"));
	conf_release(&conf);
	buf_release(&out);
}

TEST(help_and_page_name_every_option)
{
	static const char *const names[] = {
#define CONF_GROUP(title)
#define CONF_TEXT(name, ...) #name,
#define CONF_SECRET(name, ...) #name,
#define CONF_INT(name, ...) #name,
#define CONF_SIZE(name, ...) #name,
#define CONF_BOOL(name, ...) #name,
#define CONF_CHOICE2(name, ...) #name,
#define CONF_CHOICE3(name, ...) #name,
#define CONF_CHOICE4(name, ...) #name,
#define CONF_SET4(name, ...) #name,
#include "base/conf/conf.def"
#include "base/conf/undef.h"
	};
	struct buf help = {0};
	struct buf page = {0};

	conf_print_help(&help);
	conf_print_docs(&page);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[96];

		snprintf(text, sizeof(text), "| `%s` |", names[i]);
		assert_non_null(strstr(buf_str(&page), text));
		snprintf(text, sizeof(text), "  --%s ", names[i]);
		for (char *p = text; *p; p++)
			*p = *p == '_' ? '-' : *p;
		assert_non_null(strstr(buf_str(&help), text));
	}
	buf_release(&help);
	buf_release(&page);
}

/* After a change of the table, regenerate the page: bursard --print-config-docs > docs/configuration.md */
TEST(the_page_in_docs_is_that_of_the_table)
{
	struct buf expected = {0};
	struct buf page = {0};

	source_read("docs/configuration.md", &page);
	conf_print_docs(&expected);
	if (strcmp(buf_str(&page), buf_str(&expected)) != 0)
		print_error("run: bursard --print-config-docs > docs/configuration.md\n");
	assert_string_equal(buf_str(&page), buf_str(&expected));
	buf_release(&expected);
	buf_release(&page);
}

TEST(one_option_can_be_set_by_name)
{
	conf_init(&conf);
	assert_true(conf_set(&conf, "drain_ms", "9", &err));
	assert_int_equal(conf.drain_ms, 9);
	assert_false(conf_set(&conf, "drain", "9", &err));
	assert_string_equal(err.field, "drain");
	conf_release(&conf);
}

TEST(an_at_before_the_scheme_is_printed_as_it_is)
{
	struct buf out = {0};

	conf_init(&conf);
	assert_true(conf_set(&conf, "postgres", "a@b://c:d", &err));
	conf_print(&conf, &out);
	assert_non_null(strstr(buf_str(&out), "postgres = a@b://c:d\n"));
	buf_release(&out);
	conf_release(&conf);
}
