/* A Watch for a command: its answers one after the other, until Ctrl-C. */
#ifndef BURSAR_CLI_LIVE_H
#define BURSAR_CLI_LIVE_H

#include "cli/core/command.h"

struct live {
	struct cli *cli;
	/* Each answer; false: that was enough. It is freed behind it. It may not make calls that wait; `tick` may. */
	bool (*answer)(struct live *live, const Bursar__V1__WatchResponse *answer);
	/* Ten times a second; false: enough. May be NULL. */
	bool (*tick)(struct live *live);
	/* its own */
	bool enough, ended;
	struct bursar_error error;
};

/* The filters that the options of OPTIONS_WATCH name. */
void live_request(struct cli *cli, Bursar__V1__WatchRequest *request);
/* From now on Ctrl-C, SIGTERM and SIGHUP do not end the program, but are told by live_stopped. */
void live_catch_signals(void);
bool live_stopped(void);

/* The exit code: EXIT_DONE also after Ctrl-C. */
int live_run(struct live *live, const Bursar__V1__WatchRequest *request);

#define OPTIONS_WATCH \
	OPTION_TENANT, {'\0', "all-tenants", OPTION_FLAG, NULL, "of every tenant (operators)", NULL}, \
		{'u', "user", OPTION_TEXT, "USER", "of one user; none of his is left out", NULL}, \
		{'i', "interface", OPTION_TEXT, "NAME", "from one interface", NULL}, \
		{'m', "model", OPTION_TEXT, "MODEL", "for one model", NULL}, \
		{'d', "denied", OPTION_FLAG, NULL, "only what was denied or refused", NULL}, \
	{ \
		'\0', "reason", OPTION_CHOICE, "REASON", "only what was denied for it", \
			"suspended|quota|budget|request_rate|token_rate|cost_rate|concurrency|deleted|unknown_user|" \
			"request_closed" \
	}

#endif
