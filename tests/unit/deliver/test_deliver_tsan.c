/* The threads and their way back to the loop, with commands, and with destinations that the guard refuses. */
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "deliver/deliver.h"
#include "lib/test.h"

enum { JOBS = 40 };

struct sent {
	struct deliver_job job;
	int done;
};

static struct {
	uv_loop_t loop;
	struct conf conf;
	char folder[64];
	struct alert_channel channel;
	struct alert_message message;
	struct sent sent[JOBS];
} bench;

static void set(const char *name, const char *value)
{
	struct err err = {0};

	if (!conf_set(&bench.conf, name, value, &err))
		fail_msg("%s", err.text);
}

/* A program of the test's own. */
static void program(const char *name, const char *script)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", bench.folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	assert_int_equal(chmod(path, 0755), 0);
}

static int set_up(__attribute__((unused)) void **state)
{
	memset(&bench, 0, sizeof(bench));
	strcpy(bench.folder, "/tmp/deliver.XXXXXX");
	assert_non_null(mkdtemp(bench.folder));
	conf_init(&bench.conf);
	uv_loop_init(&bench.loop);
	bench.channel = (struct alert_channel){.tenant = "acme",
		.name = "ops",
		.kind = CHANNEL_COMMAND,
		.target = "page",
		.language = "",
		.title = "",
		.body = "",
		.secret = {.url = "", .token = ""}};
	bench.message = (struct alert_message){.title = "T",
		.text = "t",
		.html = "",
		.content_type = "application/json",
		.body = "{\"a\":1}",
		.body_len = 7};
	return 0;
}

static int remove_one(const char *path, __attribute__((unused)) const struct stat *info,
	__attribute__((unused)) int type, __attribute__((unused)) struct FTW *at)
{
	return remove(path);
}

static int tear_down(__attribute__((unused)) void **state)
{
	assert_int_equal(uv_loop_close(&bench.loop), 0);
	conf_release(&bench.conf);
	return nftw(bench.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
#define ON_BENCH(name) TEST_WITH(name, set_up, tear_down)

static void command(const char *script)
{
	char value[160];

	program("page", script);
	snprintf(value, sizeof(value), "other=/bin/true, page=%s/page", bench.folder);
	set("alert_commands", value);
}

static void on_done(struct deliver_job *job)
{
	container_of(job, struct sent, job)->done++;
}

static struct deliverer *start(int threads)
{
	struct err err = {0};
	struct deliverer *deliverer = deliver_new(&bench.conf, &bench.loop, threads, &err);

	if (!deliverer)
		fail_msg("%s", err.text);
	return deliverer;
}

static void submit(struct deliverer *deliverer, int jobs)
{
	for (int i = 0; i < jobs; i++) {
		bench.sent[i] = (struct sent){.job = {.channel = &bench.channel,
						      .message = &bench.message,
						      .message_id = "msg_1",
						      .now_us = INT64_C(1764488280000000),
						      .done = on_done}};
		deliverer->start(deliverer, &bench.sent[i].job);
		assert_int_equal(bench.sent[i].done, 0);
	}
}

static void wait_for(int jobs)
{
	for (int i = 0; i < jobs; i++)
		while (!bench.sent[i].done)
			uv_run(&bench.loop, UV_RUN_ONCE);
}

static void stop(struct deliverer *deliverer)
{
	deliver_free(deliverer);
	uv_run(&bench.loop, UV_RUN_DEFAULT);
}

static const struct deliver_job *send_one(void)
{
	struct deliverer *deliverer = start(1);

	submit(deliverer, 1);
	wait_for(1);
	stop(deliverer);
	assert_int_equal(bench.sent[0].done, 1);
	return &bench.sent[0].job;
}

ON_BENCH(a_command_reads_the_alert_in_a_small_environment)
{
	const struct deliver_job *job;

	command("test \"$(cat)\" = '{\"a\":1}' || exit 1\n"
		"test \"$(pwd)\" = / || exit 2\n"
		"test \"$BURSAR_MESSAGE_ID $BURSAR_TENANT $BURSAR_CHANNEL\" = 'msg_1 acme ops' || exit 3\n"
		"test -z \"$HOME$USER\" || exit 4\n"
		"test \"$(ls /proc/self/fd | wc -l)\" -le 4 || exit 5");
	job = send_one();
	assert_string_equal(job->error, "");
	assert_int_equal(job->outcome, DELIVER_DONE);
	assert_int_equal(job->status, 0);
}

ON_BENCH(a_command_that_fails_is_tried_again_and_quoted)
{
	const struct deliver_job *job;

	command("echo 'pager is off'; echo more; exit 75");
	job = send_one();
	assert_int_equal(job->outcome, DELIVER_RETRY);
	assert_int_equal(job->status, 75);
	assert_string_equal(job->error, "exit code 75: pager is off");
}

ON_BENCH(a_command_that_is_killed_says_by_what)
{
	command("kill -TERM $$");
	assert_string_equal(send_one()->error, "ended by signal 15");
	assert_int_equal(bench.sent[0].job.status, 128 + 15);
}

/* Is the process gone, or dead and not yet forgotten by whoever has inherited it? */
static bool is_dead(int pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(file);
	return state == 'Z' || state == 'X';
}

ON_BENCH(a_command_that_does_not_end_is_ended_with_its_children)
{
	const struct deliver_job *job;
	char script[160], path[128];
	FILE *file;
	int child = 0;

	set("alert_timeout_ms", "2000");
	snprintf(script, sizeof(script), "sleep 600 & echo $! > %s/child; sleep 600", bench.folder);
	command(script);
	job = send_one();
	assert_int_equal(job->outcome, DELIVER_RETRY);
	assert_non_null(strstr(job->error, "alert_timeout_ms"));
	snprintf(path, sizeof(path), "%s/child", bench.folder);
	file = fopen(path, "re");
	if (!file)
		skip(); /* the machine is so busy that the program had not begun */
	assert_int_equal(fscanf(file, "%d", &child), 1);
	fclose(file);
	while (!is_dead(child))
		sched_yield();
}

/* The child keeps the output open; the command is over all the same. */
ON_BENCH(a_command_is_over_when_it_ends_not_when_its_output_does)
{
	command("sleep 30 &\nexit 0");
	assert_int_equal(send_one()->outcome, DELIVER_DONE);
}

ON_BENCH(much_output_does_not_stop_a_command)
{
	command("head -c 300000 /dev/zero | tr '\\0' x; exit 3");
	assert_int_equal(send_one()->status, 3);
}

ON_BENCH(a_command_without_a_program_may_be_elsewhere)
{
	bench.channel.target = "absent";
	command("exit 0");
	assert_int_equal(send_one()->outcome, DELIVER_RETRY);
	assert_string_equal(bench.sent[0].job.error, "the option alert_commands has no absent");
}

ON_BENCH(many_jobs_on_many_threads_all_come_back_once)
{
	struct deliverer *deliverer;

	command("exit 0");
	deliverer = start(8);
	submit(deliverer, JOBS);
	wait_for(JOBS);
	stop(deliverer);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(bench.sent[i].done, 1);
		assert_int_equal(bench.sent[i].job.outcome, DELIVER_DONE);
	}
}

ON_BENCH(stopping_ends_what_runs_and_what_waits)
{
	struct deliverer *deliverer;

	set("alert_timeout_ms", "60000");
	command("sleep 60");
	deliverer = start(2);
	submit(deliverer, 6);
	stop(deliverer);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(bench.sent[i].done, 1);
		assert_int_equal(bench.sent[i].job.outcome, DELIVER_ABORTED);
		assert_string_equal(bench.sent[i].job.error, "this process is stopping");
	}
}

