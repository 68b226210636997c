/* Shared by the files of bursar.v1.Admin. */
#ifndef BURSAR_API_ADMIN_PRIVATE_H
#define BURSAR_API_ADMIN_PRIVATE_H

#include "api/message/convert.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "base/unconst.h"
#include "bursar/v1/admin.pb-c.h"
#include "rpc/call.h"
#include "rpc/message.h"
#include "service/catalog/catalog.h"
#include "service/worker/worker.h"
#include "store/admin.h"

#define HANDLER(Name, name, access) void admin_##name(struct call *call, void *ctx);
#define STREAM(Name, name, access) HANDLER(Name, name, access)
#include "api/admin/methods.def"
#undef HANDLER
#undef STREAM

/*
 * Reads the account that a reference means: fills in defaults and accepts a model by any of its names. False when the
 * call has already been failed.
 */
bool admin_key(struct call *call, struct worker *worker, const Bursar__V1__AccountRef *ref, struct account_key *key);
/* The same for an account that has bills; models have none. */
bool admin_bill_key(
	struct call *call, struct worker *worker, const Bursar__V1__AccountRef *ref, struct account_key *key);
/* Replaces *id, any name of a model, by the id of the model's account. ERR_INVALID names `field`. */
bool admin_model_id(const struct catalog *catalog, const char *tenant, const char **id, const char *field,
	struct arena *arena, struct err *err) __attribute__((warn_unused_result));
/*
 * The model id to search for, given any name of the model, in the arena. With `provider`, the id keeps the provider in
 * front of it if the name has one.
 */
const char *admin_model_wanted(
	const struct catalog *catalog, const char *tenant, const char *name, bool provider, struct arena *arena);
Bursar__V1__AccountRef *admin_ref(struct arena *arena, const struct account_key *key);

/* An account as a message; the message points into the row. */
Bursar__V1__Account *admin_account_message(struct arena *arena, const struct account_row *row);

/* Checks that the tier exists; "" is the tenant's default tier. False when the call has already been failed. */
bool admin_tier_check(struct call *call, void *ctx, const char *tenant, const char *tier);

/* The overrides of a request, prepared; duplicate names and overrides that have ended by patch->now_us are refused. */
struct account_patch;
bool admin_limits_read(struct arena *arena, Bursar__V1__Limit *const *limits, size_t count, struct account_patch *patch,
	struct err *err) __attribute__((warn_unused_result));

/* `filter` NULL means no filter. */
struct account_filter admin_filter(const Bursar__V1__AccountFilter *filter, int64_t now_us);

/* Tiers; the message points into its source. ERR_INVALID names the field. `warn_percent` replaces 0 in the message. */
Bursar__V1__Tier *admin_tier_message(struct arena *arena, const char *tenant, const struct tier *tier);
bool admin_tier_read(const Bursar__V1__Tier *message, int warn_percent, struct tier *tier, struct err *err);

/* A tenant's settings under the given id; the message points into both. */
Bursar__V1__Tenant *admin_tenant_message(struct arena *arena, const struct tenant *tenant, const char *id);
/* Whether a newly chosen fallback model has a price. ERR_INVALID names `field` and suggests the nearest model. */
bool admin_fallback_fits(const struct tenant *tenant, const struct catalog *catalog, const char *field, int64_t now_us,
	struct err *err) __attribute__((warn_unused_result));

/* A template with the placeholders of its code; the message points into the row. */
Bursar__V1__Text *admin_text_message(
	struct arena *arena, const char *tenant, const struct text_template *text, bool shipped);
/* The template, checked, with the language tag in its usual spelling; points into the message. ERR_INVALID names the field. */
bool admin_text_read(const Bursar__V1__Text *message, struct arena *arena, struct text_template *out, struct err *err)
	__attribute__((warn_unused_result));

/* A pool; the message points into the row. */
Bursar__V1__Pool *admin_pool_message(struct arena *arena, const struct pool_row *row);

