/* record: records what a request really used. */
#ifndef BURSAR_CLI_RECORD_H
#define BURSAR_CLI_RECORD_H

#include "cli/core/command.h"
#include "cli/common/meters.h"

/* Runs the command; returns the exit code. */
int record_run(struct cli *cli);

/* Whether any option of OPTIONS_USAGE that gives tokens is present. */
bool usage_given(const struct cli *cli);
/* What the options of OPTIONS_USAGE say: either what was used, or a file of the provider's. */
struct usage_options {
	Bursar__V1__TokenUsage usage;
	Bursar__V1__ProviderUsage provider;
	bool from_provider;
	struct buf json;
};
/* Reads them; false with cli->err. Release in any case. */
bool read_usage(struct cli *cli, struct usage_options *out);
void usage_options_release(struct usage_options *options);

#define OPTIONS_USAGE \
	{'\0', "input-tokens", OPTION_COUNT, "N", "fresh input", NULL}, \
		{'\0', "output-tokens", OPTION_COUNT, "N", "output without reasoning", NULL}, \
		{'\0', "cached-tokens", OPTION_COUNT, "N", "input read from the provider's cache", NULL}, \
		{'\0', "cache-write-tokens", OPTION_COUNT, "N", "input written to the provider's cache", NULL}, \
		{'\0', "reasoning-tokens", OPTION_COUNT, "N", "reasoning output", NULL}, \
		{'\0', "audio-input-tokens", OPTION_COUNT, "N", "audio input", NULL}, \
		{'\0', "audio-output-tokens", OPTION_COUNT, "N", "audio output", NULL}, OPTION_METER, \
		{'\0', "usage", OPTION_FILE, "FILE", \
			"what the provider sent about it (JSON; - is standard input); the server reads it", NULL}, \
		{'\0', "provider", OPTION_TEXT, "NAME", \
			"the format of FILE: openai, anthropic, google, ... (default: recognized by its members)", \
			NULL}, \
	{ \
		'\0', "mode", OPTION_TEXT, "MODE", \
			"the pricing mode: batch, flex, priority or another one in the price (default: standard)", \
			NULL \
	}

#endif
