/*
 * Authentication: who is calling, whether their role allows the method, and whether the request stays in their tenant.
 */
#ifndef BURSAR_API_AUTH_AUTH_H
#define BURSAR_API_AUTH_AUTH_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

#include "domain/api_key.h"
#include "rpc/call.h"
#include "service/cache/sessions.h"
#include "service/worker/worker.h"

/* rpc_method.access: the roles that may call the method, as bits. A method with no bits set is closed to everyone. */
#define MAY_OPERATE (1u << ROLE_OPERATOR)
#define MAY_ADMIN (MAY_OPERATE | 1u << ROLE_ADMIN)
#define MAY_VIEW (MAY_ADMIN | 1u << ROLE_VIEWER) /* may read everything */
#define MAY_CALL (MAY_ADMIN | 1u << ROLE_BOT) /* what bots do */
#define MAY_ASK (MAY_CALL | MAY_VIEW)
#define MAY_SEE_OWN (MAY_ASK | 1u << ROLE_USER)
#define MAY_ANYBODY (MAY_SEE_OWN | 1u << ROLE_NONE) /* even without a key */

/*
 * The server's `admit`; ctx is its struct worker. Until a key exists every caller is an operator, but only nearby
 * addresses get in.
 */
bool auth_admit(struct call *call, void *ctx);

/*
 * The server's `still_admitted`: whether the owner of an open stream would be admitted now. False with
 * ERR_UNAUTHENTICATED when their key was revoked or has expired, their certificate was revoked, or a key has become
 * necessary.
 */
bool auth_still_admitted(struct call *call, void *ctx, struct err *err) __attribute__((warn_unused_result));

/*
 * For a method that is open to anybody: identifies its caller, as auth_admit does for all others, without looking at
 * their role. A caller who shows nothing is refused, but it is not held against their address.
 */
bool auth_identify(struct call *call, struct worker *worker, struct err *err) __attribute__((warn_unused_result));

/*
 * For what else a caller may guess. auth_refuse counts a failure of the address (auth_address) and is false with
 * ERR_UNAUTHENTICATED, or with ERR_EXHAUSTED if there were too many within a minute; auth_may_try is false with the
 * latter.
 */
const char *auth_address(struct call *call);
bool auth_refuse(const char *address, const char *why, struct err *err);
bool auth_may_try(const char *address, struct err *err) __attribute__((warn_unused_result));

/*
 * Begins a session of the dashboard for a key that the caller has shown to be theirs: the call's caller is now that
 * session. ERR_UNAUTHENTICATED if the key does not work, or not from the caller's address.
 */
bool auth_session_begin(struct call *call, struct worker *worker, int64_t key, char text[SESSION_TEXT_SIZE],
	struct err *err) __attribute__((warn_unused_result));

/*
 * Restricts a request to its caller's tenant before anything else reads it. In every part of the message, reservation
 * and lease handles included, an empty tenant becomes the caller's own and another tenant is ERR_PERMISSION. A
 * ROLE_USER key is restricted to its user in the same way, and a key with interfaces to those. An operator's request is
 * left as it is. What is filled in is in `arena`, or lives as long as the call.
 */
bool auth_scope(struct call *call, ProtobufCMessage *message, struct arena *arena, struct err *err)
	__attribute__((warn_unused_result));

/* The caller's role; ROLE_OPERATOR while no keys exist. */
enum role caller_role(const struct call *call);
/* Whether the caller may know the names of shared accounts and who shares them. */
bool caller_sees_names(const struct call *call);
/* The tenant that the caller is restricted to; "" = none. */
const char *caller_tenant(const struct call *call);
/* The caller as the audit log shows them; in the call's arena. */
const char *caller_text(struct call *call);

#endif
