/* What the files of bursar.v1.Admin share. */
#ifndef BURSAR_API_ADMIN_PRIVATE_H
#define BURSAR_API_ADMIN_PRIVATE_H

#include "api/message/convert.h"
#include "base/unconst.h"
#include "bursar/v1/admin.pb-c.h"
#include "rpc/call.h"
#include "rpc/message.h"
#include "service/worker/worker.h"
#include "store/admin.h"

#define HANDLER(Name, name, access) void admin_##name(struct call *call, void *ctx);
#define STREAM(Name, name, access) HANDLER(Name, name, access)
#include "api/admin/methods.def"
#undef HANDLER
#undef STREAM

/* Whom a reference means, with its defaults, a model by any of its names; false when the call has been failed. */
bool admin_key(struct call *call, struct worker *worker, const Bursar__V1__AccountRef *ref, struct account_key *key);
/* The same of one that has bills: a model has none. */
bool admin_bill_key(
	struct call *call, struct worker *worker, const Bursar__V1__AccountRef *ref, struct account_key *key);
/* The id of the model's account that *id, one of its names, means. ERR_INVALID on `field`. */
bool admin_model_id(const struct catalog *catalog, const char *tenant, const char **id, const char *field,
	struct arena *arena, struct err *err) __attribute__((warn_unused_result));
/* What to look for by a model's name: its id, and in `provider` the provider before it where the name has one. In the arena. */
const char *admin_model_wanted(
	const struct catalog *catalog, const char *tenant, const char *name, bool provider, struct arena *arena);
Bursar__V1__AccountRef *admin_ref(struct arena *arena, const struct account_key *key);

/* An account as a message, which points into the row. */
Bursar__V1__Account *admin_account_message(struct arena *arena, const struct account_row *row);

/* An account is on a tier that exists; "" is the tenant's default tier. False when the call has been failed. */
bool admin_tier_check(struct call *call, void *ctx, const char *tenant, const char *tier);

/* The overrides of a request, prepared, no two of one name, none that has ended by patch->now_us. */
struct account_patch;
bool admin_limits_read(struct arena *arena, Bursar__V1__Limit *const *limits, size_t count, struct account_patch *patch,
	struct err *err) __attribute__((warn_unused_result));

/* NULL: none. */
struct account_filter admin_filter(const Bursar__V1__AccountFilter *filter, int64_t now_us);

/* Tiers; the message points into what it is made of. ERR_INVALID names the field. `warn_percent` stands in for 0. */
Bursar__V1__Tier *admin_tier_message(struct arena *arena, const char *tenant, const struct tier *tier);
bool admin_tier_read(const Bursar__V1__Tier *message, int warn_percent, struct tier *tier, struct err *err);

/* A tenant's settings under an id; points into both. */
Bursar__V1__Tenant *admin_tenant_message(struct arena *arena, const struct tenant *tenant, const char *id);
/* Has a fallback model that is not the tenant's already a price? ERR_INVALID on `field`, naming the nearest. */
bool admin_fallback_fits(const struct tenant *tenant, const struct catalog *catalog, const char *field, int64_t now_us,
	struct err *err) __attribute__((warn_unused_result));

/* A template, with the placeholders of its code; points into the row. */
Bursar__V1__Text *admin_text_message(
	struct arena *arena, const char *tenant, const struct text_template *text, bool shipped);
/* The template, checked, its tag of the language in the usual spelling; points into the message. ERR_INVALID names the field. */
bool admin_text_read(const Bursar__V1__Text *message, struct arena *arena, struct text_template *out, struct err *err)
	__attribute__((warn_unused_result));

/* A pool; points into the row. */
Bursar__V1__Pool *admin_pool_message(struct arena *arena, const struct pool_row *row);

/* Prices, likewise. */
Bursar__V1__Price *admin_price_message(struct arena *arena, const struct price *price);
/* As it was sent: what makes it a whole price (price_check) is not looked at. */
bool admin_price_part_read(const Bursar__V1__Price *message, struct price *price, struct err *err);
bool admin_price_read(const Bursar__V1__Price *message, struct price *price, struct err *err);

/* Who calls, for the audit log: "key 7 (deploy bot) from ipv4:10.0.0.5:4711". */
const char *admin_actor(struct call *call);

/* Ends the call by how a job went; true when it went well and the answer is still to be sent. */
bool admin_went_well(struct call *call, const struct admin_job *job);

enum { REPORT_DAYS_MAX = 366 };

/* May he ask of all tenants, if he does? */
bool admin_all_tenants(struct call *call, bool all, struct err *err) __attribute__((warn_unused_result));

/* Between 1 and `most`; `usual` for 0. */
int admin_page(int asked, int usual, int most);

#endif
