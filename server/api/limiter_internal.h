/* Between the files of the Limiter service. */
#ifndef BURSAR_API_LIMITER_INTERNAL_H
#define BURSAR_API_LIMITER_INTERNAL_H

#include "bursar/v1/limiter.pb-c.h"
#include "rpc/call.h"
#include "service/check.h"
#include "service/settle.h"

/* Both take checked messages. */
void question_of_check(const Bursar__V1__CheckRequest *request, struct arena *arena, struct check_question *out);
bool question_of_record(
	const Bursar__V1__RecordRequest *request, struct arena *arena, struct settle_question *out, struct err *err);

Bursar__V1__RecordResponse *record_to_message(const struct settle *settle);

void limiter_check_batch(struct call *call, void *ctx);
void limiter_record(struct call *call, void *ctx);
void limiter_record_batch(struct call *call, void *ctx);
void limiter_renew(struct call *call, void *ctx);
void limiter_cancel(struct call *call, void *ctx);

#endif
