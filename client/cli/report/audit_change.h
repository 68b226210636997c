/* What an entry of the audit log changed, in one line. */
#ifndef BURSAR_CLI_AUDIT_CHANGE_H
#define BURSAR_CLI_AUDIT_CHANGE_H

#include "base/buf.h"

/*
 * Appends "tier: free -> pro; limits: +requests=600/min", "new; tier: pro" or "deleted" for two JSON objects of an entry: what it was, and what it was changed to; "null" is
 * nothing. Fields that say when and in which order are left out. Nothing for a text that is no JSON.
 */
void audit_change_put(struct buf *out, const char *before, const char *details);

#endif
