/* A caller: from a key, and what handlers ask about them. */
#include <inttypes.h>
#include <string.h>

#include "api/auth/private.h"
#include "base/clock.h"
#include "service/worker/key_log.h"

static const char *kept(struct call *call, const char *text)
{
	return text[0] ? arena_strndup(call_arena(call), text, strlen(text)) : "";
}

const char key_expired[] = "the key has expired";

bool key_works(const struct api_key *key, const char *address, const char **why)
{
	*why = !key							     ? "the key is unknown or was revoked"
	       : key->expires_at_us && key->expires_at_us <= clock_wall_us() ? key_expired
	       : !networks_have(key->networks, address) ? "the key may not be used from this address"
							: NULL;
	return !*why;
}

void caller_by_key(struct call *call, struct worker *worker, const struct api_key *key, struct caller *caller)
{
	caller->by = BY_KEY;
	caller->role = key->role;
	caller->key = key->id;
	caller->tenant = kept(call, key->tenant);
	caller->account = kept(call, key->account);
	caller->label = kept(call, key->label);
	caller->interfaces = kept(call, key->interfaces);
	caller->address = auth_address(call);
	caller->expires_at_us = key->expires_at_us;
	memcpy(caller->hash, key->hash, KEY_HASH_BYTES);
	key_log_note(worker->key_log, key->id, caller->address);
}

enum role caller_role(const struct call *call)
{
	const struct caller *caller = call_caller(call);

	return caller ? caller->role : ROLE_OPERATOR;
}

bool caller_sees_names(const struct call *call)
{
	return MAY_VIEW & 1u << caller_role(call);
}

const char *caller_tenant(const struct call *call)
{
	const struct caller *caller = call_caller(call);

	return caller ? caller->tenant : "";
}

const char *caller_text(struct call *call)
{
	const struct caller *caller = call_caller(call);

	if (!caller || caller->by == BY_NOTHING)
		return arena_printf(call_arena(call), "anonymous from %s", call_peer(call));
	if (caller->by == BY_CERTIFICATE)
		return arena_printf(call_arena(call), "certificate %s from %s", caller->label, call_peer(call));
	return arena_printf(call_arena(call), "key %" PRId64 "%s%s%s%s from %s", caller->key,
		caller->label[0] ? " (" : "", caller->label, caller->label[0] ? ")" : "",
		caller->session_ends_us ? " in the dashboard" : "", call_peer(call));
}
