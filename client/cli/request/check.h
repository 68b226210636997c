/* Reads the options of a check and shows its answer. */
#ifndef BURSAR_CLI_CHECK_H
#define BURSAR_CLI_CHECK_H

#include "cli/core/command.h"

/*
 * Reads USER and the options that check and explain share; false with cli->err. The strings point into the command line. What it
 * expects to use is kept until the next call.
 */
bool read_check(struct cli *cli, Bursar__V1__CheckRequest *request);

/* Shows a check's answer; returns EXIT_DONE or EXIT_DENIED. */
int show_decision(struct cli *cli, const Bursar__V1__CheckResponse *answer);

#define OPTIONS_ASK \
	{'i', "interface", OPTION_TEXT, "NAME", \
		"where the request comes from: telegram, discord, web, api (default: api)", NULL}, \
		{'m', "model", OPTION_TEXT, "MODEL", "the model to ask; without it, no cost is held", NULL}, \
		{'\0', "mode", OPTION_TEXT, "MODE", \
			"the pricing mode: batch, flex, priority or another one in the price (default: standard)", \
			NULL}, \
		{'\0', "input-tokens", OPTION_COUNT, "N", "the estimated input, all meters together", NULL}, \
		{'\0', "cached-tokens", OPTION_COUNT, "N", \
			"how many of them the provider will probably read from its cache", NULL}, \
		{'\0', "expect", OPTION_LIST, "NAME=N", \
			"how many web_searches, output_images, ... it will use at most (may be repeated); 0: none", \
			NULL}, \
		{'\0', "max-output-tokens", OPTION_COUNT, "N", "the maximum output (default: the tier's)", NULL}, \
	{ \
		'\0', "language", OPTION_TEXT, "TAG", "the language of texts for the user, such as en", NULL \
	}

#endif