/* Prices; the message points into the price. */
Bursar__V1__Price *admin_price_message(struct arena *arena, const struct price *price);
/* Reads the price as sent, without checking that it is a whole price (price_check). */
bool admin_price_part_read(const Bursar__V1__Price *message, struct price *price, struct err *err);
bool admin_price_read(const Bursar__V1__Price *message, struct price *price, struct err *err);

/* Aliases and families; the messages point into their source. */
Bursar__V1__Alias *admin_alias_message(struct arena *arena, const struct price_alias *alias);
/* Reads a rule of a document. What the server has stays as it is; otherwise its model must have a price. */
bool admin_family_wanted(const Bursar__V1__Family *message, const char *tenant, const struct catalog *catalog,
	int64_t now_us, struct arena *arena, struct price_family *out, struct err *err)
	__attribute__((warn_unused_result));
Bursar__V1__Family *admin_family_message(struct arena *arena, const struct price_family *family);
/* An alias of the tenant ('': of all), with the model that it leads to. ERR_INVALID names the field. */
bool admin_alias_read(const Bursar__V1__Alias *message, const char *tenant, const struct catalog *catalog,
	int64_t now_us, struct arena *arena, struct price_alias *out, struct err *err)
	__attribute__((warn_unused_result));
/* Whether the tenant's alias of that name leads there already, whatever has become of its model since it was put. */
bool admin_alias_kept(const Bursar__V1__Alias *message, const char *tenant, const struct catalog *catalog,
	struct arena *arena, struct price_alias *out);
/* ERR_INVALID on `aliases` if two of them have the same tenant and name. */
bool admin_aliases_differ(struct arena *arena, const struct price_alias *aliases, int count, struct err *err)
	__attribute__((warn_unused_result));

/* A change of the catalog in progress, in its call's arena: new, then its operation filled in, then started. */
struct admin_edit {
	struct catalog_edit edit;
	struct call *call;
};
struct admin_edit *admin_edit_new(struct call *call, enum catalog_edit_kind kind);
void admin_edit_start(struct admin_edit *edit, void *ctx, const char *reason, void (*done)(struct flow *flow));
/* Defines the `done` that answers by answer(call, edit), or fails the call. */
#define ADMIN_EDIT_ANSWER(done, answer) \
	static void done(struct flow *flow) \
	{ \
		struct admin_edit *self = container_of(flow, struct admin_edit, edit.flow); \
\
		if (flow->ok) \
			answer(self->call, &self->edit); \
		else \
			call_fail(self->call, &flow->err); \
	}

/* The caller, for the audit log: "key 7 (deploy bot) from ipv4:10.0.0.5:4711". */
const char *admin_actor(struct call *call);

/*
 * Fills in who changes something, why, and which state of it they have seen (If-Match). False when the call has been
 * failed.
 */
bool admin_job_begin(struct call *call, struct admin_job *job, const char *reason);

/* True when the job succeeded and the answer can be sent; otherwise fails the call. */
bool admin_went_well(struct call *call, const struct admin_job *job);

/*
 * A handler that waits for one operation keeps it, with its call and the request, in the call's arena. ADMIN_CALL, for an
 * operation, and ADMIN_FLOW_CALL, for a use case, define that struct, `owner`_new(call), which reads the request (NULL
 * when it is not valid and the call has been failed), and `callback`, with which the operation ends: it answers by
 * answer(call, op), or fails the call.
 */
#define ADMIN_CALL(owner, operation, Request, request_, callback, answer) \
	ADMIN_CALL_STRUCT(owner, operation, Request, request_) \
	ADMIN_ANSWER(callback, admin_job, owner, job, answer)
#define ADMIN_FLOW_CALL(owner, operation, Request, request_, callback, answer) \
	ADMIN_CALL_STRUCT(owner, operation, Request, request_) \
	ADMIN_ANSWER(callback, flow, owner, flow, answer)
