/* Between the files of the repair. */
#ifndef BURSAR_SERVICE_REPAIR_PRIVATE_H
#define BURSAR_SERVICE_REPAIR_PRIVATE_H

#include "service/repair.h"

struct repair *repair_of(struct flow *flow);
/* Moves to the next account of the mask at or after `from`; false when there is none. */
bool repair_next_account(struct repair *repair, int from);
enum flow_result repair_store_failed(struct repair *repair, const struct limits_op *op);
/* Asks PostgreSQL about the accounts of the mask; the flow goes on when it has answered, or has had a second. */
enum flow_result repair_look_up(struct repair *repair);
/* What PostgreSQL has said of them counts, also where it is older than what was remembered: such an account was erased. */
void repair_learn_looked(struct repair *repair);
/* repair_behind.c: where an answer of BEHIND or UNSURE begins. */
enum flow_result repair_step_behind(struct flow *flow);

#endif
