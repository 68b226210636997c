/* What the shells complete beside commands and options: values, by the words that stand for them in the help. */
#ifndef BURSAR_CLI_COMPLETE_H
#define BURSAR_CLI_COMPLETE_H

#include "cli/core/command.h"

struct completion_row {
	const char *placeholder; /* "TIER" */
	const char *what; /* asked by `bursar complete WHAT PREFIX`; NULL: names of files, or: */
	const char *choices; /* words, with blanks between them */
};

/* The row of an option's value or of a word of a command's arguments, such as "[MODEL...]"; NULL: nothing can be offered. */
const struct completion_row *completion_row(const char *placeholder);

/*
 * The hidden command `complete WHAT PREFIX -- WORD...`: what the server knows, a line each, that begins with PREFIX. The words are those typed
 * so far, of which options like --addr, --profile, --tenant and --kind count.
 */
int complete_run(struct cli *cli);

#endif
