/* The statements of a case. */
#ifndef TESTS_CONTRACT_STATEMENTS_H
#define TESTS_CONTRACT_STATEMENTS_H

#include "world.h"

/* Runs one line, and fails the test if the answer is not the expected one. */
void statement_run(struct world *world, const struct line *line);

/* The statements of each file: true if the line's first word is one of theirs. */
bool statement_setup(struct world *world, const struct line *line);
bool statement_call(struct world *world, const struct line *line);

#endif
