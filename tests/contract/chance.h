/* Numbers that follow from a seed (splitmix64), for random tests. */
#ifndef TESTS_CONTRACT_CHANCE_H
#define TESTS_CONTRACT_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};
/* 0..n-1 */
int64_t chance_below(struct chance *chance, int64_t n);
int64_t chance_between(struct chance *chance, int64_t least, int64_t most);
bool chance_percent(struct chance *chance, int percent);

#endif
