/* A check: what it is asked about, and how its answer looks to people. */
#ifndef BURSAR_CLI_CHECK_H
#define BURSAR_CLI_CHECK_H

#include "cli/core/command.h"

/* Reads USER and the options that check and explain have in common. The strings are borrowed from the command line. */
void read_check(struct cli *cli, Bursar__V1__CheckRequest *request);

/* Shows a check's answer; EXIT_DONE or EXIT_DENIED. */
int show_decision(struct cli *cli, const Bursar__V1__CheckResponse *answer);

#define OPTIONS_ASK \
	{'i', "interface", OPTION_TEXT, "NAME", "where it comes from: telegram, discord, web, api (default: api)", \
		NULL}, \
		{'m', "model", OPTION_TEXT, "MODEL", "the model to be asked; without it no cost is held", NULL}, \
		{'\0', "mode", OPTION_TEXT, "MODE", \
			"how it is bought: batch, flex, priority or what else the price names (default: standard)", \
			NULL}, \
		{'\0', "input-tokens", OPTION_COUNT, "N", "estimated input, all classes together", NULL}, \
		{'\0', "max-output-tokens", OPTION_COUNT, "N", "the most it may answer (default: the tier's)", NULL}, \
	{ \
		'\0', "language", OPTION_TEXT, "TAG", "of the texts for the user, such as en", NULL \
	}

#endif
