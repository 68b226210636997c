/* top: what is decided now, in figures. */
#ifndef BURSAR_CLI_TOP_H
#define BURSAR_CLI_TOP_H

#include "cli/core/command.h"

/*
 * The most frequent of many names in bounded memory (space-saving): a new name takes the place, and the count, of the rarest one. What is
 * shown is exact as long as there are no more names than places; else at most too high. Older counts fade.
 */
enum { HOT_PLACES = 256, HOT_NAME = 129 };
struct hot {
	int count;
	struct hot_name {
		char name[HOT_NAME];
		int64_t milli, denied_milli;
	} place[HOT_PLACES];
};
void hot_add(struct hot *hot, const char *name, int64_t milli, bool denied);
/* Every count is nine tenths of what it was. */
void hot_fade(struct hot *hot);
/* The most frequent first. */
void hot_sort(struct hot *hot);

int top_run(struct cli *cli);

#endif
