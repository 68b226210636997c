/* Authentication by key, session or certificate. scope.c limits what a caller may see. */
#include "api/auth/auth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/auth/private.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "service/worker/key_log.h"
#include "service/cache/keys.h"
#include "service/worker/worker.h"

/* Finds the key in "authorization: Bearer bsk_..."; false with `why` when there is none. */
static bool bearer(const struct call *call, const char **text, size_t *len, const char **why)
{
	if (!call_metadata(call, "authorization", text, len)) {
		*why = "a key is needed: send the metadata 'authorization: Bearer bsk_...' (bursar: --key-file or "
		       "BURSAR_KEY)";
		return false;
	}
	if (*len <= 7 || strncasecmp(*text, "Bearer ", 7) != 0) {
		*why = "authorization must be 'Bearer ' followed by a key";
		return false;
	}
	*text += 7;
	*len -= 7;
	return true;
}

/* For a caller with a certificate and no key: what tls_clients says about the names in it. */
struct shown {
	const char *entries;
	struct client_role role;
};

static bool name_known(const char *name, size_t len, void *arg)
{
	struct shown *shown = arg;

	return client_role_find(shown->entries, name, len, &shown->role);
}

static bool by_certificate(struct call *call, const struct conf *conf, struct caller *caller)
{
	struct shown shown = {.entries = conf->tls_clients};
	struct arena *arena = call_arena(call);

	if (!conf->tls_clients[0] || !call_certificate_names(call, name_known, &shown))
		return false;
	caller->by = BY_CERTIFICATE;
	caller->role = shown.role.role;
	caller->tenant = arena_strndup(arena, shown.role.tenant, shown.role.tenant_len);
	caller->label = arena_strndup(arena, shown.role.name, shown.role.name_len);
	return true;
}

/* Before any key exists, admits callers on this machine, or in the closed network that insecure_listen is meant for. */
static bool is_near(struct call *call, const struct conf *conf)
{
	const char *address = auth_address(call);

	if (call_needs_proof(call))
		return false;
	return conf->insecure_listen[0] || strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
	       strncmp(address, "::ffff:127.", 11) == 0 || strncmp(address, "unix", 4) == 0;
}

static bool by_key(
	struct call *call, struct worker *worker, struct snapshot *snapshot, struct caller *caller, struct err *err)
{
	const char *address = auth_address(call), *text = NULL, *why;
	size_t len;
	const struct api_key *key;

	if (!bearer(call, &text, &len, &why))
		return text || !(call_access(call) & 1u << ROLE_NONE) ? auth_refuse(address, why, err)
								      : auth_refuse_quietly(why, err);
	key_hash(text, len, caller->hash);
	key = catalog_key(snapshot->catalog, caller->hash);
	if (!key_works(key, address, &why))
		return auth_refuse(address, why, err);
	caller_by_key(call, worker, key, caller);
	return true;
}

static bool role_may(const struct call *call, enum role role, struct err *err)
{
	if (call_access(call) & 1u << role)
		return true;
	err_set(err, ERR_PERMISSION, "a key with the role %s may not call %s", role_name(role), call_path(call));
	return err_reason(err, "ROLE");
}

static const char certificate_revoked[] = "the certificate was revoked";

/* A caller with a revoked certificate is refused, even with a valid key. */
static bool certificate_counts(struct call *call, const struct conf *conf, struct caller *caller, struct err *err)
{
	const char *pem = conf->tls_revoked[0] ? call_certificate(call) : NULL;

	caller->shown = pem;
	if (!pem)
		return true;
	if (certificate_fingerprint(pem, call_arena(call), caller->fingerprint) &&
		!revoked_has(conf->tls_revoked, caller->fingerprint))
		return true;
	return auth_refuse(auth_address(call), certificate_revoked, err);
}

/* Identifies the caller: by key, else by session, else by certificate; anonymous until the first key exists. False when refused. */
static bool caller_find(
	struct call *call, struct worker *worker, struct snapshot *snapshot, struct caller *caller, struct err *err)
{
	const struct conf *conf = worker->parts.conf;
	const char *text, *session;
	size_t len;
	bool key_sent = call_metadata(call, "authorization", &text, &len);

	caller->generation = catalog_generation(snapshot->catalog);
	session = !key_sent && catalog_has_keys(snapshot->catalog) ? call_session(call) : NULL;
	if (!key_sent && !session && by_certificate(call, conf, caller))
		return true;
	if (session)
		return auth_by_session(call, worker, snapshot, session, caller, err);
	if (catalog_has_keys(snapshot->catalog))
		return by_key(call, worker, snapshot, caller, err);
	return is_near(call, conf) ||
	       auth_refuse(auth_address(call), "no key exists yet: create the first one on the server's machine", err);
}

bool auth_identify(struct call *call, struct worker *worker, struct err *err)
{
	struct caller *caller = arena_alloc(call_arena(call), sizeof(*caller));
	struct snapshot *snapshot;
	bool known;

	*caller = (struct caller){.role = ROLE_OPERATOR, .tenant = "", .account = "", .label = "", .interfaces = ""};
	if (!certificate_counts(call, worker->parts.conf, caller, err))
		return false;
	snapshot = snapshot_take(worker, err);
	if (!snapshot)
		return false;
	known = caller_find(call, worker, snapshot, caller, err);
	snapshot_give(worker, snapshot);
	if (known)
		call_set_caller(call, caller);
	return known;
}

static bool let_in(struct call *call, struct worker *worker, struct err *err)
{
	if (call_access(call) & 1u << ROLE_NONE)
		return true;
	return auth_identify(call, worker, err) && role_may(call, caller_role(call), err);
}

bool auth_admit(struct call *call, void *ctx)
{
	struct err err = {0};

	if (let_in(call, ctx, &err))
		return true;
	call_fail(call, &err);
	return false;
}

/* Why the newest catalog rejects the caller; NULL when it accepts them. */
static const char *looked_up(struct caller *caller, struct worker *worker)
{
	struct snapshot *snapshot;
	const char *why = NULL;
	struct err err;

	if (caller->generation == catalog_source_generation(worker->parts.catalog))
		return NULL;
	snapshot = snapshot_take(worker, &err);
	if (!snapshot)
		return NULL;
	caller->generation = catalog_generation(snapshot->catalog);
	if (caller->by == BY_KEY) {
		const struct api_key *key = catalog_key(snapshot->catalog, caller->hash);

		if (key_works(key, caller->address, &why))
			caller->expires_at_us = key->expires_at_us;
		else if (!key)
			why = "the key was revoked";
	} else if (caller->by == BY_NOTHING && catalog_has_keys(snapshot->catalog)) {
		why = "a key is needed now: reconnect with one";
	}
	snapshot_give(worker, snapshot);
	return why;
}

bool auth_still_admitted(struct call *call, void *ctx, struct err *err)
{
	struct caller *caller = call_caller(call);
	struct worker *worker = ctx;
	const char *why;

	if (!caller)
		return true;
	why = looked_up(caller, worker);
	if (!why && caller->expires_at_us && caller->expires_at_us <= clock_wall_us())
		why = key_expired;
	if (!why && caller->session_ends_us && caller->session_ends_us <= clock_wall_us())
		why = session_expired;
	if (!why && caller->shown && revoked_has(worker->parts.conf->tls_revoked, caller->fingerprint))
		why = certificate_revoked;
	if (!why)
		return true;
	log_info("a stream was ended", F("from", auth_address(call)), F("method", call_path(call)), F("why", why));
	return auth_refuse_quietly(why, err);
}
