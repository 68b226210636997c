/* An account's profile as bytes: the `meta` of its Redis record, which lets any worker decide without PostgreSQL. */
#ifndef BURSAR_DOMAIN_LIMIT_PROFILE_H
#define BURSAR_DOMAIN_LIMIT_PROFILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "domain/limit/account.h"

/* Appends the packed profile (tier, parents, zone, complete overrides) to `out`. */
void profile_pack(const struct account_profile *profile, struct buf *out);

/* False when the bytes are not a profile. Overrides are prepared and allocated in `arena`. */
bool profile_unpack(const uint8_t *data, size_t len, struct arena *arena, struct account_profile *out);

#endif
