/* Shared by the files of the repair. */
#ifndef BURSAR_SERVICE_REPAIR_PRIVATE_H
#define BURSAR_SERVICE_REPAIR_PRIVATE_H

#include "service/repair/repair.h"

struct repair *repair_of(struct flow *flow);
/* Moves to the next account of the mask at or after `from`; false if there is none. */
bool repair_next_account(struct repair *repair, int from);
enum flow_result repair_store_failed(struct repair *repair, const struct limits_op *op);
/* Asks PostgreSQL about the accounts of the mask. The flow goes on when it has answered or the lookup has timed out. */
enum flow_result repair_look_up(struct repair *repair);
/* Learns what PostgreSQL answered, even if it is older than what was cached: such an account was erased. */
void repair_learn_looked(struct repair *repair);
/* Gives those accounts their use in the LOCAL table, so that they do not start unused if the store is away. */
void repair_learn_local(const struct repair *repair);
/* behind.c: the first step for BEHIND. */
enum flow_result repair_step_behind(struct flow *flow);

/* adopt.c: the step after the lookup for UNSEEDED; and its end if PostgreSQL cannot answer. */
enum flow_result repair_step_adopt(struct flow *flow);
enum flow_result repair_stand_in(struct repair *repair);

#endif
