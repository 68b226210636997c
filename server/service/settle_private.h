/* Between the files of the settlement. */
#ifndef BURSAR_SERVICE_SETTLE_PRIVATE_H
#define BURSAR_SERVICE_SETTLE_PRIVATE_H

#include "service/settle.h"

/* What the names of the models lead to. */
void settle_models(struct settle *settle);
/* The price of the record into the answer. */
void settle_price(struct settle *settle);
/* Fills op: who, on which accounts, how much; then what goes with it into the ledger. */
void settle_op_fill(struct settle *settle, void (*done)(struct limits_op *op));
void settle_usage_make(struct settle *settle);
void settle_info_make(struct settle *settle);

/* Learns the profiles that came with the answer, and shows those accounts by their own policies and windows. */
void settle_learn_strangers(struct settle *settle);

#endif
