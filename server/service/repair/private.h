/* Between the files of the repair. */
#ifndef BURSAR_SERVICE_REPAIR_PRIVATE_H
#define BURSAR_SERVICE_REPAIR_PRIVATE_H

#include "service/repair/repair.h"

struct repair *repair_of(struct flow *flow);
/* Moves to the next account of the mask at or after `from`; false when there is none. */
bool repair_next_account(struct repair *repair, int from);
enum flow_result repair_store_failed(struct repair *repair, const struct limits_op *op);
/* Asks PostgreSQL about the accounts of the mask; the flow goes on when it has answered, or has had a second. */
enum flow_result repair_look_up(struct repair *repair);
/* What PostgreSQL has said of them counts, also where it is older than what was remembered: such an account was erased. */
void repair_learn_looked(struct repair *repair);
/* Should the store be away, those accounts do not begin unused. */
void repair_learn_local(const struct repair *repair);
/* behind.c: where an answer of BEHIND begins. */
enum flow_result repair_step_behind(struct flow *flow);

/* adopt.c: where the answer of a lookup goes on for UNSEEDED; and its end when PostgreSQL cannot tell. */
enum flow_result repair_step_adopt(struct flow *flow);
enum flow_result repair_stand_in(struct repair *repair);

#endif
