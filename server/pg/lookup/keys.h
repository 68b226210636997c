/* API keys and the signers of sessions, for the catalog. */
#ifndef BURSAR_PG_LOOKUP_KEYS_H
#define BURSAR_PG_LOOKUP_KEYS_H

#include <libpq-fe.h>

#include "pg/link/link.h"
#include "pg/link/rows.h"
#include "store/catalog_build.h"

#define KEYS_SQL "SELECT " KEY_COLUMNS KEY_TABLES " WHERE k.revoked_at IS NULL"
#define KEYS_MADE_SQL "SELECT EXISTS (SELECT FROM api_keys)"
#define SIGNERS_SQL "SELECT encode(public_key, 'hex') FROM session_signers"

/* Takes what the three statements answer. */
void catalog_keys_load(
	struct catalog_parts *parts, const PGresult *keys, const PGresult *made, const PGresult *signers);

/* With what a process signs sessions. Begins with zeros. */
struct catalog_signing {
	struct signer signer;
	int64_t since_us; /* clock_wall_us; 0: there is no signer yet */
};
/*
 * Makes a new signer once a day. Its public key is published before the load that shows the signer, so that every
 * process soon accepts its sessions. Public keys of which all sessions have ended are deleted.
 */
bool catalog_signer_renew(struct catalog_signing *signing, struct pg_link *link, struct err *err)
	__attribute__((warn_unused_result));

#endif
