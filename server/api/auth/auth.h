/* The auth: who calls, whether his role may call this method, and whether what he asks for is his tenant's. */
#ifndef BURSAR_API_AUTH_AUTH_H
#define BURSAR_API_AUTH_AUTH_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "domain/api_key.h"
#include "rpc/call.h"

/* rpc_method.access: the roles that may call it, as bits. A method without any is closed to everybody. */
#define MAY_OPERATE (1u << ROLE_OPERATOR)
#define MAY_ADMIN (MAY_OPERATE | 1u << ROLE_ADMIN)
#define MAY_VIEW (MAY_ADMIN | 1u << ROLE_VIEWER) /* reads of everything */
#define MAY_CALL (MAY_ADMIN | 1u << ROLE_BOT) /* what bots do */
#define MAY_ASK (MAY_CALL | MAY_VIEW)
#define MAY_SEE_OWN (MAY_ASK | 1u << ROLE_USER)
#define MAY_ANYBODY (MAY_SEE_OWN | 1u << ROLE_NONE) /* without a key, too */

/* The server's `admit`; ctx is its struct worker. Without any key made, everybody is an operator: the address sees to who that is. */
bool auth_admit(struct call *call, void *ctx);

/*
 * The server's `still_admitted`: would he whose stream is open be let in now? False, ERR_UNAUTHENTICATED: his key was revoked or has
 * expired, his certificate was revoked, or it takes a key by now.
 */
bool auth_still_admitted(struct call *call, void *ctx, struct err *err) __attribute__((warn_unused_result));

/*
 * Holds a request to its caller's tenant, before anything else reads it: an empty tenant becomes the caller's own, another's is
 * ERR_PERMISSION, in every part, in reservation and lease handles too. A ROLE_USER key is held to its user likewise, and a key with
 * interfaces to those. For an operator nothing is changed.
 */
bool auth_scope(struct call *call, ProtobufCMessage *message, struct err *err) __attribute__((warn_unused_result));

/* The role he acts in; ROLE_OPERATOR where no keys have been made. */
enum role caller_role(const struct call *call);
/* May he know what shared accounts are called, and who shares them? */
bool caller_sees_names(const struct call *call);
/* The tenant he is held to; "" = none. */
const char *caller_tenant(const struct call *call);
/* For the audit log; in the call's arena. */
const char *caller_text(struct call *call);

#endif
