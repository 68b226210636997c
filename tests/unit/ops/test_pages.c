/* The pages of the HTTP server, requested over a socket. */

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/observe/metrics.h"
#include "lib/test.h"
#include "ops/pages.h"

static struct http *http;
static bool redis_ready;
static char answer[262144];

static bool probe_redis(struct buf *reason, void *ctx)
{
	assert_ptr_equal(ctx, &redis_ready);
	if (!redis_ready)
		buf_put_str(reason, "\"redis\" does not\nanswer \xff");
	return redis_ready;
}

static bool probe_schema(struct buf *reason, void *ctx)
{
	(void)reason;
	(void)ctx;
	return true;
}

static int set_up(void **state)
{
	static const struct http_probe probes[] = {
		{"redis", probe_redis, &redis_ready}, {"schema", probe_schema, NULL}, {0}};
	static struct http_page pages[OPS_PAGES];
	struct err err;

	(void)state;
	redis_ready = true;
	ops_pages(pages, probes);
	http = http_start(
		&(struct http_options){.option = "http_listen", .listen = "127.0.0.1:0", .threads = 1, .pages = pages},
		&err);
	assert_non_null(http);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	http_stop(http);
	return 0;
}

/* Sends a request line, reads to the end and returns the status. */
static int ask(const char *line)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)http_port(http))};
	char request[256];
	size_t len = 0;
	int status = 0;
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", line);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while ((n = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	close(fd);
	sscanf(answer, "HTTP/1.1 %d", &status);
	return status;
}

static const char *body(void)
{
	const char *end = strstr(answer, "\r\n\r\n");

	return end ? end + 4 : "";
}

#define SERVED(name) TEST_WITH(name, set_up, tear_down)

SERVED(metrics_are_shown)
{
	metric_inc(METRIC_renewals_total, 0, 0);
	assert_int_equal(ask("GET /metrics"), 200);
	assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
	assert_non_null(strstr(body(), "\nbursar_renewals_total 1\n"));
}

SERVED(healthz_is_ok_while_the_process_runs)
{
	redis_ready = false;
	assert_int_equal(ask("GET /healthz"), 200);
	assert_string_equal(body(), "ok\n");
	assert_int_equal(ask("HEAD /healthz"), 200);
	assert_string_equal(body(), "");
}

SERVED(readyz_is_ready_when_all_are)
{
	assert_int_equal(ask("GET /readyz"), 200);
	assert_string_equal(
		body(), "{\"ready\":true,\"checks\":{\"redis\":{\"ready\":true},\"schema\":{\"ready\":true}}}\n");
}

SERVED(readyz_says_what_is_not_ready_and_why)
{
	json_t *json;

	redis_ready = false;
	assert_int_equal(ask("GET /readyz"), 503);
	json = json_loads(body(), 0, NULL);
	assert_non_null(json);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json_object_get(json, "checks"), "redis"), "reason")),
		"\"redis\" does not\nanswer ?");
	json_decref(json);
}

SERVED(other_pages_and_methods_are_refused)
{
	assert_int_equal(ask("GET /"), 404);
	assert_int_equal(ask("GET /metrics/../etc/passwd"), 404);
	assert_int_equal(ask("DELETE /metrics"), 405);
	assert_non_null(strstr(answer, "Allow: GET, HEAD"));
}

SERVED(a_bad_or_taken_address_is_an_error_with_a_sentence)
{
	char taken[32];
	struct err err;

	snprintf(taken, sizeof(taken), "127.0.0.1:%d", http_port(http));
	assert_null(http_start(&(struct http_options){.option = "http_listen", .listen = taken}, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.text, "Address already in use"));
	assert_null(http_start(&(struct http_options){.option = "http_listen", .listen = "unix:/tmp/x"}, &err));
	assert_int_equal(err.code, ERR_INVALID);
}
