/* Authentication by key or certificate. scope.c limits what a caller may see. */
#include "api/auth/auth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/auth/private.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "service/worker/key_log.h"
#include "service/cache/keys.h"
#include "service/worker/worker.h"

enum { FAILURES_MAX = 10, FAILURES_US = 60000000 };

/* "ipv4:10.0.0.5:4711" -> "10.0.0.5"; "ipv6:%5B::1%5D:4711" and "ipv6:[::1]:4711" -> "::1"; others unchanged. */
static const char *peer_address(struct call *call)
{
	const char *peer = call_peer(call);
	const char *from = strchr(peer, ':'), *to = strrchr(peer, ':');

	if (strncmp(peer, "ipv", 3) != 0 || !from || to <= from)
		return peer;
	from++;
	if (strncmp(from, "%5B", 3) == 0) {
		from += 3;
		to -= to - from >= 3 ? 3 : 0;
	} else if (*from == '[') {
		from++;
		to--;
	}
	return arena_strndup(call_arena(call), from, (size_t)(to - from));
}

/*
 * Failed attempts by address, one table per server thread. Guessing a 256-bit key is hopeless; the limit keeps down log
 * noise and the cost of a broken bot. A valid key still gets in, because many callers may share an address.
 */
struct failures {
	char address[ADDRESS_MAX]; /* for IPv6, of the whole network */
	int64_t since_us;
	int count;
};
static __thread struct failures failures[256];

static struct failures *failures_of(const char *address)
{
	uint32_t hash = 2166136261u;

	for (const char *p = address; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	return &failures[hash % (sizeof(failures) / sizeof(failures[0]))];
}

static bool refuse(const char *address, const char *why, struct err *err)
{
	char crowd[ADDRESS_MAX];
	struct failures *seen;
	int64_t now_us = clock_mono_us();

	address_crowd(address, crowd);
	seen = failures_of(crowd);
	if (strcmp(seen->address, crowd) != 0 || now_us - seen->since_us > FAILURES_US) {
		*seen = (struct failures){.since_us = now_us};
		memcpy(seen->address, crowd, sizeof(crowd));
	}
	metric_inc(METRIC_logins_failed_total, 0, 0);
	if (seen->count < FAILURES_MAX) {
		seen->count++;
		log_warn("a caller had no valid key", F("from", address), F("why", why));
		err_set(err, ERR_UNAUTHENTICATED, "%s", why);
		return err_reason(err, "NO_KEY");
	}
	err_set(err, ERR_EXHAUSTED, "too many invalid keys from %s", address);
	err->retry_after_us = FAILURES_US - (now_us - seen->since_us);
	return err_reason(err, "TOO_MANY_WRONG_KEYS");
}

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

static const char *kept(struct call *call, const char *text)
{
	return text[0] ? arena_strndup(call_arena(call), text, strlen(text)) : "";
}

static const char key_expired[] = "the key has expired";

static bool key_works(const struct api_key *key, const char *address, const char **why)
{
	*why = !key							     ? "the key is unknown or was revoked"
	       : key->expires_at_us && key->expires_at_us <= clock_wall_us() ? key_expired
	       : !networks_have(key->networks, address) ? "the key may not be used from this address"
							: NULL;
	return !*why;
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

/*
 * Before any key exists, admits callers on this machine, or in the closed network that insecure_listen is meant for.
 * Without TLS the port is always one of these two.
 */
static bool is_near(struct call *call, const struct conf *conf)
{
	const char *address;

	if (!conf->tls_cert[0])
		return true;
	address = peer_address(call);
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
	       strncmp(address, "::ffff:127.", 11) == 0 || strncmp(address, "unix", 4) == 0;
}

static bool by_key(
	struct call *call, struct worker *worker, struct snapshot *snapshot, struct caller *caller, struct err *err)
{
	const char *address = peer_address(call), *text, *why;
	size_t len;
	const struct api_key *key;

	if (!bearer(call, &text, &len, &why))
		return refuse(address, why, err);
	key_hash(text, len, caller->hash);
	key = catalog_key(snapshot->catalog, caller->hash);
	if (!key_works(key, address, &why))
		return refuse(address, why, err);
	caller->by = BY_KEY;
	caller->role = key->role;
	caller->key = key->id;
	caller->tenant = kept(call, key->tenant);
	caller->account = kept(call, key->account);
	caller->label = kept(call, key->label);
	caller->interfaces = kept(call, key->interfaces);
	caller->address = address;
	caller->expires_at_us = key->expires_at_us;
	key_log_note(worker->key_log, key->id, address);
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
	return refuse(peer_address(call), certificate_revoked, err);
}

/* Identifies the caller: by key, else by certificate; anonymous until the first key exists. False when refused. */
static bool caller_find(
	struct call *call, struct worker *worker, struct snapshot *snapshot, struct caller *caller, struct err *err)
{
	const struct conf *conf = worker->parts.conf;
	const char *text;
	size_t len;

	caller->generation = catalog_generation(snapshot->catalog);
	if (!call_metadata(call, "authorization", &text, &len) && by_certificate(call, conf, caller))
		return true;
	if (catalog_has_keys(snapshot->catalog))
		return by_key(call, worker, snapshot, caller, err);
	return is_near(call, conf) ||
	       refuse(peer_address(call), "no key exists yet: create the first one on the server's machine", err);
}

static bool let_in(struct call *call, struct worker *worker, struct err *err)
{
	struct caller *caller;
	struct snapshot *snapshot;
	bool known;

	if (call_access(call) & 1u << ROLE_NONE)
		return true;
	caller = arena_alloc(call_arena(call), sizeof(*caller));
	*caller = (struct caller){.role = ROLE_OPERATOR, .tenant = "", .account = "", .label = "", .interfaces = ""};
	if (!certificate_counts(call, worker->parts.conf, caller, err))
		return false;
	snapshot = snapshot_take(worker, err);
	if (!snapshot)
		return false;
	known = caller_find(call, worker, snapshot, caller, err);
	snapshot_give(worker, snapshot);
	if (!known)
		return false;
	call_set_caller(call, caller);
	return role_may(call, caller->role, err);
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
	if (!why && caller->shown && revoked_has(worker->parts.conf->tls_revoked, caller->fingerprint))
		why = certificate_revoked;
	if (!why)
		return true;
	log_info("a stream was ended", F("from", peer_address(call)), F("method", call_path(call)), F("why", why));
	err_set(err, ERR_UNAUTHENTICATED, "%s", why);
	return err_reason(err, "NO_KEY");
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
	return arena_printf(call_arena(call), "key %" PRId64 "%s%s%s from %s", caller->key,
		caller->label[0] ? " (" : "", caller->label, caller->label[0] ? ")" : "", call_peer(call));
}
