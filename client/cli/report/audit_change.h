/* Shows in one line what an entry of the audit log changed. */
#ifndef BURSAR_CLI_AUDIT_CHANGE_H
#define BURSAR_CLI_AUDIT_CHANGE_H

#include "base/buf.h"

/*
 * Appends "tier: free -> pro; limits: +requests=600/min", "new; tier: pro" or "deleted" for the two JSON objects of an
 * entry, the old state and the new one; "null" means that it did not exist. Leaves out times and positions. Appends
 * nothing if a text is not valid JSON.
 */
void audit_change_put(struct buf *out, const char *before, const char *details);

#endif
