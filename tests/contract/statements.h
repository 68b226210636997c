/* The statements of a case. */
#ifndef TESTS_CONTRACT_STATEMENTS_H
#define TESTS_CONTRACT_STATEMENTS_H

#include "world.h"

/* Does what one line says, and fails the test where the answer is not the expected one. */
void statement_run(struct world *world, const struct line *line);

/* Parts of it, by file: true when the line's first word is one of theirs. */
bool statement_setup(struct world *world, const struct line *line);
bool statement_call(struct world *world, const struct line *line);

#endif
