/* Completion of values, by their placeholders in the help. */
#ifndef BURSAR_CLI_COMPLETE_H
#define BURSAR_CLI_COMPLETE_H

#include "cli/core/command.h"

struct completion_row {
	const char *placeholder; /* "TIER" */
	const char *what; /* WHAT of `bursar complete WHAT PREFIX`; NULL: file names, or: */
	const char *choices; /* words, separated by spaces */
};

/*
 * The row for an option's value or for a word of a command's arguments, such as "[MODEL...]"; NULL: there is nothing
 * to offer.
 */
const struct completion_row *completion_row(const char *placeholder);

/*
 * The hidden command `complete WHAT PREFIX -- WORD...`: prints names that the server knows and that begin with PREFIX,
 * one per line. The words are those typed so far; options such as --addr, --profile, --tenant and --kind take effect.
 */
int complete_run(struct cli *cli);

#endif
