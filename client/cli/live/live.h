/* Runs a stream for a command: delivers its answers until Ctrl-C. */
#ifndef BURSAR_CLI_LIVE_H
#define BURSAR_CLI_LIVE_H

#include "cli/core/command.h"

struct live {
	struct cli *cli;
	/* Called for each answer, which is freed afterwards; false: stop. Must not make calls that wait; `tick` may. */
	bool (*answer)(struct live *live, const void *answer);
	/* Called ten times a second; false: stop. May be NULL. */
	bool (*tick)(struct live *live);
	/* private */
	bool enough, ended;
	struct bursar_error error;
};

/* Fills the request with the filters from OPTIONS_WATCH. */
void live_request(struct cli *cli, Bursar__V1__WatchRequest *request);
/* From now on, Ctrl-C, SIGTERM and SIGHUP do not end the program; live_stopped reports them. */
void live_catch_signals(void);
bool live_stopped(void);

/* Runs the stream to its end. True when it was ended from here; else live->error says how the server or the connection ended it. */
bool live_stream(struct live *live, enum bursar_stream_method method, const void *request);
/* The same of a Watch. Returns the exit code: EXIT_DONE also after Ctrl-C. */
int live_run(struct live *live, const Bursar__V1__WatchRequest *request);

#define OPTIONS_WATCH \
	OPTION_TENANT, {'\0', "all-tenants", OPTION_FLAG, NULL, "all tenants (operators only)", NULL}, \
		{'u', "user", OPTION_TEXT, "USER", "only this user; none of their events are left out", NULL}, \
		{'i', "interface", OPTION_TEXT, "NAME", "only this interface", NULL}, \
		{'m', "model", OPTION_TEXT, "MODEL", "only this model", NULL}, \
		{'d', "denied", OPTION_FLAG, NULL, "only denials and refusals", NULL}, \
	{ \
		'\0', "reason", OPTION_CHOICE, "REASON", "only denials for this reason", \
			"suspended|quota|budget|request_rate|token_rate|cost_rate|concurrency|deleted|unknown_user|" \
			"request_closed" \
	}

#endif
