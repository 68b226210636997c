/* top: live figures of decisions. */
#ifndef BURSAR_CLI_TOP_H
#define BURSAR_CLI_TOP_H

#include "cli/core/command.h"

/*
 * The most frequent of many names in bounded memory (the space-saving algorithm): a new name takes the place and the
 * count of the rarest one. Counts are exact while there are no more names than places; otherwise they can only be too
 * high. Older counts decay.
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
/* Reduces every count to nine tenths. */
void hot_fade(struct hot *hot);
/* Sorts by count, the most frequent first. */
void hot_sort(struct hot *hot);

int top_run(struct cli *cli);

#endif
