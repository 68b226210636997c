/* Random numbers of a seed (splitmix64). */
#include "episode.h"

uint64_t chance_next(struct chance *chance)
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

bool chance_percent(struct chance *chance, int percent)
{
	return chance_below(chance, 100) < percent;
}

int64_t chance_count(struct chance *chance, int64_t most)
{
	int64_t n;

	switch (chance_below(chance, 6)) {
	case 0:
		n = chance_below(chance, 3);
		break;
	case 1:
		n = chance_below(chance, 20);
		break;
	case 2:
		n = chance_below(chance, 100000);
		break;
	case 3:
		n = (INT64_C(1) << chance_below(chance, 53)) - 1 + chance_below(chance, 3);
		break;
	case 4:
		n = most - chance_below(chance, 3);
		break;
	default:
		n = chance_below(chance, INT64_C(1) << chance_below(chance, 53));
		break;
	}
	return n < 0 ? 0 : n > most ? most : n;
}
