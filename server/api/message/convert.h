/* Converts between protobuf messages and domain structs. Results live in the arena. */
#ifndef BURSAR_API_MESSAGE_CONVERT_H
#define BURSAR_API_MESSAGE_CONVERT_H

#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "service/request/answer.h"
#include "service/request/pricing.h"

/* The tenant, or "default" when it is empty. */
const char *tenant_or_default(const char *tenant);

/* The mode of a price: "standard" and "" are the same. */
const char *price_mode(const char *mode);

/* A new message in the arena, with its type's default values: message_new(arena, Limit, limit). */
#define message_new(arena_, Type_, name_) \
	((Bursar__V1__##Type_ *)message_made(arena_, sizeof(Bursar__V1__##Type_), \
		(const ProtobufCMessageDescriptor *)&bursar__v1__##name_##__descriptor))
/* Uninitialized room for count + 1 pointers. */
void *message_list(struct arena *arena, size_t count);
void *message_made(struct arena *arena, size_t size, const ProtobufCMessageDescriptor *descriptor);

Bursar__V1__Limit *limit_to_message(struct arena *arena, const struct limit *limit);
/* The limit is prepared (limit_prepare). `warn_percent` replaces 0 in the message. ERR_INVALID names the field. */
bool limit_from_message(const Bursar__V1__Limit *message, int warn_percent, struct limit *out, struct err *err);

Bursar__V1__LimitStatus *row_to_message(struct arena *arena, const struct rows *rows, const struct limit_row *row);

/* Which rows rows_to_messages() includes. */
enum wanted_rows { ROWS_ALL, ROWS_MATCHED, ROWS_NOTABLE /* failed, would fail, warning */ };
/* The status of the account that is suspended or deleted; it has no limit. */
Bursar__V1__LimitStatus *closed_to_message(struct arena *arena, const struct rows *rows);
size_t rows_to_messages(
	struct arena *arena, const struct rows *rows, enum wanted_rows wanted, Bursar__V1__LimitStatus ***out);
/* All limits of all accounts, grouped by account. */
size_t accounts_to_messages(
	struct arena *arena, const struct rows *rows, int64_t now_us, Bursar__V1__AccountStatus ***out);

/* A NULL message means no tokens. ERR_INVALID names "usage". */
bool meters_from_message(const Bursar__V1__TokenUsage *message, struct meters *out, struct err *err);
Bursar__V1__TokenUsage *meters_to_message(struct arena *arena, const struct meters *meters);

Bursar__V1__CostBreakdown *cost_to_message(
	struct arena *arena, const struct priced *priced, const struct meters *tokens);

/* The gRPC code, text and field of an error, for one item of a batch. */
Bursar__V1__ItemError *error_to_message(struct arena *arena, const struct err *err);

/* The windows from before the zone's last change that are still running at now_us. */
size_t kept_windows_to_messages(
	struct arena *arena, const struct zone *zone, int64_t now_us, Bursar__V1__KeptWindow ***out);

#endif