#define ADMIN_CALL_STRUCT(owner, operation, Request, request_) \
	struct owner { \
		struct operation op; \
		struct call *call; \
		const Bursar__V1__##Request *request; \
	}; \
	static struct owner *owner##_new(struct call *call) \
	{ \
		struct owner *self = arena_zalloc(call_arena(call), 1, sizeof(*self)); \
\
		self->call = call; \
		self->request = request_take(call, &bursar__v1__##request_##__descriptor); \
		return self->request ? self : NULL; \
	}
#define ADMIN_ANSWER(callback, type, owner, member, answer) \
	static void callback(struct type *ended) \
	{ \
		struct owner *self = container_of(ended, struct owner, op.member); \
\
		if (ended->ok) \
			answer(self->call, &self->op); \
		else \
			call_fail(self->call, &ended->err); \
	}

/* Starts an operation of the admin store: tenant_list, account_get. */
#define admin_ask(worker_, operation, op) \
	do { \
		struct admin_store *admin_ = ((struct worker *)(worker_))->parts.admin; \
\
		admin_->ops->operation(admin_, op); \
	} while (0)

/* The job of an operation that changes nothing, so that nothing is noted in the audit log. */
struct admin_job admin_question(struct call *call, void (*done)(struct admin_job *job));

/* Fills a list of an answer with the messages message(arena, row) of an operation's rows. */
#define admin_rows(arena, op, list, list_count, message) \
	do { \
		(list) = message_list(arena, (size_t)(op)->count); \
		for (int row_ = 0; row_ < (op)->count; row_++) \
			(list)[(list_count)++] = message(arena, &(op)->rows[row_]); \
	} while (0)

/* What the handler of a stream looks at between two parts. */
struct admin_stream {
	bool gone, draining; /* the caller is gone; the server is draining */
};
void admin_stream_watch(struct admin_stream *stream, struct call *call);

enum { REPORT_DAYS_MAX = 366 };
/* The days of a report (since 1970, UTC): a month ("" = the running one), or from_day to to_day ("" = today). */
struct admin_range {
	const char *month, *from_day, *to_day;
};
bool admin_range_read(const struct admin_range *range, int64_t now_us, int64_t *from_day, int64_t *to_day,
	struct err *err) __attribute__((warn_unused_result));
/* What lines of a report are by, as bits of enum report_key; accounts of some kinds have no report by user. */
bool admin_report_keys_read(const Bursar__V1__ReportKey *keys, size_t count, enum account_kind kind, unsigned *by,
	struct err *err) __attribute__((warn_unused_result));

/* The newest catalog, for a handler that answers at once; NULL when the call has been failed. Release with snapshot_give. */
struct snapshot *admin_snapshot(struct call *call, struct worker *worker);

/* The id that the caller gave to a change, or a new one. */
const char *admin_change_id(struct call *call, const char *given);

/* The times of a pool that a message gives (the others are 0) become the settings'. */
#define ADMIN_POOL_TIMES(TIME) \
	TIME(lease_us) \
	TIME(age_us) \
	TIME(starve_us) \
	TIME(predicted_wait_max_us) \
	TIME(wait_max_us) \
	TIME(estimate_us) \
	TIME(learn_margin_us) \
	TIME(drain_us)
/* A pool's levels. A level without a weight has its priority as the weight. */
void admin_pool_levels_read(Bursar__V1__PoolLevel *const *levels, size_t count, struct pool_settings *s);

/* Whether the caller may ask about all tenants, when `all` says that they do. */
bool admin_all_tenants(struct call *call, bool all, struct err *err) __attribute__((warn_unused_result));

/* The lines of a key's list, KEY_LIST_MAX at most. */
char **admin_lines(struct arena *arena, const char *lines, size_t *count);

/* The page size: between 1 and `most`, or `usual` for 0. */
int admin_page(int asked, int usual, int most);

#endif
