/*
 * A bot on libbursar for tests/e2e/test_c_client.py: `client_tool ADDRESS FOLDER ORPHAN_US`. It does one thing for
 * each line of its input, as a program does that calls nothing of the library meanwhile, and answers it with one
 * line:
 *
 *	check USER                      the handle
 *	record HANDLE TOKENS            answered TOKENS REPEAT; kept; or failed CODE REASON
 *	send HANDLE TOKENS              sent: it is on its way, and nobody waits for the answer
 *	drain SECONDS                   how many wait then
 *	lease LEASE LEASE_US            added
 *	lost SECONDS                    the handle and the code of what is lost meanwhile; or nothing
 *	problems                        what the spool has told, with blanks between
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c/bursar.h"

struct bot {
	struct bursar *bursar;
	struct bursar_renewer *renewer;
	struct bursar_spool *spool;
	char lost[4096];
	char problems[4096];
};

static void on_lost(void *ctx, const char *handle, const struct bursar_error *error)
{
	struct bot *bot = ctx;

	snprintf(bot->lost, sizeof(bot->lost), "%s %s", handle, bursar_code_name(error->code));
}

static void on_problem(void *ctx, const char *name, const struct bursar_error *error)
{
	struct bot *bot = ctx;
	size_t len = strlen(bot->problems);

	snprintf(bot->problems + len, sizeof(bot->problems) - len, "%s%s ", name, error->reason);
}

static void on_sent(void *ctx, Bursar__V1__RecordResponse *answer, bool kept, const struct bursar_error *error)
{
	(void)ctx;
	(void)kept;
	(void)error;
	bursar_free(answer);
}

static void check(struct bot *bot, const char *user)
{
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	Bursar__V1__CheckResponse *answer;
	struct bursar_error error = {0};

	request.user = (char *)user;
	answer = bursar_check(bot->bursar, &request, &error);
	puts(answer ? answer->reservation : error.message);
	bursar_free(answer);
}

static void record(struct bot *bot, const char *handle, const char *tokens, bool waits)
{
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;
	Bursar__V1__RecordResponse *answer;
	struct bursar_error error = {0};
	bool kept;

	reservation.handle = (char *)handle;
	usage.input_tokens = atoll(tokens);
	request.reservation = &reservation;
	request.usage = &usage;
	if (!waits) {
		bursar_spool_record(bot->spool, &request, on_sent, NULL);
		puts("sent");
		return;
	}
	answer = bursar_spool_record_wait(bot->spool, &request, &kept, &error);
	if (answer)
		printf("answered %lld %s\n", (long long)answer->tokens, answer->repeat ? "again" : "once");
	else if (kept)
		puts("kept");
	else
		printf("failed %s %s\n", bursar_code_name(error.code), error.reason);
	bursar_free(answer);
}

static void wait_for_loss(struct bot *bot, long seconds)
{
	for (long i = 0; i < seconds && !bot->lost[0]; i++)
		bursar_poll(bot->bursar, 1000000);
	puts(bot->lost);
	bot->lost[0] = '\0';
}

static void obey(struct bot *bot, char *line)
{
	const char *what = strtok(line, " \n"), *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");

	if (strcmp(what, "check") == 0) {
		check(bot, first);
	} else if (strcmp(what, "record") == 0 || strcmp(what, "send") == 0) {
		record(bot, first, second, what[0] == 'r');
	} else if (strcmp(what, "drain") == 0) {
		bursar_spool_drain(bot->spool, atoll(first) * 1000000);
		printf("%zu\n", bursar_spool_waiting(bot->spool));
	} else if (strcmp(what, "lease") == 0) {
		puts(bursar_renewer_add_lease(bot->renewer, first, atoll(second), NULL) ? "added" : "refused");
	} else if (strcmp(what, "lost") == 0) {
		wait_for_loss(bot, atol(first));
	} else {
		puts(bot->problems);
		bot->problems[0] = '\0';
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct bursar_options options = {.attempt_us = 60000000, .timeout_us = 60000000, .attempts = 1};
	struct bot bot = {0};
	struct bursar_error error;
	char line[8192];

	if (argc != 4)
		return 2;
	signal(SIGXFSZ, SIG_IGN); /* for a test that bounds the size of files */
	bot.bursar = bursar_open(argv[1], &options, &error);
	if (bot.bursar)
		bot.spool = bursar_spool_open(bot.bursar, argv[2],
			&(struct bursar_spool_options){.problem = on_problem, .ctx = &bot}, &error);
	if (bot.spool)
		bot.renewer = bursar_renewer_open(bot.bursar,
			&(struct bursar_renewer_options){.orphan_us = atoll(argv[3]), .lost = on_lost, .ctx = &bot},
			&error);
	if (!bot.renewer) {
		fprintf(stderr, "%s: %s\n", error.field, error.message);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		obey(&bot, line);
	bursar_spool_close(bot.spool);
	bursar_renewer_close(bot.renewer);
	bursar_close(bot.bursar);
	return 0;
}
