/* Sessions of the dashboard: a caller is what the session's key is, until its end. */
#include <string.h>

#include "api/auth/private.h"
#include "base/clock.h"
#include "base/units.h"

const char session_expired[] = "the session has ended: log in again";

bool auth_by_session(struct call *call, struct worker *worker, struct snapshot *snapshot, const char *text,
	struct caller *caller, struct err *err)
{
	const char *why = NULL;
	const struct api_key *key;
	struct session session;

	if (!session_read(text, strlen(text), snapshot->catalog, &session))
		return auth_refuse(auth_address(call), "the session is not valid: log in again", err);
	key = catalog_key_by_id(snapshot->catalog, session.key);
	if (session.expires_at_us <= clock_wall_us())
		why = session_expired;
	else if (!key)
		why = "the session's key was revoked";
	/* Genuine, so nobody has guessed anything. */
	if (why || !key_works(key, auth_address(call), &why))
		return auth_refuse_quietly(why, err);
	caller_by_key(call, worker, key, caller);
	caller->session_ends_us = session.expires_at_us;
	return true;
}

bool auth_session_begin(
	struct call *call, struct worker *worker, int64_t key_id, char text[SESSION_TEXT_SIZE], struct err *err)
{
	struct caller *caller = arena_zalloc(call_arena(call), 1, sizeof(*caller));
	struct snapshot *snapshot = snapshot_take(worker, err);
	const struct api_key *key;
	struct session session = {.key = key_id, .issued_at_us = clock_wall_us()};
	const char *why;

	if (!snapshot)
		return false;
	key = catalog_key_by_id(snapshot->catalog, key_id);
	if (!key_works(key, auth_address(call), &why)) {
		snapshot_give(worker, snapshot);
		return auth_refuse_quietly(why, err);
	}
	session.expires_at_us = session.issued_at_us + worker->parts.conf->session_hours * HOUR_US;
	if (key->expires_at_us && key->expires_at_us < session.expires_at_us)
		session.expires_at_us = key->expires_at_us;
	session_make(&session, catalog_signer(snapshot->catalog), text);
	caller_by_key(call, worker, key, caller);
	caller->session_ends_us = session.expires_at_us;
	snapshot_give(worker, snapshot);
	call_set_caller(call, caller);
	return true;
}