ON_BENCH(an_address_in_a_private_network_is_dead)
{
	const struct deliver_job *job;

	bench.channel.kind = CHANNEL_WEBHOOK;
	bench.channel.target = "https://[::ffff:127.0.0.1]:9/";
	job = send_one();
	assert_int_equal(job->outcome, DELIVER_DEAD);
	assert_string_equal(job->error, "127.0.0.1 is loopback: only the networks of alert_allow may be such");
}

ON_BENCH(an_error_names_no_secret)
{
	const struct deliver_job *job;

	command("echo \"the token is s3cret-token, the header s3cret-header\"; exit 1");
	bench.channel.secret.token = "s3cret-token";
	bench.channel.secret.headers = 1;
	bench.channel.secret.header[0] = "X-Key: s3cret-header";
	job = send_one();
	assert_string_equal(job->error, "exit code 1: the token is ***, the header ***");
}

ON_BENCH(options_that_cannot_work_are_refused_at_start)
{
	struct err err = {0};

	set("alert_commands", "page=/bin/no-such-program");
	assert_null(deliver_new(&bench.conf, &bench.loop, 1, &err));
	assert_string_equal(err.field, "alert_commands");
	set("alert_commands", "page=/tmp");
	assert_null(deliver_new(&bench.conf, &bench.loop, 1, &err));
	assert_string_equal(err.field, "alert_commands");
	set("alert_commands", "");
	set("smtp", "smtp://127.0.0.1");
	assert_null(deliver_new(&bench.conf, &bench.loop, 1, &err));
	assert_string_equal(err.field, "smtp_from");
	assert_false(conf_set(&bench.conf, "alert_commands", "page=bin/page", &err));
	assert_false(conf_set(&bench.conf, "alert_commands", "=/bin/true", &err));
	assert_false(conf_set(&bench.conf, "alert_allow", "10.0.0.0/33", &err));
}
