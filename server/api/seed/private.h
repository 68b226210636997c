/* Private to api/seed: how each RPC's answer is written. */
#ifndef BURSAR_API_SEED_PRIVATE_H
#define BURSAR_API_SEED_PRIVATE_H

#include "api/seed/seed.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"

#define SEED_STATUS "/bursar.v1.Limiter/GetStatus"
#define SEED_STATS "/bursar.v1.Admin/GetStats"
#define SEED_RESET "/bursar.v1.Admin/Reset"

/* What a POST asks for (action.c). */
bool seed_action(const struct seed_request *request, struct seed_call *call, struct err *err);

void seed_write_status(const Bursar__V1__GetStatusResponse *answer, struct buf *out); /* status.c */
void seed_write_stats(const Bursar__V1__GetStatsResponse *answer, struct buf *out); /* stats.c */

#endif
