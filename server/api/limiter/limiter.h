/* The handlers of bursar.v1.Limiter. Their `ctx` is the worker (service/worker/worker.h). */
#ifndef BURSAR_API_LIMITER_LIMITER_H
#define BURSAR_API_LIMITER_LIMITER_H

#include "rpc/call.h"

void limiter_check(struct call *call, void *ctx);
void limiter_check_batch(struct call *call, void *ctx);
void limiter_check_stream(struct call *call, void *ctx);
void limiter_record(struct call *call, void *ctx);
void limiter_record_batch(struct call *call, void *ctx);
void limiter_acquire(struct call *call, void *ctx);
void limiter_release(struct call *call, void *ctx);
void limiter_renew(struct call *call, void *ctx);
void limiter_cancel(struct call *call, void *ctx);
void limiter_get_status(struct call *call, void *ctx);
void limiter_estimate_cost(struct call *call, void *ctx);
void limiter_explain(struct call *call, void *ctx);
void limiter_events(struct call *call, void *ctx);

#endif
