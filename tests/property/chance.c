/* Random counts that hit edges. */
#include "episode.h"

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
