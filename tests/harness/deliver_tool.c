/*
 * Sends alerts for tests/e2e/test_deliver.py: `deliver_tool option=value ...`. Each line of its input is one message as JSON, and is answered
 * by a line of JSON. Names that end in ".test" have the addresses that a line {"resolve": {"a.test": [["10.0.0.1"], ["127.0.0.1"]]}} gives:
 * one list for each question, the last for all others; a name without a list never gets an answer.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/arena.h"
#include "base/list.h"
#include "deliver/deliver.h"

struct sent {
	struct deliver_job job;
	bool done;
};

static json_t *names; /* of ".test" */
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;

typedef int (*resolver)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* The answer to this question, to be released; NULL: none ever comes. */
static json_t *next_answer(const char *name)
{
	json_t *answers, *answer;

	pthread_mutex_lock(&names_lock);
	answers = json_object_get(names, name);
	answer = json_incref(json_array_get(answers, 0));
	if (json_array_size(answers) > 1)
		json_array_remove(answers, 0);
	pthread_mutex_unlock(&names_lock);
	return answer;
}

/* In place of libc's, for curl. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	resolver real = (resolver)dlsym(RTLD_NEXT, "getaddrinfo");
	size_t len = name ? strlen(name) : 0;
	json_t *answer, *address;
	size_t i;

	if (len < 5 || strcmp(name + len - 5, ".test") != 0)
		return real(name, service, hints, out);
	answer = next_answer(name);
	while (!answer)
		pause();
	*out = NULL;
	json_array_foreach(answer, i, address)
	{
		struct addrinfo *more;

		if (real(json_string_value(address), service, hints, &more) == 0) {
			more->ai_next = *out;
			*out = more;
		}
	}
	json_decref(answer);
	return *out ? 0 : EAI_NONAME;
}

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

static int texts(const json_t *object, const char *name, const char **out, int max)
{
	json_t *list = json_object_get(object, name);
	int n = 0;

	for (; n < max && n < (int)json_array_size(list); n++)
		out[n] = json_string_value(json_array_get(list, (size_t)n));
	return n;
}

static struct alert_channel channel_of(const json_t *line)
{
	struct alert_channel channel = {.tenant = "acme",
		.name = "test",
		.enabled = true,
		.least = ALERT_INFO,
		.target = text(line, "target"),
		.language = text(line, "language"),
		.title = text(line, "title"),
		.body = text(line, "body"),
		.quiet_zone = "",
		.secret = {.url = text(line, "url"), .token = text(line, "token")}};

	channel.secret.secrets = texts(line, "secrets", channel.secret.secret, ALERT_SECRETS_MAX);
	channel.secret.headers = texts(line, "headers", channel.secret.header, ALERT_HEADERS_MAX);
	if (!alert_channel_kind_parse(text(line, "kind"), &channel.kind))
		abort();
	return channel;
}

static void make(
	const json_t *line, const struct alert_channel *channel, struct arena *arena, struct alert_message *out)
{
	struct alert_event event = {.kind = ALERT_THRESHOLD,
		.id = 7,
		.at_us = INT64_C(1764486000000000),
		.severity = ALERT_WARNING,
		.tenant = "acme",
		.rule = "limits",
		.account_kind = ACCOUNT_USER,
		.account = text(line, "account"),
		.limit_name = "month",
		.dimension = DIM_COST,
		.unit = WINDOW_MONTH,
		.used = INT64_C(80000000000),
		.amount = INT64_C(100000000000),
		.percent = 80,
		.subject = "",
		.before = "",
		.after = ""};
	const struct alert_event *events[ALERT_DIGEST_EVENTS_MAX];
	int count = (int)json_integer_value(json_object_get(line, "count"));

	for (int i = 0; i < ALERT_DIGEST_EVENTS_MAX; i++)
		events[i] = &event;
	alert_message_make(channel, events, count ? count : 1, 0, "https://bursar.example.org", arena, out);
}

static void on_done(struct deliver_job *job)
{
	container_of(job, struct sent, job)->done = true;
}

static void answer(const struct deliver_job *job)
{
	static const char *const outcomes[] = {"done", "retry", "dead", "aborted"};
	json_t *out =
		json_pack("{sssisIsssI}", "outcome", outcomes[job->outcome], "status", job->status, "retry_after_us",
			(json_int_t)job->retry_after_us, "error", job->error, "took_us", (json_int_t)job->took_us);

	json_dumpf(out, stdout, JSON_COMPACT);
	printf("\n");
	fflush(stdout);
	json_decref(out);
}

static void send_line(struct deliverer *deliverer, uv_loop_t *loop, const json_t *line)
{
	struct alert_channel channel = channel_of(line);
	struct arena arena = {0};
	struct alert_message message;
	struct err err = {0};
	struct sent sent = {.job = {.channel = &channel,
				    .message = &message,
				    .message_id = text(line, "message_id"),
				    .now_us = json_integer_value(json_object_get(line, "now_us")),
				    .done = on_done}};

	if (!alert_channel_check(&channel, &err)) {
		printf("{\"refused\": \"%s\"}\n", err.field);
		fflush(stdout);
		return;
	}
	make(line, &channel, &arena, &message);
	deliverer->start(deliverer, &sent.job);
	while (!sent.done)
		uv_run(loop, UV_RUN_ONCE);
	answer(&sent.job);
	arena_release(&arena);
}

static void serve(struct deliverer *deliverer, uv_loop_t *loop)
{
	char *text_line = NULL;
	size_t cap = 0;

	while (getline(&text_line, &cap, stdin) > 0) {
		json_t *line = json_loads(text_line, 0, NULL);
		json_t *resolve = json_object_get(line, "resolve");

		if (resolve) {
			pthread_mutex_lock(&names_lock);
			json_decref(names);
			names = json_incref(resolve);
			pthread_mutex_unlock(&names_lock);
		} else if (line) {
			send_line(deliverer, loop, line);
		}
		json_decref(line);
	}
	free(text_line);
}

int main(int argc, char **argv)
{
	struct deliverer *deliverer;
	struct conf conf;
	struct err err = {0};
	uv_loop_t loop;

	signal(SIGPIPE, SIG_IGN);
	conf_init(&conf);
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		*value = '\0';
		if (!conf_set(&conf, argv[i], value + 1, &err)) {
			fprintf(stderr, "%s\n", err.text);
			return 2;
		}
	}
	uv_loop_init(&loop);
	deliverer = deliver_new(&conf, &loop, 1, &err);
	if (!deliverer) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	serve(deliverer, &loop);
	deliver_free(deliverer);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	json_decref(names);
	conf_release(&conf);
	return 0;
}
