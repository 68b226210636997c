/* Between the files of the settlement. */
#ifndef BURSAR_SERVICE_REQUEST_SETTLE_PRIVATE_H
#define BURSAR_SERVICE_REQUEST_SETTLE_PRIVATE_H

#include "service/request/settle.h"

/* What the names of the models lead to. */
void settle_models(struct settle *settle);
/* The price of the record into the answer. */
void settle_price(struct settle *settle);
/* Fills op: who, on which accounts, how much; then what goes with it into the ledger. */
void settle_op_fill(struct settle *settle, void (*done)(struct limits_op *op));
void settle_usage_make(struct settle *settle);
void settle_info_make(struct settle *settle);

/* With what an attempt was recorded, of a repeat; NULL where the bytes are those of a newer bursard. */
const struct entry_usage *settle_recorded(struct settle *settle);
/* RECORD_FIELD_*: in which fields the question is another. One that names no model or mode means the check's. */
unsigned settle_differs(const struct settle_question *question, const struct entry_usage *recorded);

/* Learns the profiles that came with the answer, and shows those accounts by their own policies and windows. */
void settle_learn_strangers(struct settle *settle);

#endif
