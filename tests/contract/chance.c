/* Random numbers from a seed (splitmix64). */
#include "chance.h"

static uint64_t chance_next(struct chance *chance)
{
	uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int64_t chance_below(struct chance *chance, int64_t n)
{
	return (int64_t)(chance_next(chance) % (uint64_t)n);
}

int64_t chance_between(struct chance *chance, int64_t least, int64_t most)
{
	return least + chance_below(chance, most - least + 1);
}

bool chance_percent(struct chance *chance, int percent)
{
	return chance_below(chance, 100) < percent;
}
