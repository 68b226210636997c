/* A log line stays one line whatever is put into it, and repeats are suppressed. */

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/observe/log.h"
#include "lib/test.h"

static int pipe_fds[2];
static char written[65536];

static int open_pipe(void **state)
{
	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_NONBLOCK), 0);
	log_to(pipe_fds[1]);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	log_to(STDERR_FILENO);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_INFO);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

static const char *read_lines(void)
{
	ssize_t n = read(pipe_fds[0], written, sizeof(written) - 1);

	written[n < 0 ? 0 : n] = '\0';
	return written;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

#define PIPED(name) TEST_WITH(name, open_pipe, close_pipe)

PIPED(a_line_has_time_level_sentence_and_fields)
{
	log_warn("redis lost", F("addr", "127.0.0.1:6379"), FI("after_us", -5));
	assert_non_null(strstr(read_lines(), "Z level=warn msg=\"redis lost\" addr=127.0.0.1:6379 after_us=-5\n"));
	assert_memory_equal(written, "time=20", 7);
	log_info("no fields");
	assert_non_null(strstr(read_lines(), "level=info msg=\"no fields\"\n"));
}

PIPED(hostile_values_stay_values)
{
	log_info("hostile", F("a", "x\nlevel=error msg=\"forged\""), F("b", "\x1b[2J\xc2\x9b\x7f"),
		F("c", "\xff\xe2\x82"), F("d", "\xe2\x82\xac"), F("e", ""), F("f", NULL));
	read_lines();
	assert_int_equal(count_lines(written), 1);
	assert_non_null(strstr(written, "a=\"x\\nlevel=error msg=\\\"forged\\\"\" "));
	assert_non_null(strstr(written, "b=\"\\u001b[2J\\u00c2\\u009b\\u007f\" "));
	assert_non_null(strstr(written, "c=\"\\u00ff\\u00e2\\u0082\" d=\"\xe2\x82\xac\" e=\"\" f=\"\"\n"));
}

PIPED(json_lines_are_json_even_when_cut)
{
	char *long_text = malloc(10001);

	log_setup(LOG_FORMAT_JSON, LOG_LEVEL_DEBUG);
	for (size_t cut = 0; cut < 9; cut++) {
		json_t *json;
		json_error_t error;

		memset(long_text, 'y', 10000);
		long_text[10000] = '\0';
		for (size_t i = 1900 + cut; i < 2200; i += 3)
			memcpy(long_text + i, cut % 2 ? "\xe2\x82\xac" : "\"\n\\", 3);
		log_debug("cut", F("text", long_text), F("more", "z"), FI("number", 7));
		read_lines();
		assert_int_equal(count_lines(written), 1);
		assert_true(strlen(written) <= 2048);
		json = json_loads(written, 0, &error);
		if (!json)
			print_error("%s: %s\n", error.text, written);
		assert_non_null(json);
		assert_string_equal(json_string_value(json_object_get(json, "msg")), "cut");
		json_decref(json);
	}
	free(long_text);
}

PIPED(lines_below_the_level_are_not_written)
{
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_WARN);
	log_debug("debug");
	log_info("info");
	assert_string_equal(read_lines(), "");
	log_error("error");
	assert_int_equal(count_lines(read_lines()), 1);
	assert_false(log_enabled(LOG_LEVEL_INFO));
}

PIPED(repeats_are_kept_back_and_counted)
{
	struct log_site site = {0};
	const struct log_field none = {0};

	for (int i = 0; i < 100; i++)
		log_write(&site, LOG_LEVEL_WARN, "again", &none);
	assert_int_equal(count_lines(read_lines()), 10);
	/* As if a second had passed. */
	site.window_start_us = clock_mono_us() - 2000000;
	log_write(&site, LOG_LEVEL_WARN, "again", &none);
	assert_non_null(strstr(read_lines(), "msg=\"again\" suppressed=90\n"));
	log_write(&site, LOG_LEVEL_WARN, "again", &none);
	assert_null(strstr(read_lines(), "suppressed"));
}
