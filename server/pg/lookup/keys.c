/* Keys and signers (pg/lookup/keys.h). */
#include "pg/lookup/keys.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/units.h"

void catalog_keys_load(struct catalog_parts *parts, const PGresult *keys, const PGresult *made, const PGresult *signers)
{
	parts->keys = PQntuples(keys);
	parts->key = mem_zalloc((size_t)parts->keys + 1, sizeof(*parts->key));
	for (int i = 0; i < parts->keys; i++)
		row_key(keys, i, &parts->key_texts, &parts->key[i]);
	parts->keys_made = pg_bool(made, 0, 0);
	parts->signers = PQntuples(signers);
	parts->signer_public = mem_zalloc((size_t)parts->signers + 1, sizeof(*parts->signer_public));
	for (int i = 0; i < parts->signers; i++)
		row_bytes(signers, i, 0, parts->signer_public[i], SIGNER_PUBLIC_BYTES);
}

/*
 * A signer signs for a day, and a session lasts a week at most. Whatever their age, only the thousand newest stay: more
 * processes do not start in that time, unless they crash.
 */
static bool publish(struct pg_link *link, const uint8_t public_key[SIGNER_PUBLIC_BYTES], struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_bytes(&args, public_key, SIGNER_PUBLIC_BYTES);
	return pg_exec(link,
		"WITH old AS (SELECT public_key FROM session_signers WHERE made_at < now() - interval '9 days' OR "
		"public_key IN (SELECT public_key FROM session_signers ORDER BY made_at DESC OFFSET 999) "
		"FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM session_signers WHERE public_key IN (SELECT public_key "
		"FROM old)) INSERT INTO session_signers (public_key) VALUES ($1)",
		&args, err);
}

bool catalog_signer_renew(struct catalog_signing *signing, struct pg_link *link, struct err *err)
{
	int64_t now_us = clock_wall_us(), age_us = now_us - signing->since_us;
	struct signer signer;

	/* Also when the clock was set back: the public key's own time is PostgreSQL's. */
	if (signing->since_us && age_us >= 0 && age_us < DAY_US)
		return true;
	signer_make(&signer);
	if (!publish(link, signer.public_key, err))
		return false;
	*signing = (struct catalog_signing){.signer = signer, .since_us = now_us};
	return true;
}
