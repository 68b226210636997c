/* Runs the stream, and handles the signals that end it (live.h). */
#include "cli/live/live.h"

#include <signal.h>

#include "cli/live/terminal.h"

enum { TICK_US = 100000 };

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

void live_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool live_stopped(void)
{
	return stopped != 0;
}

void live_request(struct cli *cli, Bursar__V1__WatchRequest *request)
{
	bursar__v1__watch_request__init(request);
	request->tenant = (char *)option_text(cli, "tenant");
	request->all_tenants = option_given(cli, "all-tenants");
	request->user = (char *)option_text(cli, "user");
	request->interface = (char *)option_text(cli, "interface");
	request->model = (char *)option_text(cli, "model");
	request->denied = option_given(cli, "denied");
	request->reason =
		(Bursar__V1__Reason)cli_enum(&bursar__v1__reason__descriptor, "REASON_", option_text(cli, "reason"));
}

static void came(void *ctx, void *message)
{
	struct live *live = ctx;

	live->enough = live->enough || !live->answer(live, message);
	bursar_free(message);
}

static void ended(void *ctx, const struct bursar_error *error)
{
	struct live *live = ctx;

	live->ended = true;
	live->error = *error;
}

bool live_stream(struct live *live, enum bursar_stream_method method, const void *request)
{
	struct bursar *bursar = cli_bursar(live->cli);

	live_catch_signals();
	live->ended = false;
	struct bursar_stream *stream = bursar_stream_open(bursar, method, request, came, ended, live);
	while (!stopped && !live->enough && !live->ended) {
		bursar_poll(bursar, TICK_US);
		if (live->tick && !live->ended && !live->tick(live))
			live->enough = true;
	}
	bool left = !live->ended;
	if (left)
		bursar_stream_cancel(stream);
	while (!live->ended)
		bursar_poll(bursar, TICK_US);
	return left;
}

int live_run(struct live *live, const Bursar__V1__WatchRequest *request)
{
	if (live_stream(live, BURSAR_WATCH, request) || live->error.code == BURSAR_OK)
		return EXIT_DONE;
	terminal_back();
	return cli_failed(live->cli, &live->error);
}
