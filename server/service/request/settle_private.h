/* Shared by the files of the settlement. */
#ifndef BURSAR_SERVICE_REQUEST_SETTLE_PRIVATE_H
#define BURSAR_SERVICE_REQUEST_SETTLE_PRIVATE_H

#include "service/request/settle.h"

/* Is the provider's usage not told, so that what the reservation holds is charged? */
bool settle_is_estimated(const struct settle_question *question);
/* Goes on with `next`. Before that, if it is estimated, fills the question's meters with what the reservation holds. */
void settle_hold(struct settle *settle, flow_step *next);
/* The cost that the reservation holds; 0: none, or nothing was asked. */
int64_t settle_held_cost(const struct settle *settle);

/* Resolves the names of the models. */
void settle_models(struct settle *settle);
/* Puts the record's price into the answer. */
void settle_price(struct settle *settle);
/* Fill op: first the request, accounts and amounts; then the usage and the info that go into the ledger. */
void settle_op_fill(struct settle *settle, void (*done)(struct limits_op *op));
void settle_usage_make(struct settle *settle);
void settle_info_make(struct settle *settle);

/* For a repeat: the usage its attempt was recorded with; NULL if a newer bursard wrote it in another format. */
const struct entry_usage *settle_recorded(struct settle *settle);
/* RECORD_FIELD_* bits of the fields that differ. A question that names no model or mode does not differ in it. */
unsigned settle_differs(const struct settle_question *question, const struct entry_usage *recorded);

/* Learns the profiles that came with the answer, so that it shows those accounts by their own policies and windows. */
void settle_learn_strangers(struct settle *settle);

#endif
