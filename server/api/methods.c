/* The methods of Limiter and Admin: which roles may call them, and which handler answers. */
#include "api/methods.h"

#include "api/admin/private.h"
#include "api/auth/auth.h"
#include "api/limiter/limiter.h"

#define LIMITER(name_) "/bursar.v1.Limiter/" name_
const struct rpc_method limiter_methods[] = {
	{.path = LIMITER("Check"), .handle = limiter_check, .access = MAY_CALL},
	{.path = LIMITER("CheckBatch"), .handle = limiter_check_batch, .access = MAY_CALL},
	{.path = LIMITER("CheckStream"), .handle = limiter_check_stream, .kind = RPC_STREAMS, .access = MAY_CALL},
	{.path = LIMITER("Record"), .handle = limiter_record, .access = MAY_CALL},
	{.path = LIMITER("RecordBatch"), .handle = limiter_record_batch, .access = MAY_CALL},
	{.path = LIMITER("Acquire"), .handle = limiter_acquire, .kind = RPC_SERVER_STREAM, .access = MAY_CALL},
	{.path = LIMITER("Release"), .handle = limiter_release, .access = MAY_CALL},
	{.path = LIMITER("Renew"), .handle = limiter_renew, .access = MAY_CALL},
	{.path = LIMITER("Cancel"), .handle = limiter_cancel, .access = MAY_CALL},
	{.path = LIMITER("GetStatus"), .handle = limiter_get_status, .access = MAY_SEE_OWN},
	{.path = LIMITER("EstimateCost"), .handle = limiter_estimate_cost, .access = MAY_ASK},
	{.path = LIMITER("Explain"), .handle = limiter_explain, .access = MAY_ASK},
	{.path = LIMITER("Events"), .handle = limiter_events, .kind = RPC_SERVER_STREAM, .access = MAY_SEE_OWN},
	{0},
};

#define ADMIN(Name, name, kind_, access_) \
	{.path = "/bursar.v1.Admin/" #Name, .handle = admin_##name, .kind = kind_, .access = access_},
#define HANDLER(Name, name, access) ADMIN(Name, name, RPC_UNARY, access)
#define STREAM(Name, name, access) ADMIN(Name, name, RPC_SERVER_STREAM, access)
const struct rpc_method admin_methods[] = {
#include "api/admin/methods.def"
	{0},
};
#undef HANDLER
#undef STREAM
